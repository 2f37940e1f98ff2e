//! What the routes answer, the same in every example server over HTTP.

use serde_json::{Value, json};
use tower_resource_server::Grant;

pub(crate) fn public() -> Value {
    json!({ "public": true })
}

pub(crate) fn whoami(grant: &Grant) -> Value {
    json!({
        "sub": grant.subject(),
        "client_id": grant.client_id(),
        "iss": grant.issuer(),
        "scope": grant.scopes().collect::<Vec<_>>().join(" "),
        "binding": grant.binding().name(),
    })
}

pub(crate) fn greeting(grant: Option<&Grant>) -> Value {
    json!({ "sub": grant.and_then(Grant::subject) })
}

pub(crate) fn tools() -> Value {
    json!({ "tools": ["hammer", "saw"] })
}

pub(crate) fn tool_added() -> Value {
    json!({ "added": true })
}

pub(crate) fn report(id: &str) -> Value {
    json!({ "report": id })
}

pub(crate) fn tools_deleted() -> Value {
    json!({ "deleted": true })
}
