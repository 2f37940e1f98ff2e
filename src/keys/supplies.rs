//! What it takes to fetch for an issuer, and to tell of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request, Response, Uri};

use crate::clock::{Clock, Timestamp};
use crate::fetch::{Fetch, FetchError, FetchLimits, bounded};
use crate::observe::{Event, Observer};

/// Shared by all that fetches for one issuer.
#[derive(Clone)]
pub(crate) struct Supplies {
    pub(crate) issuer: Arc<str>,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) limits: FetchLimits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

impl Supplies {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// Tells of what happened in a task. A second panic, while a first one ends the task, would end
    /// the process.
    pub(crate) fn observe(&self, event: &Event<'_>) {
        let Some(observer) = &self.observer else { return };
        let told = catch_unwind(AssertUnwindSafe(|| observer.observe(event)));
        if told.is_err() {
            tracing::error!(target: "tower_resource_server::keys", issuer = &*self.issuer, "the observer panicked");
        }
    }

    pub(super) async fn get(
        &self,
        uri: &Uri,
        accept: HeaderValue,
        limits: FetchLimits,
    ) -> Result<Response<Bytes>, FetchError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri.clone();
        request.headers_mut().insert(ACCEPT, accept);
        bounded(&*self.fetch, request, limits).await
    }
}
