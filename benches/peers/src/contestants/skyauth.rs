//! skyauth: its Tower layer over its validator of JWT access tokens, with its own replay cache.

use std::sync::Arc;

use skyauth::dpop::{DPoPVerifier, JwkEc};
use skyauth::integrations::JwtAccessTokenValidator;
use skyauth::integrations::tower::OAuthAuthLayer;
use tokio::runtime::Runtime;
use tower_layer::Layer;

use super::{Demand, MISSING};
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};
use crate::{Body, ISSUER, RESOURCE};

/// The layer; it takes DPoP alone, and ES256 alone.
#[must_use]
pub fn build(authority: &Authority, _: &Runtime, demand: Demand) -> Option<Box<dyn Contestant>> {
    let key: JwkEc = serde_json::from_value(authority.jwk()).expect("an EC key");
    let key = key.to_verifying_key().expect("a point of the curve");
    let validator = JwtAccessTokenValidator::new()
        .with_trusted_key("bench", key)
        .with_expected_issuer(ISSUER)
        .with_expected_audience(RESOURCE);
    let validator = match demand {
        Demand::Valid => validator,
        Demand::Scope => validator.with_required_scope(MISSING),
    };
    let layer = OAuthAuthLayer::from_jwt_validator(Arc::new(DPoPVerifier::new()), validator)
        .with_htu_override(|uri| format!("{RESOURCE}{}", uri.path()));
    Some(Box::new(Served(layer.layer(Bare::<Body>::new()))))
}
