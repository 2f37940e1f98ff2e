//! How a token turned out to be tied to its sender.

use crate::keys::{CertificateThumbprint, Thumbprint};
use crate::scheme::{Scheme, SenderConstraint};

/// How the presented token is tied to its sender.
///
/// More ways may be added, which is why the type is not exhaustive. An application that treats
/// bound tokens as more trustworthy asks [`Grant::binding`](crate::Grant::binding).
///
/// It says what was *verified*, not what the token asks for: with
/// [`ignore_unverifiable_confirmation`](crate::Danger::ignore_unverifiable_confirmation), a token
/// with `cnf` may be a bearer token too.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Binding {
    /// Not at all: whoever holds the token may use it (RFC 6750).
    Bearer,
    /// To the key of that thumbprint, of which the request brought a proof (RFC 9449).
    Dpop(Thumbprint),
    /// To both: the request brought a proof of the key and came with the certificate.
    #[non_exhaustive]
    DpopAndMutualTls {
        /// Of the key.
        key: Thumbprint,
        /// Of the certificate.
        certificate: CertificateThumbprint,
    },
    /// To the client certificate of that thumbprint, with which the request came (RFC 8705 §3).
    MutualTls(CertificateThumbprint),
}

impl Binding {
    pub(super) const fn of(
        key: Option<Thumbprint>,
        certificate: Option<CertificateThumbprint>,
    ) -> Self {
        match (key, certificate) {
            (None, None) => Self::Bearer,
            (Some(key), None) => Self::Dpop(key),
            (Some(key), Some(certificate)) => Self::DpopAndMutualTls { key, certificate },
            (None, Some(certificate)) => Self::MutualTls(certificate),
        }
    }

    /// `bearer`, `dpop`, `mtls`, or `dpop+mtls` for a token bound in both ways.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Dpop(_) => "dpop",
            Self::DpopAndMutualTls { .. } => "dpop+mtls",
            Self::MutualTls(_) => "mtls",
        }
    }

    /// The key that the sender proved to hold.
    #[must_use]
    pub const fn key(&self) -> Option<&Thumbprint> {
        match self {
            Self::Dpop(key) | Self::DpopAndMutualTls { key, .. } => Some(key),
            Self::Bearer | Self::MutualTls(_) => None,
        }
    }

    /// The certificate that the sender came with, where the token is bound to it.
    #[must_use]
    pub const fn certificate(&self) -> Option<&CertificateThumbprint> {
        match self {
            Self::MutualTls(certificate) | Self::DpopAndMutualTls { certificate, .. } => {
                Some(certificate)
            }
            Self::Bearer | Self::Dpop(_) => None,
        }
    }

    /// The scheme such a token comes with. One bound to a certificate alone is sent as `Bearer`
    /// (RFC 8705 §3).
    pub(crate) const fn scheme(&self) -> Scheme {
        if self.key().is_some() { Scheme::Dpop } else { Scheme::Bearer }
    }

    /// Whether a server or a route that demands that much is content, once it accepts the scheme.
    pub(crate) const fn meets(&self, constraint: SenderConstraint) -> bool {
        match constraint {
            SenderConstraint::Any | SenderConstraint::Bearer => true,
            SenderConstraint::Bound => !matches!(self, Self::Bearer),
            SenderConstraint::Dpop => self.key().is_some(),
            SenderConstraint::MutualTls => self.certificate().is_some(),
        }
    }
}
