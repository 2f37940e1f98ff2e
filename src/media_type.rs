//! Reading Content-Type (RFC 9110 §8.3).

use http::HeaderValue;

/// Whether the value names that media type, whatever its parameters.
pub(crate) fn is(value: &HeaderValue, media_type: &str) -> bool {
    let value = value.to_str().unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_parameters_do_not_matter() {
        for value in ["application/json", "Application/JSON ; charset=utf-8", "application/json;"] {
            assert!(is(&HeaderValue::from_static(value), "application/json"), "{value}");
        }
        for value in ["", "text/html", "application/json2", "x; application/json"] {
            assert!(!is(&HeaderValue::from_static(value), "application/json"), "{value}");
        }
    }
}
