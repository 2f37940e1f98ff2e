//! The authentication schemes, and which of them a server or a route accepts.

/// An authentication scheme that carries access tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449 §7.1.
    Dpop,
}

impl Scheme {
    /// The scheme of that name; the case does not matter (RFC 9110 §11.1).
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case(b"dpop") {
            Some(Self::Dpop)
        } else {
            None
        }
    }

    /// The name as challenges carry it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// What a server or a route demands of the tie between a token and its sender.
///
/// Chosen for a server with [`Builder::sender_constraint`](crate::Builder::sender_constraint), and
/// for routes with the methods of that name of
/// [`AuthenticateLayer`](crate::layer::AuthenticateLayer) and
/// [`RequireLayer`](crate::layer::RequireLayer).
///
/// Whatever is chosen, a token bound to a key is never accepted without proof of that key (RFC 9449
/// §7.2), and the scheme DPoP never without a bound token. Challenges name only the schemes that
/// are accepted, so that no client is talked into the weaker one.
///
/// | | `Bearer`, token not bound | `Bearer`, token bound | `DPoP` with a proof, token bound |
/// |---|---|---|---|
/// | `Any` | accepted | 401 `invalid_token` | accepted |
/// | `Dpop` | 401, DPoP challenge without error | the same | accepted |
/// | `Bearer` | accepted | 401 `invalid_token` | 401, Bearer challenge without error |
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SenderConstraint {
    /// Tokens that are bound, and tokens that are not: each as its issuer made it.
    #[default]
    Any,
    /// Only tokens that are bound to a key, with a DPoP proof (RFC 9449).
    Dpop,
    /// Only tokens that are not bound. The scheme DPoP is neither offered nor accepted.
    Bearer,
}

impl SenderConstraint {
    /// Whether no token passes that is not bound to a key.
    pub(crate) const fn demands_binding(self) -> bool {
        !matches!(self, Self::Any | Self::Bearer)
    }

    pub(crate) const fn accepts(self, scheme: Scheme) -> bool {
        match self {
            Self::Any => true,
            Self::Dpop => matches!(scheme, Scheme::Dpop),
            Self::Bearer => matches!(scheme, Scheme::Bearer),
        }
    }
}
