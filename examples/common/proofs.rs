//! How proofs of possession are judged (DPoP, RFC 9449), by those options.

use std::error::Error;

use tower_resource_server::{Dpop, SealedNonces};

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
        let problem = "--nonce with --redis needs a secret that all servers share, as 32 random \
                       bytes or more in the environment variable";
        return Err(format!("{problem} {SECRET}").into());
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

#[cfg(feature = "redis")]
fn with_redis(dpop: Dpop, url: &str) -> Result<Dpop, Box<dyn Error>> {
    Ok(dpop.replay_store(tower_resource_server::RedisReplayStore::new(url)?))
}

/// The command line was refused before.
#[cfg(not(feature = "redis"))]
fn with_redis(_: Dpop, _: &str) -> Result<Dpop, Box<dyn Error>> {
    Err("--redis needs the feature redis".into())
}
