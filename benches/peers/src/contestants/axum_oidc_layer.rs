//! axum-oidc-layer: discovery over loopback, its own in-memory cache; the audience is checked.

use axum_oidc_layer::{AuthenticationConfigProvider, Claims, OidcAuthenticationLayer};
use tokio::runtime::Runtime;
use tower_layer::Layer;

use super::Demand;
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};
use crate::{Body, ISSUER, RESOURCE};

/// Where the crate finds the issuer.
#[derive(Clone)]
struct Config {
    discovery: String,
}

impl AuthenticationConfigProvider for Config {
    fn get_provider_url(&self) -> String {
        ISSUER.to_owned()
    }

    fn get_openid_configuration_url(&self) -> Option<String> {
        Some(self.discovery.clone())
    }

    fn get_expected_audience(&self) -> Option<Vec<String>> {
        Some(vec![RESOURCE.to_owned()])
    }
}

/// The layer. It fetches keys with the first request that has a token. Scopes are left to the
/// application.
#[must_use]
pub fn build(authority: &Authority, _: &Runtime, demand: Demand) -> Option<Box<dyn Contestant>> {
    if demand == Demand::Scope {
        return None;
    }
    let config = Config { discovery: authority.discovery_uri() };
    let layer = OidcAuthenticationLayer::<Config, Claims>::new(config);
    Some(Box::new(Served(layer.layer(Bare::<Body>::new()))))
}
