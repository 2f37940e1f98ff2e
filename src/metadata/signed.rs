//! A look into `signed_metadata` before it is served (RFC 9728 §2.2).

use serde_json::{Map, Value};

use crate::base64url;
use crate::config::Fault;

const NAME: &str = "signed_metadata";

/// The signature is its maker's affair. Clients that read the claims prefer them to the plain
/// members, so claims that say otherwise would hand out another document than the configured one.
pub(super) fn check(
    chosen: &Map<String, Value>,
    members: &Map<String, Value>,
    faults: &mut Vec<Fault>,
) {
    let mut fault = |problem: String, mend: &'static str| {
        faults.push(Fault::new("metadata", format!("{NAME}: {problem}"), mend));
    };
    let Some(jwt) = chosen.get(NAME) else { return };
    let Some(claims) = jwt.as_str().and_then(claims) else {
        return fault("is not a signed JWT".into(), "pass the compact form, three parts with dots");
    };
    if !claims.get("iss").is_some_and(Value::is_string) {
        fault("has no iss".into(), "name the party that vouches for the metadata");
    }
    if claims.contains_key(NAME) {
        fault(format!("holds {NAME} itself"), "sign the other members only");
    }
    let differs = |(name, value): &(&String, &Value)| {
        name.as_str() != NAME && claims.get(name.as_str()).is_some_and(|claim| claim != *value)
    };
    for (name, _) in members.iter().filter(differs) {
        fault(format!("says otherwise than the document about {name}"), "sign the document anew");
    }
}

fn claims(jwt: &str) -> Option<Map<String, Value>> {
    let parts: Vec<_> = jwt.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { return None };
    if header.is_empty() || signature.is_empty() {
        return None;
    }
    serde_json::from_slice(&base64url::decode(payload)?).ok()
}
