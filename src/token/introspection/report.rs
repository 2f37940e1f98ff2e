//! What is told of calls that fail: for each a line in the log, and an event.

use tracing::field::display;

use super::{Failure, IntrospectionError, Introspector, Location};
use crate::clock::Timestamp;
use crate::observe::Event;

const TARGET: &str = "tower_resource_server::introspection";

impl Introspector {
    /// A call has failed.
    pub(super) fn failed(&self, failure: &Failure, now: Timestamp) {
        self.record.failed(failure.error, now);
        self.report(failure);
    }

    pub(super) fn report(&self, failure: &Failure) {
        let Failure { error, cause, uri, .. } = failure;
        let (issuer, cause) = (&*self.settings.supplies.issuer, cause.as_deref());
        let endpoint = match (uri, &self.settings.location) {
            (Some(uri), _) | (None, Location::At(uri)) => Some(display(uri)),
            (None, Location::Metadata(_)) => None,
        };
        // Credentials that are not accepted are no outage: somebody has to look.
        if *error == IntrospectionError::Refused {
            tracing::error!(target: TARGET, issuer, endpoint, %error, cause, "introspection failed");
        } else {
            tracing::warn!(target: TARGET, issuer, endpoint, %error, cause, "introspection failed");
        }
        self.settings.supplies.observe(&Event::IntrospectionFailed { issuer, error: *error });
    }

    /// A request finds too many calls. Anybody can send many such, so there is a line a second, for
    /// all that came since the last.
    pub(super) fn busy(&self, cause: &'static str, now: Timestamp) {
        let (issuer, error) = (&*self.settings.supplies.issuer, IntrospectionError::Busy);
        if let Some(requests) = self.record.crowded(now) {
            tracing::warn!(target: TARGET, issuer, %error, cause, requests, "introspection failed");
        }
        self.settings.supplies.observe(&Event::IntrospectionFailed { issuer, error });
    }
}
