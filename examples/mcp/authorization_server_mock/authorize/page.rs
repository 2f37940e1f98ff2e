//! Pages for people. They run no script and load nothing.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// RFC 6749 §4.1.2.1: the person is told, and sent nowhere.
pub(super) fn error(text: &str) -> Response {
    show(StatusCode::BAD_REQUEST, "This did not work", &format!("<p>{}</p>", escaped(text)))
}

/// `body` is HTML, `title` is text.
pub(super) fn show(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escaped(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <h1>{title}</h1>\n{body}\n</html>\n"
    );
    let fields = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Nobody is to lay another page over this one (RFC 6749 §10.13).
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, fields, Html(html)).into_response()
}

/// What a client has called itself is text, whatever is in it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}
