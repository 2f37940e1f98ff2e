//! The DPoP proof of a token request (RFC 9449 §5, §8).

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tower_resource_server::NonceIssuer as _;

use super::super::answer::{DPOP, DPOP_NONCE, Refusal};
use super::super::dpop;
use super::super::mock::{Mock, State};

/// Longer than any proof is accepted, since it may be made ahead.
const REMEMBERED: Duration = Duration::from_secs(300);

/// What a good proof tells.
pub(super) struct Proven {
    /// The thumbprint of the key.
    pub(super) jkt: String,
    pub(super) next_nonce: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    nonce: Option<String>,
}

/// None if there is no proof: the tokens will not be bound.
pub(super) fn proven(
    mock: &Mock,
    state: &mut State,
    headers: &HeaderMap,
    now: SystemTime,
) -> Result<Option<Proven>, Refusal> {
    let mut fields = headers.get_all(DPOP).iter();
    let proof = match (fields.next(), fields.next()) {
        (None, _) => return Ok(None),
        (Some(proof), None) => proof.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return Err(invalid("there are two proofs")),
    };
    let jkt = dpop::thumbprint(proof, "POST", &mock.url("/token"), now).map_err(invalid)?;
    let claims = claims(proof).ok_or(invalid("its claims are not those of a proof"))?;
    let next_nonce = check_nonce(mock, &claims, now)?;
    remember(state, &jkt, &claims.jti, now)?;
    Ok(Some(Proven { jkt, next_nonce }))
}

/// They were signed: the proof has been verified.
fn claims(proof: &str) -> Option<Claims> {
    let claims = proof.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// §8: an error of the token endpoint, so 400 and JSON. A nonce that is sent is checked even where
/// none is required (§4.3, check 10).
fn check_nonce(mock: &Mock, claims: &Claims, now: SystemTime) -> Result<Option<String>, Refusal> {
    let issue = || mock.nonces.issue(mock.issuer.issuer(), now);
    let check = |nonce: &str| mock.nonces.check(nonce, mock.issuer.issuer(), now);
    match claims.nonce.as_deref() {
        None if !mock.options.require_nonce => Ok(None),
        nonce => match nonce.and_then(check) {
            Some(accepted) => Ok(accepted.renew().then(issue)),
            None => {
                let refusal = Refusal::new("use_dpop_nonce", "put this nonce into the proof");
                Err(refusal.with(StatusCode::BAD_REQUEST, DPOP_NONCE, &issue()))
            }
        },
    }
}

/// A proof is good once (§11.1). Two keys may use the same `jti`.
fn remember(state: &mut State, jkt: &str, jti: &str, now: SystemTime) -> Result<(), Refusal> {
    let name = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{jkt}.{jti}")));
    if state.proofs.get(&name, now).is_some() {
        return Err(invalid("it has been used before"));
    }
    Ok(state.proofs.insert(name, (), now + REMEMBERED, now)?)
}

const fn invalid(description: &'static str) -> Refusal {
    Refusal::new("invalid_dpop_proof", description)
}
