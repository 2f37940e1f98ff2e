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
/// §7.2), a token bound to a certificate never without that certificate (RFC 8705 §3), and the
/// scheme DPoP never without a token bound to a key. Challenges name only the schemes that are
/// accepted, so that no client is talked into the weaker one.
///
/// A token that is bound to a certificate alone is sent with the scheme `Bearer`; "the certificate"
/// says that the request came with the one it is bound to. Without it, the answer is 401
/// `invalid_token` wherever the scheme is accepted.
///
/// | | `Bearer`, not bound | `Bearer`, the certificate | `Bearer`, bound to a key | `DPoP` with a proof |
/// |---|---|---|---|---|
/// | `Any` | accepted | accepted | 401 `invalid_token` | accepted |
/// | `Bearer` | accepted | accepted | 401 `invalid_token` | N |
/// | `Bound` | 401 `invalid_token` | accepted | 401 `invalid_token` | accepted |
/// | `Dpop` | N | N | N | accepted |
/// | `MutualTls` | 401 `invalid_token` | accepted | 401 `invalid_token` | N |
///
/// N: 401, with a challenge of the accepted scheme and no error, since the scheme is not accepted
/// and the token may be good (RFC 6750 §3.1).
///
/// A token bound in both ways goes with `DPoP`, and needs the proof and the certificate.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SenderConstraint {
    /// Tokens that are bound, and tokens that are not: each as its issuer made it.
    #[default]
    Any,
    /// Only tokens that are bound, to a key or to a certificate.
    Bound,
    /// Only tokens that are bound to a key, with a DPoP proof (RFC 9449).
    Dpop,
    /// Only tokens that are not bound to a key. The scheme DPoP is neither offered nor accepted.
    Bearer,
    /// Only tokens that are bound to a certificate, and come with it as bearer tokens (RFC 8705
    /// §3). The scheme DPoP is neither offered nor accepted.
    MutualTls,
}

impl SenderConstraint {
    /// Whether no token passes that is not bound.
    pub(crate) const fn demands_binding(self) -> bool {
        !matches!(self, Self::Any | Self::Bearer)
    }

    pub(crate) const fn accepts(self, scheme: Scheme) -> bool {
        match self {
            Self::Any | Self::Bound => true,
            Self::Dpop => matches!(scheme, Scheme::Dpop),
            Self::Bearer | Self::MutualTls => matches!(scheme, Scheme::Bearer),
        }
    }

    /// Whether certificate-bound tokens are what it asks for, or a part of it.
    pub(crate) const fn names_certificates(self) -> bool {
        matches!(self, Self::Bound | Self::MutualTls)
    }

    /// What can be met within a layer that accepts no more than `around`: one that leaves the
    /// scheme open takes those that layer lets through.
    pub(crate) const fn within(self, around: Self) -> Self {
        match (self, around) {
            (Self::Any | Self::Bound, Self::Bearer | Self::Dpop | Self::MutualTls) => around,
            _ => self,
        }
    }
}
