//! jwt-authorizer: a static key set; issuer, audience, expiry and `nbf` are checked.

use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, Validation};
use serde::Deserialize;
use tokio::runtime::Runtime;
use tower_layer::Layer;

use super::{Demand, MISSING};
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};
use crate::{ISSUER, RESOURCE};

/// What an application would read of a token.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    /// Who the token is about.
    pub sub: String,
    /// What it allows.
    pub scope: String,
}

/// The layer, around a service that answers with the body of axum 0.7, which it needs.
#[must_use]
pub fn build(
    authority: &Authority,
    runtime: &Runtime,
    demand: Demand,
) -> Option<Box<dyn Contestant>> {
    let validation = Validation::new().iss(&[ISSUER]).aud(&[RESOURCE]).nbf(true);
    let builder = JwtAuthorizer::<Claims>::from_jwks_text(&authority.jwks()).validation(validation);
    let builder = match demand {
        Demand::Valid => builder,
        Demand::Scope => builder.check(|claims| claims.scope.split(' ').any(|s| s == MISSING)),
    };
    let authorizer: Authorizer<Claims> = runtime.block_on(builder.build()).expect("a good key set");
    let bare = Bare::<axum07::body::Body>::new();
    Some(Box::new(Served(authorizer.into_layer().layer(bare))))
}
