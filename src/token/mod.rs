//! Stage 2: from a presented token to a verified one.
//!
//! A token becomes one thing after another, and each type can only be made from the one before:
//! `Parsed` (the form is right), [`Vouched`] (so are signature and audience), [`VerifiedToken`] (so
//! is the time). What may be remembered is [`Vouched`], for nothing in it depends on the moment.

pub(crate) mod cache;
mod claims;
mod details;
mod expiring;
mod header;
mod headers;
pub(crate) mod introspection;
mod issuer;
mod jwt;
mod mapper;
mod profile;
mod resolver;
mod text;
mod types;
mod vouched;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::cache::{Digest, TokenCache};
pub(crate) use self::claims::{Claims, Confirmation};
pub(crate) use self::headers::Headers;
pub(crate) use self::issuer::{AudiencePolicy, Issuers, TrustedIssuer};
pub(crate) use self::jwt::{NotParsed, Parsed, parse};
pub use self::mapper::ClaimMapper;
pub use self::profile::Profile;
pub(crate) use self::resolver::Resolver;
pub(crate) use self::types::TokenTypes;
pub(crate) use self::vouched::Vouched;
pub use self::vouched::VouchedBy;
use crate::clock::Timestamp;
use crate::error::RejectionKind;

/// What verification needs to know besides keys and time.
#[derive(Debug)]
pub(crate) struct TokenPolicy {
    pub(crate) issuers: Issuers,
    /// Of the issuers' tokens. What no issuer has is refused before the issuer is known.
    pub(crate) types: TokenTypes,
    pub(crate) leeway: Duration,
    pub(crate) headers: Headers,
}

/// Why a token that its issuer vouches for is refused, and which it was: the log names its client.
pub(crate) type Refused = (RejectionKind, Arc<Vouched>);

/// A token whose signature, claims and time are right. To hold it is to have passed those checks;
/// whether its sender may use it is the next stage's to say.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedToken(Arc<Vouched>);

impl VerifiedToken {
    /// The checks that depend on the moment (RFC 9068 §4 step 6, RFC 7519 §4.1.5). They run for
    /// every request, on remembered tokens too.
    pub(crate) fn check_time(
        vouched: Arc<Vouched>,
        now: Timestamp,
        leeway: Duration,
    ) -> Result<Self, Refused> {
        let claims = &vouched.claims;
        if ends(claims, leeway).is_some_and(|end| now >= end) {
            return Err((RejectionKind::ExpiredToken, vouched));
        }
        let latest = now.plus(leeway);
        let ahead = |time: Option<Timestamp>| time.is_some_and(|time| time > latest);
        if ahead(claims.not_before) || ahead(claims.issued) {
            return Err((RejectionKind::TokenNotYetValid, vouched));
        }
        Ok(Self(vouched))
    }

    pub(crate) const fn vouched(&self) -> &Arc<Vouched> {
        &self.0
    }

    /// From when on it counts as expired; never, where there is no `exp`.
    pub(crate) fn ends(&self, leeway: Duration) -> Option<Timestamp> {
        ends(&self.0.claims, leeway)
    }
}

fn ends(claims: &Claims, leeway: Duration) -> Option<Timestamp> {
    claims.expires.map(|expires| expires.plus(leeway))
}
