//! tower-resource-server: the default configuration.

use tokio::runtime::Runtime;
use tower_layer::Layer;
use tower_resource_server::{CryptoBackend, ResourceServer, Scopes};

use super::{Demand, MISSING};
use crate::RESOURCE;
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};

/// With aws-lc-rs, as it comes.
#[must_use]
pub fn aws_lc_rs(
    authority: &Authority,
    _: &Runtime,
    demand: Demand,
) -> Option<Box<dyn Contestant>> {
    Some(build(authority, demand, CryptoBackend::AwsLcRs))
}

/// With RustCrypto.
#[must_use]
pub fn rust_crypto(
    authority: &Authority,
    _: &Runtime,
    demand: Demand,
) -> Option<Box<dyn Contestant>> {
    Some(build(authority, demand, CryptoBackend::RustCrypto))
}

fn build(authority: &Authority, demand: Demand, backend: CryptoBackend) -> Box<dyn Contestant> {
    let builder = authority.issuer().resource_server(RESOURCE).crypto_backend(backend);
    around(&builder.build().expect("the bench is configured right"), demand)
}

fn around(server: &ResourceServer, demand: Demand) -> Box<dyn Contestant> {
    let bare: Bare = Bare::new();
    match demand {
        Demand::Valid => Box::new(Served(server.authenticate().layer(bare))),
        Demand::Scope => {
            let inner = server.require(Scopes::all([MISSING])).layer(bare);
            Box::new(Served(server.authenticate().layer(inner)))
        }
    }
}
