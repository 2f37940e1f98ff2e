//! Access-Control-Expose-Headers (Fetch §3.2.3): what scripts of other origins may read.

use http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, HeaderName, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};

/// The field that brings a client its next nonce (RFC 9449 §8).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The fields that a browser client needs to get on.
static NEEDED: [HeaderName; 2] = [WWW_AUTHENTICATE, DPOP_NONCE];

/// Adds these and `more` where they are not listed yet, keeping what is: one line, without empty
/// elements (RFC 9110 §5.6.1.2). `*` does not stand for the names, for it is literal where credentials
/// are included.
pub(crate) fn expose(headers: &mut HeaderMap, more: &[HeaderName]) {
    let lines = headers.get_all(ACCESS_CONTROL_EXPOSE_HEADERS).iter();
    let listed = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let mut names: Vec<&str> = listed.map(str::trim).filter(|name| !name.is_empty()).collect();
    for needed in NEEDED.iter().chain(more) {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(needed.as_str())) {
            names.push(needed.as_str());
        }
    }
    // Made of field values and names, so it is one itself.
    if let Ok(list) = HeaderValue::try_from(names.join(", ")) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(lines: &[&'static str], more: &[HeaderName]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            let line = HeaderValue::from_static(line);
            headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, line);
        }
        expose(&mut headers, more);
        assert_eq!(headers.get_all(ACCESS_CONTROL_EXPOSE_HEADERS).iter().count(), 1);
        headers[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().expect("text").to_owned()
    }

    #[test]
    fn lists_are_merged() {
        assert_eq!(exposed(&[], &[]), "www-authenticate, dpop-nonce");
        assert_eq!(exposed(&[",X-A,", "X-B"], &[]), "X-A, X-B, www-authenticate, dpop-nonce");
        assert_eq!(exposed(&["DPoP-Nonce,*"], &[]), "DPoP-Nonce, *, www-authenticate");
        let more = [HeaderName::from_static("x-a"), HeaderName::from_static("x-b")];
        assert_eq!(exposed(&["X-A"], &more), "X-A, www-authenticate, dpop-nonce, x-b");
    }
}
