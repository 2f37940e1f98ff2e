//! How proofs of possession are judged (DPoP, RFC 9449), by those options.

use std::error::Error;

use tower_resource_server::{Dpop, RedisReplayStore, SealedNonces};

use super::cli::Options;

/// Where the secret of the nonces comes from. A command line would show it to everyone on the
/// machine.
const SECRET: &str = "NONCE_SECRET";

/// The issuer of nonces, where they are required.
pub(crate) fn nonces(options: &Options) -> Result<Option<SealedNonces>, Box<dyn Error>> {
    if !options.nonce {
        return Ok(None);
    }
    if let Some(secret) = std::env::var_os(SECRET) {
        let nonces = SealedNonces::with_secret(secret.as_encoded_bytes());
        return Ok(Some(nonces.map_err(|error| format!("{SECRET}: {error}"))?));
    }
    if options.redis.is_some() {
        tracing::warn!("without {SECRET} no other server accepts the nonces of this one");
    }
    Ok(Some(SealedNonces::random()))
}

pub(crate) fn settings(
    options: &Options,
    nonces: Option<SealedNonces>,
) -> Result<Dpop, Box<dyn Error>> {
    let dpop = match nonces {
        Some(nonces) => Dpop::new().nonces(nonces),
        None => Dpop::new(),
    };
    match &options.redis {
        Some(url) => with_redis(dpop, url),
        None => Ok(dpop),
    }
}

fn with_redis(dpop: Dpop, url: &str) -> Result<Dpop, Box<dyn Error>> {
    Ok(dpop.replay_store(RedisReplayStore::new(url)?))
}
