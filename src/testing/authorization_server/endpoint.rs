//! Where things are on an authorization server.

use http::Uri;

/// What a [`TestAuthorizationServer`](super::TestAuthorizationServer) can be asked for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Endpoint {
    /// Token introspection (RFC 7662): the identifier and `/introspect`.
    Introspection,
    /// The key set (RFC 7517 §5): the identifier and `/jwks.json`.
    Jwks,
    /// The metadata document, at whichever [`MetadataLocation`].
    Metadata,
    /// Any other URL; the answer is 404.
    Other,
}

impl Endpoint {
    pub(super) const COUNT: usize = 4;

    /// What that URL asks of the server with that identifier.
    pub(super) fn of(identifier: &str, url: &Uri) -> Self {
        if *url == *jwks(identifier) {
            Self::Jwks
        } else if *url == *introspection(identifier) {
            Self::Introspection
        } else if MetadataLocation::ALL.iter().any(|location| location.is(identifier, url)) {
            Self::Metadata
        } else {
            Self::Other
        }
    }
}

/// Where a metadata document may be.
///
/// For an identifier without a path the two of OpenID Connect are the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MetadataLocation {
    /// `/.well-known/oauth-authorization-server` between host and path (RFC 8414 §3.1).
    OAuth,
    /// `/.well-known/openid-configuration` after the path (OpenID Connect Discovery 1.0 §4).
    OpenIdAppended,
    /// `/.well-known/openid-configuration` between host and path (RFC 8414 §5).
    OpenIdInserted,
}

impl MetadataLocation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OAuth, Self::OpenIdAppended, Self::OpenIdInserted];

    /// The URL of the document of that authorization server.
    ///
    /// It is put together by other code than that of the resource server, so that a test which
    /// compares the two compares something.
    ///
    /// ```
    /// use tower_resource_server::testing::MetadataLocation;
    ///
    /// let url = MetadataLocation::OAuth.url("https://as.example.com/tenant/");
    /// assert_eq!(url, "https://as.example.com/.well-known/oauth-authorization-server/tenant");
    /// ```
    #[must_use]
    pub fn url(self, identifier: &str) -> String {
        let identifier = base(identifier);
        let host = identifier.find("://").map_or(0, |scheme| scheme + 3);
        let path = identifier[host..].find('/').map_or(identifier.len(), |path| host + path);
        let (origin, path) = identifier.split_at(path);
        match self {
            Self::OAuth => format!("{origin}/.well-known/oauth-authorization-server{path}"),
            Self::OpenIdAppended => format!("{identifier}/.well-known/openid-configuration"),
            Self::OpenIdInserted => format!("{origin}/.well-known/openid-configuration{path}"),
        }
    }

    pub(super) fn is(self, identifier: &str, url: &Uri) -> bool {
        *url == *self.url(identifier)
    }
}

pub(super) fn jwks(identifier: &str) -> String {
    format!("{}/jwks.json", base(identifier))
}

pub(super) fn introspection(identifier: &str) -> String {
    format!("{}/introspect", base(identifier))
}

pub(super) fn token(identifier: &str) -> String {
    format!("{}/token", base(identifier))
}

fn base(identifier: &str) -> &str {
    identifier.strip_suffix('/').unwrap_or(identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_where_the_specifications_say() {
        let urls = |identifier| MetadataLocation::ALL.map(|location| location.url(identifier));
        for root in ["https://as.example.com", "https://as.example.com/"] {
            assert_eq!(
                urls(root),
                [
                    "https://as.example.com/.well-known/oauth-authorization-server",
                    "https://as.example.com/.well-known/openid-configuration",
                    "https://as.example.com/.well-known/openid-configuration",
                ]
            );
        }
        assert_eq!(
            urls("https://as.example.com:8443/a/b"),
            [
                "https://as.example.com:8443/.well-known/oauth-authorization-server/a/b",
                "https://as.example.com:8443/a/b/.well-known/openid-configuration",
                "https://as.example.com:8443/.well-known/openid-configuration/a/b",
            ]
        );
    }

    #[test]
    fn each_url_is_one_endpoint() {
        let asked = |url| Endpoint::of("https://as.example.com/a", &Uri::from_static(url));
        assert_eq!(asked("https://as.example.com/a/jwks.json"), Endpoint::Jwks);
        assert_eq!(asked("https://as.example.com/a/introspect"), Endpoint::Introspection);
        let metadata = "https://as.example.com/.well-known/openid-configuration/a";
        assert_eq!(asked(metadata), Endpoint::Metadata);
        for other in [
            "https://as.example.com/jwks.json",
            "https://as.example.com/a/introspect?token=x",
            "http://as.example.com/a/jwks.json",
            "https://as.example.com:8443/a/jwks.json",
        ] {
            assert_eq!(asked(other), Endpoint::Other, "{other}");
        }
    }
}
