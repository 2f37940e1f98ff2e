//! Where an issuer's metadata may be.

use http::Uri;

use crate::uri::Web;

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// The URLs to try, in the order of RFC 8414 §5: the OAuth document, then that of OpenID Connect,
/// each with the well-known string inserted between host and path; at last the one of OpenID
/// Connect with the string appended, as its older rule has it (Discovery §4.1).
///
/// Both rules remove a slash that ends the identifier. Without a path they name the same URL, which
/// then stands once. `None` for an identifier that is no URL.
pub(crate) fn candidates(issuer: &str) -> Option<Vec<Uri>> {
    let Web { scheme, authority, rest, .. } = Web::parse(issuer)?;
    let path = rest.strip_suffix('/').unwrap_or(rest);
    let host = format!("{scheme}://{authority}");
    let mut texts = vec![
        format!("{host}{OAUTH}{path}"),
        format!("{host}{OPENID}{path}"),
        format!("{host}{path}{OPENID}"),
    ];
    texts.dedup();
    texts.iter().map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(issuer: &str) -> Vec<String> {
        let uris = candidates(issuer).expect(issuer);
        uris.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_string_is_inserted_before_the_path_and_at_last_appended() {
        let tenant = [
            "https://as.example.com/.well-known/oauth-authorization-server/t1",
            "https://as.example.com/.well-known/openid-configuration/t1",
            "https://as.example.com/t1/.well-known/openid-configuration",
        ];
        assert_eq!(of("https://as.example.com/t1"), tenant);
        assert_eq!(of("https://as.example.com/t1/"), tenant);
    }

    #[test]
    fn without_a_path_two_places_are_one() {
        let places = [
            "http://[::1]:8080/.well-known/oauth-authorization-server",
            "http://[::1]:8080/.well-known/openid-configuration",
        ];
        assert_eq!(of("http://[::1]:8080"), places);
        assert_eq!(of("http://[::1]:8080/"), places);
    }

    #[test]
    fn one_slash_is_removed_and_no_more() {
        let places = of("https://as.example.com/a//");
        assert_eq!(places[0], "https://as.example.com/.well-known/oauth-authorization-server/a/");
        assert_eq!(places[2], "https://as.example.com/a//.well-known/openid-configuration");
    }

    #[test]
    fn what_is_no_url_has_no_places() {
        assert!(candidates("as.example.com").is_none());
        assert!(candidates("urn:example:as").is_none());
    }
}
