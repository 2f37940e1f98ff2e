//! `authorization_details` (RFC 9396 §9): what a token grants beyond scopes.
//!
//! Read and checked once, with the other claims. What is kept is where the claim stands in the
//! payload, not what was read, since few routes ask for it and its size is the issuer's to choose.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::text::Text;
use crate::error::RejectionKind;
use crate::json::Object;

pub(super) const NAME: &str = "authorization_details";

/// An array of objects, each with a string `type` (RFC 9396 §2). Anything else is no such claim.
pub(super) fn read(members: &Object<'_>, payload: &str) -> Result<Option<Text>, RejectionKind> {
    let Some(raw) = members.raw(NAME) else { return Ok(None) };
    let objects = objects(raw).ok_or(RejectionKind::InvalidClaim)?;
    for object in objects {
        let members = Object::parse(object).map_err(|_| RejectionKind::InvalidClaim)?;
        members.string("type")?.ok_or(RejectionKind::InvalidClaim)?;
    }
    Ok(Some(Text::of(Cow::Borrowed(raw), payload)))
}

/// The text of each element; `None` unless it is an array.
pub(super) fn objects(raw: &str) -> Option<impl Iterator<Item = &str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    Some(elements.into_iter().map(RawValue::get))
}
