//! Challenges as a client reads them (RFC 9110 §11.6.1).

/// The `error` of the challenge of that scheme in one `WWW-Authenticate` value, which may hold
/// several challenges.
pub(super) fn error_of(scheme: &str, value: &str) -> Option<String> {
    let mut current = "";
    for item in items(value) {
        let (start, parameter) = split_scheme(item);
        current = start.unwrap_or(current);
        let Some((name, text)) = parameter.split_once('=') else { continue };
        if current.eq_ignore_ascii_case(scheme) && name.trim().eq_ignore_ascii_case("error") {
            return Some(unquoted(text.trim()));
        }
    }
    None
}

/// What stands between the commas that are not within quotes.
fn items(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let ends = move |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == ',' && !quoted
    };
    value.split(ends).map(str::trim).filter(|item| !item.is_empty())
}

/// The scheme that an item starts with, if it starts a challenge, and the parameter after it.
fn split_scheme(item: &str) -> (Option<&str>, &str) {
    let end = item.find(|c: char| c == '=' || c.is_ascii_whitespace()).unwrap_or(item.len());
    let (word, rest) = item.split_at(end);
    // Spaces may stand around `=` as well.
    if rest.trim_start().starts_with('=') { (None, item) } else { (Some(word), rest.trim_start()) }
}

fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut escaped = false;
    let keep = |c: &char| {
        escaped = *c == '\\' && !escaped;
        !escaped
    };
    inner.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dpop(value: &str) -> Option<String> {
        error_of("DPoP", value)
    }

    #[test]
    fn the_error_is_found_in_all_its_forms() {
        for value in [
            r#"DPoP error="use_dpop_nonce", algs="ES256""#,
            r#"dpop algs="ES256 EdDSA",ERROR="use_dpop_nonce""#,
            "DPoP error=use_dpop_nonce",
            r#"DPoP error = "use_dpop\_nonce""#,
            r#"Bearer realm="a, DPoP error=\"no\"", DPoP error="use_dpop_nonce""#,
            r#"Negotiate abc==, DPoP algs="x", , error="use_dpop_nonce", Bearer error="x""#,
        ] {
            assert_eq!(dpop(value).as_deref(), Some("use_dpop_nonce"), "{value}");
        }
    }

    #[test]
    fn other_schemes_and_texts_do_not_count() {
        for value in [
            "",
            "DPoP",
            r#"DPoP algs="ES256""#,
            r#"Bearer error="use_dpop_nonce""#,
            r#"DPoP algs="ES256", Bearer error="use_dpop_nonce""#,
            r#"Bearer realm="DPoP error=use_dpop_nonce""#,
            r#"DPoP error_description="error=use_dpop_nonce""#,
        ] {
            assert_eq!(dpop(value), None, "{value}");
        }
    }
}
