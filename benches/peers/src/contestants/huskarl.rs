//! huskarl-axum over huskarl-resource-server: its RFC 9068 validator, with a replay check.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use huskarl_axum::layers::ValidatorLayer;
use huskarl_resource_server::core::Error;
use huskarl_resource_server::core::http::{HttpClient, HttpResponse, Idempotency};
use huskarl_resource_server::core::platform::MaybeSendBoxFuture;
use huskarl_resource_server::validator::rfc9068::Rfc9068Validator;
use tokio::runtime::Runtime;
use tower_layer::Layer;

use super::{Demand, MISSING};
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};
use crate::replay::Used;
use crate::{Body, ISSUER, RESOURCE};

/// Gives the key set without a network.
struct Keys(Bytes);

impl HttpClient for Keys {
    fn execute(
        &self,
        _: Request<Bytes>,
        _: Idempotency,
    ) -> MaybeSendBoxFuture<'_, Result<HttpResponse, Error>> {
        let body = self.0.clone();
        let response = HttpResponse { status: StatusCode::OK, headers: HeaderMap::new(), body };
        Box::pin(std::future::ready(Ok(response)))
    }
}

/// The layer; it takes Bearer tokens and DPoP.
#[must_use]
pub fn build(
    authority: &Authority,
    runtime: &Runtime,
    demand: Demand,
) -> Option<Box<dyn Contestant>> {
    let validator = Rfc9068Validator::builder()
        .issuer(ISSUER)
        .audience(RESOURCE)
        .jwks_uri("https://as.example.com/jwks".parse().expect("a URI"))
        .jwks_source(Keys(authority.jwks().into()))
        .dpop_jti_checker(Used::<String>::default())
        .allowed_dpop_signing_algorithms(vec!["ES256".to_owned()])
        .resource_metadata("https://api.example.com/.well-known/oauth-protected-resource")
        .build();
    let validator: Rfc9068Validator = runtime.block_on(validator).expect("a good key set");
    let layer = ValidatorLayer::builder().validator(validator);
    let layer = layer.base_url(RESOURCE).expect("a base URL").build();
    let bare = Bare::<Body>::new();
    Some(match demand {
        Demand::Valid => Box::new(Served(layer.authenticated().layer(bare))),
        Demand::Scope => Box::new(Served(layer.require_scopes([MISSING]).layer(bare))),
    })
}
