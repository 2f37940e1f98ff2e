//! What refusals look like.

use http::Response;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};

/// The status, and each challenge by its scheme and the names of its parameters.
#[must_use]
pub fn challenges(response: &Response<()>) -> String {
    let values = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let challenges: Vec<_> = values.filter_map(|v| v.to_str().ok()).map(challenge).collect();
    let challenges = match challenges.is_empty() {
        true => "no challenge".to_owned(),
        false => challenges.join("; "),
    };
    format!("{}, {challenges}", response.status().as_u16())
}

/// Whether `Cache-Control` has `no-store`.
#[must_use]
pub fn no_store(response: &Response<()>) -> String {
    let mut values = response.headers().get_all(CACHE_CONTROL).iter();
    let set = values.any(|value| value.to_str().is_ok_and(|text| text.contains("no-store")));
    if set { "yes" } else { "no" }.to_owned()
}

/// The scheme, and of `error` the value as well.
fn challenge(value: &str) -> String {
    let (scheme, parameters) = value.split_once(' ').unwrap_or((value, ""));
    let names: Vec<_> = parameters.split("\", ").filter_map(parameter).collect();
    match names.is_empty() {
        true => format!("{scheme} without parameters"),
        false => format!("{scheme} {}", names.join(" ")),
    }
}

fn parameter(text: &str) -> Option<String> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim_matches('"');
    Some(if name == "error" { format!("error={value}") } else { name.to_owned() })
}
