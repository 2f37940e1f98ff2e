//! What goes along with a call: nothing, a token, or a token and a proof.

use std::error::Error;

use http::{Request, header};
use http_body_util::Full;
use serde_json::Value;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::cli::{Options, Present};
use crate::exchange::Http;
use crate::proof::{self, ProofKey};

pub(crate) enum Credentials {
    None,
    Bearer(String),
    Dpop(Box<Bound>),
}

/// A token that is bound to a key (RFC 9449).
pub(crate) struct Bound {
    key: ProofKey,
    token: String,
    /// What proofs say before the path.
    url: String,
    /// The newest that the server gave.
    nonce: Option<String>,
}

impl Credentials {
    pub(crate) async fn get(options: &Options) -> Result<Self, Box<dyn Error>> {
        Ok(match &options.present {
            Present::Nothing => Self::None,
            Present::Token(token) => Self::Bearer(token.clone()),
            Present::Proofs { token_endpoint, scope } => {
                let key = ProofKey::generate();
                let token = bound_token(&key, token_endpoint, scope).await?;
                let url = options.url.trim_end_matches('/').to_owned();
                Self::Dpop(Box::new(Bound { key, token, url, nonce: None }))
            }
        })
    }

    /// For one call: a proof is good once. The method is always POST (RFC 9449 §4.2, `htm`).
    pub(crate) fn metadata(&self, path: &str) -> Result<MetadataMap, Box<dyn Error>> {
        let mut metadata = MetadataMap::new();
        match self {
            Self::None => {}
            Self::Bearer(token) => {
                metadata.insert("authorization", sensitive(&format!("Bearer {token}"))?);
            }
            Self::Dpop(bound) => {
                let (uri, nonce) = (format!("{}{path}", bound.url), bound.nonce.as_deref());
                let (method, token) = ("POST", Some(&*bound.token));
                let proof = bound.key.proof(&proof::Request { method, uri: &uri, token, nonce });
                metadata.insert("authorization", sensitive(&format!("DPoP {}", bound.token))?);
                metadata.insert("dpop", sensitive(&proof)?);
            }
        }
        Ok(metadata)
    }

    /// Takes the nonce that a refusal asks for (RFC 9449 §9), if it is one it had not.
    pub(crate) fn learn(&mut self, status: &Status) -> bool {
        let Self::Dpop(bound) = self else { return false };
        let challenges = status.metadata().get_all("www-authenticate").iter();
        let mut challenges = challenges.filter_map(|value| value.to_str().ok());
        let wanted = challenges.any(|challenge| challenge.contains("error=\"use_dpop_nonce\""));
        let nonce = status.metadata().get("dpop-nonce").and_then(|nonce| nonce.to_str().ok());
        let asks = status.code() == Code::Unauthenticated && wanted && bound.nonce.is_none();
        if asks {
            bound.nonce = nonce.map(str::to_owned);
        }
        asks && nonce.is_some()
    }
}

fn sensitive(text: &str) -> Result<MetadataValue<Ascii>, Box<dyn Error>> {
    let mut value: MetadataValue<Ascii> =
        text.parse().map_err(|_| "a token is of visible ASCII characters")?;
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 9449 §5: the proof names the key that the token is to be bound to.
async fn bound_token(key: &ProofKey, uri: &str, scope: &str) -> Result<String, Box<dyn Error>> {
    println!("# A token bound to the key of this proof");
    let proof = key.proof(&proof::Request { method: "POST", uri, token: None, nonce: None });
    let form = format!("grant_type=client_credentials&scope={}", scope.replace(' ', "+"));
    let request = Request::post(uri)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("dpop", proof)
        .body(Full::from(form))?;
    let answer = Http::new().send(request).await?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    println!();
    let kind = body["token_type"].as_str().unwrap_or_default();
    match body["access_token"].as_str() {
        Some(token) if answer.status.is_success() && kind.eq_ignore_ascii_case("dpop") => {
            Ok(token.to_owned())
        }
        // Another type would be a token that is not bound, whatever was asked for.
        _ => Err("the token endpoint gives no token bound to the key".into()),
    }
}
