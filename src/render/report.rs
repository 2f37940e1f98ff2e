//! One event a refusal.

use crate::observe::{Event, cut};
use crate::rejection::{Details, Rejection};
use crate::scheme::Scheme;

/// Never logs the token. The path is the client's text, so it is escaped and cut.
pub(crate) fn report(rejection: &Rejection) {
    let kind = rejection.kind();
    if let Some(observer) = &rejection.details().settings.observer {
        observer.observe(&Event::Refused { kind });
    }
    if kind.is_client_fault() {
        log!(INFO, rejection);
    } else {
        log!(ERROR, rejection);
    }
}

macro_rules! log {
    ($level:ident, $rejection:expr) => {{
        let details = $rejection.details();
        let vouched = details.attempt.vouched.as_ref();
        tracing::event!(
            target: "tower_resource_server::rejection",
            tracing::Level::$level,
            kind = details.kind.name(),
            error = details.kind.error_code(),
            scheme = details.attempt.scheme.map(Scheme::name),
            issuer = vouched.map(|vouched| &*vouched.issuer.identifier),
            client_id = vouched.and_then(|vouched| vouched.client_id()).map(cut).map(tracing::field::debug),
            resource = details.settings.resource.identifier(),
            method = cut(details.attempt.label.method.as_str()),
            path = ?cut(path(details)),
            "{}",
            details.kind.description()
        );
    }};
}
use log;

fn path(details: &Details) -> &str {
    details.attempt.label.target.as_ref().map_or("", |target| target.path())
}
