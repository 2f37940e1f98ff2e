//! oauth-resource-server: `HttpAuthLayer`, with the check of `typ` on.

use std::sync::Arc;

use oauth_resource_server::http_layer::HttpAuthLayer;
use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator};
use tokio::runtime::Runtime;
use tower_layer::Layer;

use super::{Demand, MISSING};
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};
use crate::{Body, ISSUER, RESOURCE};

/// The layer; its keys are there from the beginning.
#[must_use]
pub fn build(authority: &Authority, _: &Runtime, demand: Demand) -> Option<Box<dyn Contestant>> {
    let config = config(authority, demand).resolve(KeyNaming::Dotted("oauth"));
    let config = config.expect("the bench is configured right").expect("it is enabled");
    let validator = OAuthValidator::builder(&config).initial_jwks(&authority.jwks()).build();
    let validator = Arc::new(validator.expect("a good key set"));
    let layer = HttpAuthLayer::builder().oauth(validator).build().expect("a credential is set");
    Some(Box::new(Served(layer.layer(Bare::<Body>::new()))))
}

fn config(authority: &Authority, demand: Demand) -> OAuthConfig {
    OAuthConfig {
        enabled: true,
        issuer: ISSUER.to_owned(),
        jwks_uri: Some(authority.jwks_uri()),
        audience: RESOURCE.to_owned(),
        resource: RESOURCE.to_owned(),
        algorithms: vec!["RS256".to_owned(), "ES256".to_owned()],
        require_at_jwt: true,
        required_scope: (demand == Demand::Scope).then(|| MISSING.to_owned()),
        allow_unscoped_tokens: demand == Demand::Valid,
        ..OAuthConfig::default()
    }
}
