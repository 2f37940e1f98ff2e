//! The crate from outside, by topic. `// ID` comments name rows of the requirements matrix.
#![cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]

mod audience;
mod axum;
mod bad_input;
mod bearer;
mod bodies;
mod caching;
mod catalogue;
mod challenges;
mod config;
mod confirmation;
mod cors;
mod dpop;
mod dpop_algorithms;
mod dpop_bed;
mod dpop_binding;
mod dpop_bytes;
mod dpop_challenges;
mod dpop_clock;
mod dpop_cors;
mod dpop_flaws;
mod dpop_htu;
mod dpop_keys;
mod dpop_memory;
mod dpop_nonce_issuers;
mod dpop_nonce_modes;
mod dpop_nonces;
mod dpop_precedence;
mod dpop_proofs;
mod dpop_proxies;
mod dpop_races;
mod dpop_records;
mod dpop_replay;
mod dpop_settings;
mod dpop_slow_stores;
mod dpop_stores;
mod dpop_waits;
mod dpop_wire;
mod form;
mod hooks;
mod http_framework;
mod jose;
mod jwt;
mod jwt_practices;
mod keys;
mod layering;
mod metadata;
mod metadata_dpop;
mod oauth21;
mod observability;
mod possession;
mod proof_keys;
mod redaction;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_claims;
#[cfg(feature = "redis")]
mod redis_cluster;
#[cfg(feature = "redis")]
mod redis_losses;
#[cfg(feature = "redis")]
mod redis_outages;
#[cfg(feature = "redis")]
mod redis_server;
mod requirements;
mod review_findings;
mod security;
mod servers;
mod support;
mod tower_contract;
mod vectors;
mod ways;
