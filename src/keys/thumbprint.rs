//! SHA-256 thumbprints, of keys (RFC 7638) and of certificates (RFC 8705 §3.1).

use std::fmt;
use std::hash::{Hash, Hasher};

use subtle::ConstantTimeEq;

use crate::base64url;

/// Declares a thumbprint. Each sort is a type of its own, so that none is compared with another.
macro_rules! thumbprint {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name([u8; 32]);

        impl $name {
            pub(crate) const fn new(digest: [u8; 32]) -> Self {
                Self(digest)
            }

            /// Exactly 43 characters of canonical base64url, unpadded.
            pub(crate) fn parse(text: &str) -> Option<Self> {
                if text.len() != 43 {
                    return None;
                }
                base64url::decode(text)?.try_into().ok().map(Self)
            }

            /// The digest itself.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&base64url::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

thumbprint! {
    /// The SHA-256 thumbprint of a public key (RFC 7638), as `cnf.jkt` names the key of a bound
    /// token (RFC 9449 §6.1).
    ///
    /// Its `Display` form is the unpadded base64url of 43 characters. Thumbprints are compared in
    /// constant time.
    Thumbprint
}

thumbprint! {
    /// The SHA-256 thumbprint of a certificate, taken of its DER form, as `cnf.x5t#S256` names the
    /// certificate of a bound token (RFC 8705 §3.1).
    ///
    /// Its `Display` form is the unpadded base64url of 43 characters. Thumbprints are compared in
    /// constant time.
    CertificateThumbprint
}
