//! The states whose memory is measured, and how each is reached.

use std::ops::Range;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_resource_server::{Algorithm, Clock};

use crate::fill::{self, PROOF_LIFE};
use crate::process::tell;
use crate::server::{self, Served};
use crate::support::issuer;

const DEFAULT_TOKEN_BYTES: u64 = 16 << 20;
const DEFAULT_PROOF_BYTES: usize = 64 << 20;
const TOKENS: u64 = 100_000;
const PROOFS: u64 = 10_000_000;
/// A token lives for five minutes, and is known as expired for some time more.
const LONG_AFTER: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy)]
pub(crate) enum State {
    Unprotected,
    Rest,
    Tokens,
    BoundTokens,
    FullCache,
    Proofs,
}

impl State {
    pub(crate) const ALL: [Self; 6] = [
        Self::Unprotected,
        Self::Rest,
        Self::Tokens,
        Self::BoundTokens,
        Self::FullCache,
        Self::Proofs,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unprotected => "unprotected",
            Self::Rest => "rest",
            Self::Tokens => "tokens",
            Self::BoundTokens => "bound-tokens",
            Self::FullCache => "full-cache",
            Self::Proofs => "proofs",
        }
    }

    /// Reaches the state in this process, with that share of the entries, and tells each step.
    pub(crate) fn reach(self, share: u64) {
        match self {
            Self::Unprotected => {
                server::unprotected();
                tell("server without the layer, at rest", 0, 0);
            }
            Self::Rest => {
                let _served = Served::start(DEFAULT_TOKEN_BYTES, DEFAULT_PROOF_BYTES);
                tell("server with the layer and its defaults, at rest", 0, 0);
            }
            Self::Tokens => tokens(TOKENS / share, 0, fill::tokens),
            // Their header and key are remembered with them.
            Self::BoundTokens => tokens(TOKENS / 5 / share, 512 + 768, fill::bound_tokens),
            Self::FullCache => full_cache(TOKENS / 3 / share, DEFAULT_TOKEN_BYTES / share),
            Self::Proofs => proofs(PROOFS / share),
        }
    }
}

/// What an entry of the token cache counts, by the documentation of `token_cache_bytes`.
fn counted(token: &str, more: u64) -> u64 {
    let claims = token.split('.').nth(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
    512 + 2 * claims.map_or(0, |claims| claims.len() as u64) + more
}

/// A cache with room for them all: its parts are not filled evenly, so a quarter more.
fn tokens(count: u64, more: u64, fill: fn(&Served, Range<u64>)) {
    let budget = counted(&fill::token(&issuer(Algorithm::Ed25519), 0).build(), more);
    let served = Served::start(count * budget * 5 / 4, DEFAULT_PROOF_BYTES);
    tell("at rest", 0, 0);
    fill(&served, 0..count);
    tell("filled", count, budget);
    // As many as the cache has parts, and some more.
    after_expiry(&served, count, count / 50, fill);
}

/// Many more tokens than there is room for.
fn full_cache(count: u64, bytes: u64) {
    let served = Served::start(bytes, DEFAULT_PROOF_BYTES);
    tell("at rest", 0, 0);
    fill::tokens(&served, 0..count);
    tell(&format!("{count} tokens through {} KiB", bytes >> 10), 0, 0);
    after_expiry(&served, count, count / 100, fill::tokens);
}

fn proofs(count: u64) {
    // A store carries seven live records in sixteen slots of 16 bytes each; a tenth more.
    let bytes = usize::try_from(count * 16 / 7 * 16 / 10 * 11).expect("it fits into memory");
    let served = Served::start(DEFAULT_TOKEN_BYTES, bytes);
    tell("at rest", 0, 0);
    fill::proofs(&served, 0..count, PROOF_LIFE / 10);
    assert_eq!(served.replay.len(served.clock.now()) as u64, count, "all of them are live");
    tell("filled", count, 40);
    after_expiry(&served, count, count / 1000, |served, numbers| {
        fill::proofs(served, numbers, Duration::from_secs(60));
    });
}

/// Everything has expired, then some are new, and again: what was allocated among those that have
/// expired can pin them.
fn after_expiry(served: &Served, used: u64, new: u64, fill: impl Fn(&Served, Range<u64>)) {
    served.clock.advance(LONG_AFTER);
    served.ask();
    tell("all expired, nothing new since", 0, 0);
    for round in 0..3 {
        served.clock.advance(LONG_AFTER);
        let first = used + round * new;
        fill(served, first..first + new);
        tell("all expired, some new", new, 0);
    }
}
