//! Reading Cache-Control (RFC 9111 §5.2).

use http::HeaderMap;
use http::header::CACHE_CONTROL;

/// The directives of all lines. Commas within quoted-strings separate nothing, so that
/// `private="a, no-store"` does not pass for `no-store`.
pub(crate) fn directives(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(CACHE_CONTROL).into_iter();
    lines.filter_map(|line| line.to_str().ok()).flat_map(split)
}

/// Whether that directive is there without an argument.
pub(crate) fn has(headers: &HeaderMap, name: &str) -> bool {
    directives(headers).any(|directive| directive.eq_ignore_ascii_case(name))
}

fn split(line: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = line.split(move |c| {
        let plain = !escaped;
        escaped = plain && quoted && c == '\\';
        quoted ^= plain && c == '"';
        plain && !quoted && c == ','
    });
    parts.map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_within_quotes_separate_nothing() {
        let parts = |line| split(line).collect::<Vec<_>>();
        assert_eq!(parts("a , b=1,,c"), ["a", "b=1", "", "c"]);
        assert_eq!(parts(r#"a="x, y",b"#), [r#"a="x, y""#, "b"]);
        assert_eq!(parts(r#"a="x\", y\\",b"#), [r#"a="x\", y\\""#, "b"]);
        assert_eq!(parts(r#"a\",b"#), [r#"a\",b"#]);
    }
}
