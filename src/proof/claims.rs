//! The claims of a proof (RFC 9449 §4.2).

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::json::{Object, WrongType};

/// Claims that are there and of the right type; what they say is not judged yet.
pub(super) struct Claims<'a> {
    pub(super) jti: Cow<'a, str>,
    pub(super) htm: Cow<'a, str>,
    pub(super) htu: Cow<'a, str>,
    pub(super) ath: Cow<'a, str>,
    pub(super) iat: Timestamp,
    pub(super) nonce: Option<Cow<'a, str>>,
}

/// Long enough for any identifier with 96 random bits (RFC 9449 §4.2).
const LONGEST_JTI: usize = 256;

impl<'a> Claims<'a> {
    /// RFC 9449 §4.3 check 3, and the types of §4.2. Other claims are allowed and mean nothing.
    pub(super) fn parse(payload: &'a str) -> Result<Self, RejectionKind> {
        let members = Object::parse(payload).map_err(|_| RejectionKind::MalformedProof)?;
        let jti = text(&members, "jti")?;
        if jti.len() > LONGEST_JTI {
            return Err(RejectionKind::InvalidProofClaim);
        }
        Ok(Self {
            jti,
            htm: text(&members, "htm")?,
            htu: text(&members, "htu")?,
            ath: text(&members, "ath")?,
            iat: required(members.date("iat"))?,
            nonce: if members.contains("nonce") { Some(text(&members, "nonce")?) } else { None },
        })
    }
}

fn required<T>(value: Result<Option<T>, WrongType>) -> Result<T, RejectionKind> {
    match value {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(RejectionKind::MissingProofClaim),
        Err(WrongType) => Err(RejectionKind::InvalidProofClaim),
    }
}

/// A string that is not empty.
fn text<'a>(members: &Object<'a>, name: &str) -> Result<Cow<'a, str>, RejectionKind> {
    let value = required(members.string(name))?;
    if value.is_empty() { Err(RejectionKind::InvalidProofClaim) } else { Ok(value) }
}
