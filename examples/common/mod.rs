//! What the example servers share: command line, embedded issuer, server, curl lines.

pub(crate) mod answers;
pub(crate) mod cli;
pub(crate) mod demands;
mod dpop;
pub(crate) mod ending;
pub(crate) mod issuer;
mod process;
mod proofs;
mod server;
pub(crate) mod start;
mod token_endpoint;
pub(crate) mod walkthrough;

#[allow(
    unused_imports,
    reason = "not every server accepts connections itself, or leaves it to others"
)]
pub(crate) use self::process::{GRACE, accept, listen, log, stop_signal, with_grace};
