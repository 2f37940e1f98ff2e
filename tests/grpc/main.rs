//! gRPC: answers in its own form, to a real tonic client and to raw frames.
#![cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]

mod calls;
mod certificates;
#[allow(dead_code, reason = "shared with another test program")]
#[path = "../it/dpop/bed.rs"]
mod dpop;
mod expiry;
mod form;
mod frames;
mod kinds;
mod methods;
mod service;
mod statuses;
#[allow(dead_code, reason = "shared with another test program")]
#[path = "../it/support.rs"]
mod support;
#[allow(dead_code, reason = "shared with another test program")]
#[path = "../it/dpop/verdicts.rs"]
mod verdicts;
#[allow(dead_code, reason = "shared with another test program")]
#[path = "../it/ways.rs"]
mod ways;
mod web;
mod wire;
