//! tower-oauth2-resource-server: a static key set; issuer, audience and expiry are checked.
//!
//! `ClaimsValidationSpec::recommended` would demand `nbf` of every token, which RFC 9068 does not
//! ask for; the crate itself asks for it only where discovery says that the issuer sets it.

use tokio::runtime::Runtime;
use tower_layer::Layer;
use tower_oauth2_resource_server::claims::DefaultClaims;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

use super::Demand;
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};
use crate::{Body, ISSUER, RESOURCE};

/// The layer. Scopes are left to the application.
#[must_use]
pub fn build(
    authority: &Authority,
    runtime: &Runtime,
    demand: Demand,
) -> Option<Box<dyn Contestant>> {
    if demand == Demand::Scope {
        return None;
    }
    let audience = vec![RESOURCE.to_owned()];
    let tenant = TenantConfiguration::static_builder(authority.jwks())
        .claims_validation(ClaimsValidationSpec::new().iss(ISSUER).exp(true).aud(&audience))
        .build()
        .expect("a good key set");
    let server = OAuth2ResourceServer::<DefaultClaims>::builder().add_tenant(tenant).build();
    let server = runtime.block_on(server).expect("the bench is configured right");
    Some(Box::new(Served(server.into_layer::<Body>().layer(Bare::<Body>::new()))))
}
