//! Answers that are signed (RFC 9701).

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Failure, IntrospectionError};
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::clock::{Clock, Timestamp};
use crate::json::{Object, OneOrMany};
use crate::jws::{self, Compact};
use crate::keys::{Asked, KeyId, KeySet, KeySource, Look, Unverified, Waited, shown};
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

/// What is wrong with an answer, for the log.
type Cause = Cow<'static, str>;

fn unsound(cause: Cause) -> Failure {
    Failure::with_cause(IntrospectionError::Signature, cause)
}

impl SignedAnswers {
    /// The members of `token_introspection` in an answer that the issuer signed for this server
    /// (RFC 9701 §5), since it was asked. `sub` and `exp` beside it are not looked at.
    pub(super) async fn open(
        &self,
        text: &str,
        issuer: &TrustedIssuer,
        asked: Timestamp,
        clock: &dyn Clock,
    ) -> Result<String, Failure> {
        let signed = self.read(text).map_err(unsound)?;
        let verified = signed.verify(&issuer.keys, clock).await;
        verified.map_err(|error| Failure::with_cause(error, signed.unverified()))?;
        let payload = jws::decode_text(signed.parts.payload);
        let payload = payload.ok_or_else(|| unsound("its payload is no text".into()))?;
        let earliest = Timestamp::from_seconds(asked.millis().div_euclid(1000)).minus(self.leeway);
        let latest = Timestamp::from(clock.now()).plus(self.leeway);
        self.inside(&payload, &issuer.identifier, earliest..=latest).map_err(unsound)
    }

    fn read<'a>(&self, text: &'a str) -> Result<Signed<'a>, Cause> {
        let parts = Compact::split(text).ok_or_else(|| form(text))?;
        let header = jws::decode_text(parts.header).ok_or(NO_HEADER)?;
        let header = Object::parse(&header).map_err(|_| NO_HEADER)?;
        let typ = header.string("typ").ok().flatten().ok_or("its header has no typ")?;
        if !jws::is_type(&typ, "token-introspection+jwt") {
            return Err(format!("its typ is {}", shown(&typ)).into());
        }
        if jws::needs_extension(&header) {
            return Err("its header has crit or b64".into());
        }
        let algorithm = self.algorithm(&header)?;
        let kid = header.string("kid").map_err(|_| "its kid is not a string")?.map(Into::into);
        let signature = base64url::decode(parts.signature);
        let signature = signature.ok_or("its signature is not base64url")?;
        Ok(Signed { parts, signature, algorithm, kid })
    }

    fn algorithm(&self, header: &Object<'_>) -> Result<Algorithm, Cause> {
        let name = header.string("alg").ok().flatten().ok_or("its header has no alg")?;
        let named = Algorithm::from_name(&name).filter(|named| self.algorithms.contains(named));
        named.ok_or_else(|| format!("its alg is {}, which is not accepted", shown(&name)).into())
    }

    fn inside(
        &self,
        payload: &str,
        issuer: &str,
        times: RangeInclusive<Timestamp>,
    ) -> Result<String, Cause> {
        let members = Object::parse(payload).map_err(|_| "its payload is not a JSON object")?;
        let named = members.string("iss").ok().flatten().ok_or("it has no string iss")?;
        if *named != *issuer {
            return Err(format!("its iss is {}", shown(&named)).into());
        }
        if !self.is_for_us(&members) {
            return Err("its aud is neither this server nor its client id".into());
        }
        let made = members.date("iat").ok().flatten().ok_or("it has no number iat")?;
        if !times.contains(&made) {
            let which = if made < *times.start() { "before it was asked for" } else { "ahead" };
            return Err(format!("its iat is {which}").into());
        }
        members
            .raw("token_introspection")
            .map(str::to_owned)
            .ok_or_else(|| "it has no token_introspection".into())
    }

    fn is_for_us(&self, members: &Object<'_>) -> bool {
        let ours = |audience: &str| self.audiences.iter().any(|our| our == audience);
        match members.one_or_many("aud") {
            Ok(Some(OneOrMany::One(one))) => ours(&one),
            Ok(Some(OneOrMany::Many(many))) => many.iter().any(|one| ours(one)),
            Ok(None) | Err(_) => false,
        }
    }
}

const NO_HEADER: &str = "its header is not a JSON object in base64url";

/// What a text is that is no compact JWS. Five parts make a JWE (RFC 7516 §3.1).
fn form(text: &str) -> Cause {
    match text.split('.').count() {
        5 => "it is encrypted: unset introspection_encrypted_response_alg of this client",
        _ => "it is not a compact JWS",
    }
    .into()
}

impl Signed<'_> {
    /// By which key it should be.
    fn unverified(&self) -> String {
        let kid = self
            .kid
            .as_deref()
            .map_or_else(|| "no kid".to_owned(), |kid| format!("kid {}", shown(kid)));
        format!("no key of the issuer verifies it, with alg {} and {kid}", self.algorithm.name())
    }

    /// As with signed tokens: keys that are not there are waited for.
    async fn verify(&self, keys: &KeySource, clock: &dyn Clock) -> Result<(), IntrospectionError> {
        let mut asked = Asked { issued: None, waited: Waited::NotYet };
        loop {
            match keys.look(asked, clock.now().into(), |set| self.signer(set)) {
                Look::Verified(..) => return Ok(()),
                Look::Refuted(_) => return Err(IntrospectionError::Signature),
                Look::Unavailable => return Err(IntrospectionError::KeysUnavailable),
                Look::Wait(waiting, waited) => {
                    waiting.ended().await;
                    asked.waited = waited;
                }
            }
        }
    }

    fn signer(&self, keys: &KeySet) -> Result<KeyId, Unverified> {
        let message = self.parts.signing_input.as_bytes();
        keys.signer(self.kid.as_deref(), self.algorithm, message, &self.signature)
    }
}
