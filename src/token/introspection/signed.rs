//! Answers that are signed (RFC 9701).

use std::time::Duration;

use super::IntrospectionError;
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::clock::{Clock, Timestamp};
use crate::json::{Object, OneOrMany};
use crate::jws::{self, Compact};
use crate::keys::{Asked, KeySet, KeySource, Look, Unverified, Waited};
use crate::token::TrustedIssuer;

/// The media type of such answers.
pub(super) const MEDIA_TYPE: &str = "application/token-introspection+jwt";

/// What is demanded of signed answers.
#[derive(Debug)]
pub(crate) struct SignedAnswers {
    pub(crate) algorithms: Vec<Algorithm>,
    /// What this server is called: the resource identifier, and its client id.
    pub(crate) audiences: Vec<String>,
    pub(crate) leeway: Duration,
}

/// The signed parts of an answer, and who is to have signed them.
struct Signed<'a> {
    parts: Compact<'a>,
    signature: Vec<u8>,
    algorithm: Algorithm,
    kid: Option<String>,
}

impl SignedAnswers {
    /// The members of `token_introspection` in an answer that the issuer signed for this server
    /// (RFC 9701 §5). `sub` and `exp` beside it are not looked at.
    pub(super) async fn open(
        &self,
        text: &str,
        issuer: &TrustedIssuer,
        clock: &dyn Clock,
    ) -> Result<String, IntrospectionError> {
        let signed = self.read(text).ok_or(IntrospectionError::Signature)?;
        signed.verify(&issuer.keys, clock).await?;
        let payload = jws::decode_text(signed.parts.payload);
        let payload = payload.ok_or(IntrospectionError::Signature)?;
        let now = Timestamp::from(clock.now());
        self.inside(&payload, &issuer.identifier, now).ok_or(IntrospectionError::Signature)
    }

    fn read<'a>(&self, text: &'a str) -> Option<Signed<'a>> {
        let parts = Compact::split(text)?;
        let header = jws::decode_text(parts.header)?;
        let header = Object::parse(&header).ok()?;
        let typ = header.string("typ").ok()??;
        let sound = jws::is_type(&typ, "token-introspection+jwt") && !jws::needs_extension(&header);
        let algorithm = Algorithm::from_name(&header.string("alg").ok()??)?;
        let kid = header.string("kid").ok()?.map(Into::into);
        let accepted = sound && self.algorithms.contains(&algorithm);
        let signature = accepted.then(|| base64url::decode(parts.signature)).flatten()?;
        Some(Signed { parts, signature, algorithm, kid })
    }

    fn inside(&self, payload: &str, issuer: &str, now: Timestamp) -> Option<String> {
        let members = Object::parse(payload).ok()?;
        let audience = members.one_or_many("aud").ok()??;
        let ours = |audience: &str| self.audiences.iter().any(|our| our == audience);
        let for_us = match &audience {
            OneOrMany::One(one) => ours(one),
            OneOrMany::Many(many) => many.iter().any(|one| ours(one)),
        };
        let by_it = members.string("iss").ok()??.as_ref() == issuer;
        let made = members.date("iat").ok()?? <= now.plus(self.leeway);
        let answer = members.raw("token_introspection")?;
        (for_us && by_it && made).then(|| answer.to_owned())
    }
}

impl Signed<'_> {
    /// As with signed tokens: keys that are not there are waited for.
    async fn verify(&self, keys: &KeySource, clock: &dyn Clock) -> Result<(), IntrospectionError> {
        let mut asked = Asked { issued: None, waited: Waited::NotYet };
        loop {
            match keys.look(asked, clock.now().into(), |set| self.verify_by(set)) {
                Look::Verified((), _) => return Ok(()),
                Look::Refuted(_) => return Err(IntrospectionError::Signature),
                Look::Unavailable => return Err(IntrospectionError::KeysUnavailable),
                Look::Wait(waiting, waited) => {
                    waiting.ended().await;
                    asked.waited = waited;
                }
            }
        }
    }

    fn verify_by(&self, keys: &KeySet) -> Result<(), Unverified> {
        let mut candidates = keys.candidates(self.kid.as_deref(), self.algorithm).peekable();
        if candidates.peek().is_none() {
            return Err(Unverified::UnknownKey);
        }
        let message = self.parts.signing_input.as_bytes();
        let signed = candidates.any(|key| key.verify(message, &self.signature));
        signed.then_some(()).ok_or(Unverified::BadSignature)
    }
}
