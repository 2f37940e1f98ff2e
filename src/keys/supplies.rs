//! What it takes to fetch for an issuer, and to tell of it.

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

    pub(crate) fn observe(&self, event: &Event<'_>) {
        if let Some(observer) = &self.observer {
            observer.observe(event);
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
