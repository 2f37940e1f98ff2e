//! The parameters of a form.

use crate::credentials::decode_form;

/// Names and values, decoded.
pub(super) struct Form {
    parameters: Vec<(String, String)>,
}

impl Form {
    /// None if it is no form, or names a parameter twice (RFC 6749 §3.2).
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut parameters = Vec::<(String, String)>::new();
        let pairs = std::str::from_utf8(body).ok()?.split('&').filter(|pair| !pair.is_empty());
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if parameters.iter().any(|(seen, _)| *seen == name) {
                return None;
            }
            parameters.push((name, value));
        }
        Some(Self { parameters })
    }

    /// An empty value is an omitted parameter (RFC 6749 §3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(seen, _)| seen == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }
}

pub(super) fn decoded(text: &str) -> Option<String> {
    String::from_utf8(decode_form(text.as_bytes())?).ok()
}
