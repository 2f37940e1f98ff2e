//! DPoP (RFC 9449), by topic: proofs, bindings, nonces, stores, challenges.

mod bed;
mod verdicts;

mod algorithms;
mod binding;
mod bytes;
mod challenges;
mod clock;
mod cors;
mod flaws;
mod htu;
mod key_kinds;
mod keys;
mod memory;
mod metadata;
mod nonce_issuers;
mod nonce_modes;
mod nonces;
mod precedence;
mod proofs;
mod proxies;
mod races;
mod records;
mod replay;
mod settings;
mod slow_stores;
mod stores;
mod waits;
mod wire;

pub(crate) use bed::{Client, DpopBed, Ledger, URI, dpop, proven, with_proof, with_proofs};
pub(crate) use verdicts::{ALGS, is_nonce};
