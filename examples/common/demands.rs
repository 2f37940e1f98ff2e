//! What routes and methods demand, the same in every example server.

use std::time::Duration;

use tower_resource_server::{Scopes, StepUp};

pub(crate) fn read_tools() -> Scopes {
    Scopes::all(["tools/read"])
}

pub(crate) fn write_tools() -> Scopes {
    Scopes::all(["tools/write"])
}

pub(crate) fn administer() -> Scopes {
    Scopes::all(["admin", "audit"])
}

pub(crate) fn read_reports() -> Scopes {
    Scopes::any(["reports/read", "admin"])
}

/// Strong authentication, five minutes ago at most.
pub(crate) fn pay() -> StepUp {
    StepUp::acr(["urn:example:mfa"]).max_age(Duration::from_secs(300))
}

/// Demanded inside a handler.
pub(crate) fn delete_tools() -> Scopes {
    Scopes::all(["tools/delete"])
}
