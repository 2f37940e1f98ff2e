//! What goes along with a call: nothing, a token, or a token and a proof.

use std::error::Error;

use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::cli::{Options, Present};
use crate::exchange::Http;
use crate::proof::{self, ProofKey};
use crate::token;

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
                let token = token::bound(&Http::new(), &key, token_endpoint, scope).await?;
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
