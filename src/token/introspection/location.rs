//! Where the endpoint is.

use std::sync::Arc;

use http::Uri;
use tokio::runtime::Handle;

use super::Introspector;
use crate::clock::Timestamp;
use crate::fetch::GRACE;
use crate::flight::{self, Flight, Waiting};
use crate::keys::MetadataSource;

#[derive(Debug)]
pub(crate) enum Location {
    At(Uri),
    /// Where the issuer's metadata says.
    Metadata(Arc<MetadataSource>),
}

impl Introspector {
    /// Whether it is known where to ask; nothing is looked up.
    pub(crate) fn knows_endpoint(&self, now: Timestamp) -> bool {
        match &self.settings.location {
            Location::At(_) => true,
            Location::Metadata(source) => {
                source.held(now).is_some_and(|held| held.introspection_endpoint.is_some())
            }
        }
    }

    /// A look-up to wait for where it is not known, so that no request has to; where it is, that is
    /// kept fresh. It belongs to nobody who waits.
    pub(crate) fn look_up_endpoint(&self, now: Timestamp) -> Option<Waiting<()>> {
        let Location::Metadata(source) = &self.settings.location else { return None };
        if self.knows_endpoint(now) {
            source.renew(now);
            return None;
        }
        let runtime = Handle::try_current().ok()?;
        let fetch = self.settings.supplies.limits.timeout.saturating_add(GRACE);
        let (running, report) = Flight::begin(fetch.saturating_mul(2));
        let (waiting, source) = (running.wait(), Arc::clone(source));
        let look_up = async move { look_up(&source, now).await };
        flight::fly(&runtime, look_up, |_| report.tell(()));
        Some(waiting)
    }
}

/// A document that names no endpoint may have one by now.
async fn look_up(source: &Arc<MetadataSource>, now: Timestamp) {
    let Ok(found) = source.current(now).await else { return };
    if found.introspection_endpoint.is_none() {
        source.other_than(&found).await;
    }
}
