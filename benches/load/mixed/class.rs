//! What kinds of requests there are, and what each must be answered.

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Class {
    Known,
    Rotated,
    Second,
    New,
    Proof,
    NoToken,
    NoJwt,
    Expired,
    NoScope,
    Stranger,
}

impl Class {
    pub(crate) const ALL: [Self; 10] = [
        Self::Known,
        Self::Rotated,
        Self::Second,
        Self::New,
        Self::Proof,
        Self::NoToken,
        Self::NoJwt,
        Self::Expired,
        Self::NoScope,
        Self::Stranger,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Known => "known token",
            Self::Rotated => "known token, new key",
            Self::Second => "known token, second issuer",
            Self::New => "new token",
            Self::Proof => "DPoP, new proof",
            Self::NoToken => "no token",
            Self::NoJwt => "no JWT",
            Self::Expired => "expired token",
            Self::NoScope => "scope missing",
            Self::Stranger => "unknown key of the silent issuer",
        }
    }

    pub(crate) const fn status(self) -> u64 {
        match self {
            Self::Known | Self::Rotated | Self::Second | Self::New | Self::Proof => 200,
            Self::NoToken | Self::NoJwt | Self::Expired => 401,
            Self::NoScope => 403,
            Self::Stranger => 503,
        }
    }

    /// As the script writes it.
    pub(crate) fn number(self) -> usize {
        Self::ALL.iter().position(|class| *class == self).unwrap_or(Self::ALL.len())
    }
}
