//! What the benches share: a bare service, servers around it, requests, one-poll driving, timing.

// Each bench uses a part of it.
#![allow(dead_code, unused_imports, reason = "shared by several benches")]

pub(crate) mod measure;
mod request;
mod server;
mod service;
mod signature;
pub(crate) mod spread;
pub(crate) mod together;

pub(crate) use self::request::{request, taken_apart, tool_call};
pub(crate) use self::server::{busy, issuer, layered, server};
pub(crate) use self::service::{Bare, Body, OneExtension, drive};
#[cfg(feature = "aws-lc-rs")]
pub(crate) use self::signature::parsed_key;
pub(crate) use self::signature::{decoding_key, verifier};
