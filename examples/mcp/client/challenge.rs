//! Challenges as a client has to read them (RFC 9110 §11.6.1): by grammar, not by a search for
//! pieces of text, which may stand in a description as well.

use std::collections::HashMap;

/// One challenge: `Bearer error="invalid_token", scope="a b"`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Challenge {
    pub(crate) scheme: String,
    /// By name in lower case.
    parameters: HashMap<String, String>,
}

impl Challenge {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub(crate) fn error(&self) -> Option<&str> {
        self.parameter("error")
    }

    /// The scopes that the operation needs.
    pub(crate) fn scopes(&self) -> Vec<String> {
        self.parameter("scope").unwrap_or_default().split(' ').map(str::to_owned).collect()
    }
}

/// The challenge of that scheme in these field values.
pub(crate) fn find<'a>(
    scheme: &str,
    values: impl IntoIterator<Item = &'a str>,
) -> Option<Challenge> {
    let all = values.into_iter().flat_map(parse);
    all.into_iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
}

/// All challenges in one field value. What is no challenge is left out.
pub(crate) fn parse(value: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    for item in split_unquoted(value) {
        let (scheme, parameter) = split_scheme(item);
        if let Some(scheme) = scheme {
            found.push(Challenge { scheme: scheme.to_owned(), ..Challenge::default() });
        }
        let (Some(current), Some((name, text))) = (found.last_mut(), parameter.split_once('='))
        else {
            continue;
        };
        current.parameters.insert(name.trim().to_ascii_lowercase(), unquoted(text.trim()));
    }
    found
}

/// The items between commas that are not within quotes.
fn split_unquoted(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let ends = move |c: char| {
        let is_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' => escaped = quoted && !is_escaped,
            '"' if !is_escaped => quoted = !quoted,
            _ => {}
        }
        c == ',' && !quoted
    };
    value.split(ends).map(str::trim).filter(|item| !item.is_empty())
}

/// A challenge starts with its scheme and a space; a parameter has `=` after its first word.
fn split_scheme(item: &str) -> (Option<&str>, &str) {
    match item.split_once(' ') {
        Some((word, _)) if word.contains('=') => (None, item),
        Some((_, rest)) if rest.trim_start().starts_with('=') => (None, item),
        Some((scheme, rest)) => (Some(scheme), rest),
        None if item.contains('=') => (None, item),
        None => (Some(item), ""),
    }
}

fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut plain = String::new();
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    plain
}
