//! Writing `application/x-www-form-urlencoded`.

use std::fmt::Write as _;

/// Names and values of a form, in order.
#[derive(Default)]
pub(super) struct Form(String);

impl Form {
    pub(super) fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        encode(name, &mut self.0);
        self.0.push('=');
        encode(value, &mut self.0);
    }

    pub(super) fn into_body(self) -> String {
        self.0
    }
}

/// Appends `text`, its bytes escaped but for those that every reader takes as they are.
pub(super) fn encode(text: &str, place: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                place.push(char::from(byte));
            }
            b' ' => place.push('+'),
            _ => {
                // A `String` takes whatever is written to it.
                let _ = write!(place, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_be_misread_is_escaped() {
        let mut form = Form::default();
        form.add("token", "a+b/c~d=e&f%g h");
        form.add("ü", "Az09*-._");
        assert_eq!(form.into_body(), "token=a%2Bb%2Fc%7Ed%3De%26f%25g+h&%C3%BC=Az09*-._");
    }
}
