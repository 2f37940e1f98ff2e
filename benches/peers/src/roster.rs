//! Who takes part in what.

use tokio::runtime::Runtime;

use crate::Body;
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};
use crate::contestants::{
    Build, Demand, axum_oidc_layer, dpop_verifier, huskarl, jwt_authorizer, oauth_resource_server,
    ours, skyauth, tower_oauth2, turbomcp,
};
use crate::floor;

/// One row of the tables.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Crate and version.
    pub name: String,
    /// Whose signatures it uses.
    pub signatures: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Makes one.
    pub build: Build,
}

/// What a row stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A crate around the service.
    Layer,
    /// The service without any.
    Bare,
    /// No service, only the signature.
    Signature,
}

/// The service without any layer.
#[must_use]
pub fn bare() -> Entry {
    let name = "bare service".to_owned();
    Entry { name, signatures: "none", kind: Kind::Bare, build: without_layer }
}

fn without_layer(_: &Authority, _: &Runtime, _: Demand) -> Option<Box<dyn Contestant>> {
    Some(Box::new(Served(Bare::<Body>::new())))
}

/// Bearer tokens. What depends on the process's default backend is with aws-lc-rs here.
#[must_use]
pub fn bearer() -> Vec<Entry> {
    vec![
        entry("tower-resource-server", "aws-lc-rs", ours::aws_lc_rs),
        entry("tower-resource-server", "RustCrypto", ours::rust_crypto),
        entry("tower-oauth2-resource-server", "aws-lc-rs", tower_oauth2::build),
        entry("jwt-authorizer", "ring", jwt_authorizer::build),
        entry("oauth-resource-server", "ring", oauth_resource_server::build),
        entry("huskarl-axum", "RustCrypto", huskarl::build),
        entry("axum-oidc-layer", "ring", axum_oidc_layer::build),
        entry("turbomcp-auth", "aws-lc-rs", turbomcp::build),
    ]
}

/// What is left for a process whose default backend is RustCrypto.
#[must_use]
pub fn bearer_with_rust_crypto() -> Vec<Entry> {
    vec![entry("tower-oauth2-resource-server", "RustCrypto", tower_oauth2::build)]
}

/// DPoP.
#[must_use]
pub fn dpop() -> Vec<Entry> {
    vec![
        entry("tower-resource-server", "aws-lc-rs", ours::aws_lc_rs),
        entry("tower-resource-server", "RustCrypto", ours::rust_crypto),
        entry("huskarl-axum", "RustCrypto", huskarl::build),
        entry("skyauth", "RustCrypto", skyauth::build),
        entry("dpop-verifier", "RustCrypto", dpop_verifier::build),
    ]
}

/// The signature alone, by each backend.
#[must_use]
pub fn floors() -> Vec<Entry> {
    let floor = |signatures, build| {
        let name = "signature alone".to_owned();
        Entry { name, signatures, kind: Kind::Signature, build }
    };
    vec![
        floor("aws-lc-rs", floor::aws_lc_rs as Build),
        floor("ring", floor::ring),
        floor("RustCrypto", floor::rust_crypto),
    ]
}

fn entry(name: &str, signatures: &'static str, build: Build) -> Entry {
    let name = format!("{name} {}", version(name));
    Entry { name, signatures, kind: Kind::Layer, build }
}

/// The version that is compiled in.
///
/// # Panics
///
/// If the lock file does not have the crate.
#[must_use]
pub fn version(name: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).expect("locked");
    rest.split_once('"').expect("a closing quote").0
}
