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
mod details;
mod discovery;
mod dpop;
mod fapi2;
mod form;
mod gateway;
mod health;
mod hooks;
mod http_framework;
mod introspection;
mod jose;
mod jwt;
mod jwt_practices;
mod keys;
mod layering;
mod metadata;
mod mtls;
mod oauth21;
mod observability;
mod outage;
mod profiles;
mod redaction;
#[cfg(feature = "redis")]
mod redis;
mod requirements;
mod resolver;
mod revocation;
mod security;
mod servers;
mod support;
mod tower_contract;
mod vectors;
mod ways;
