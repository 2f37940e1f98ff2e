//! Opaque tokens, that the server is asked about (RFC 7662).

use std::time::Duration;

use tower_resource_server::testing::{DpopClient, SigningKey};
use tower_resource_server::{
    Algorithm, ClientAuthentication, Introspection, Issuer, PrivateKey, RejectionKind,
};

use crate::api::{Api, RESOURCE};
use crate::provider::{OPAQUE, Provider, SECRET};

const INTROSPECTION: &str = "/token/introspection";

fn secret() -> ClientAuthentication {
    ClientAuthentication::client_secret_basic("api", SECRET)
}

fn asking(provider: &Provider, authentication: ClientAuthentication) -> Introspection {
    Introspection::at(provider.url(INTROSPECTION), authentication)
}

fn api(provider: &Provider, introspection: Introspection) -> Api {
    Api::new(OPAQUE, Issuer::introspection(&provider.issuer, introspection))
}

#[tokio::test]
async fn what_it_says_of_a_token_is_granted_and_remembered() {
    let Some(provider) = Provider::start().await else { return };
    let api = api(&provider, asking(&provider, secret()));
    let token = provider.token(OPAQUE).await;
    for _ in 0..10 {
        let grant = api.bearer(&token).await.expect("the token is active");
        assert_eq!((grant.issuer(), grant.client_id()), (&*provider.issuer, Some("app")));
        assert_eq!((grant.subject(), grant.scopes().collect()), (None, vec!["read"]));
    }
    assert_eq!(provider.count(INTROSPECTION).await, 1);
    let unknown = api.bearer("never-issued").await;
    assert_eq!(unknown.unwrap_err(), RejectionKind::InactiveToken);
}

#[tokio::test]
async fn it_knows_this_server_by_each_kind_of_authentication() {
    let Some(provider) = Provider::start().await else { return };
    let token = provider.token(OPAQUE).await;
    let key = PrivateKey::from_jwk(provider.client_key().await.as_bytes()).expect("a key");
    for authentication in [
        secret(),
        ClientAuthentication::client_secret_post("api-post", SECRET),
        ClientAuthentication::private_key_jwt("api-key", key),
    ] {
        let name = format!("{authentication:?}");
        let grant = api(&provider, asking(&provider, authentication)).bearer(&token).await;
        assert!(grant.is_ok(), "{name}: {grant:?}");
    }
    let wrong = ClientAuthentication::client_secret_basic("api", "another secret");
    let refused = api(&provider, asking(&provider, wrong)).bearer(&token).await;
    assert_eq!(refused.unwrap_err(), RejectionKind::IntrospectionUnavailable);
}

/// RFC 7009.
#[tokio::test]
async fn a_revoked_token_is_refused_as_soon_as_nothing_is_remembered() {
    let Some(provider) = Provider::start().await else { return };
    let [remembering, asking] = [Duration::from_secs(60), Duration::ZERO]
        .map(|time| api(&provider, asking(&provider, secret()).cache_for(time)));
    let token = provider.token(OPAQUE).await;
    for api in [&remembering, &asking] {
        api.bearer(&token).await.expect("the token is active");
    }
    provider.revoke(&token).await;
    assert_eq!(asking.bearer(&token).await.unwrap_err(), RejectionKind::InactiveToken);
    remembering.bearer(&token).await.expect("its answer is remembered");
    remembering.clock.advance(Duration::from_secs(61));
    assert_eq!(remembering.bearer(&token).await.unwrap_err(), RejectionKind::InactiveToken);
}

/// RFC 9701.
#[tokio::test]
async fn its_signature_vouches_for_what_it_says() {
    let Some(provider) = Provider::start().await else { return };
    // The provider's clock is the real one, so nothing is remembered until later.
    let introspection = asking(&provider, secret()).cache_for(Duration::ZERO);
    let introspection = introspection.signed_answers([Algorithm::ES256]);
    let issuer = Issuer::discover(&provider.issuer).introspect(introspection);
    let api = Api::new(OPAQUE, issuer);
    let token = provider.token(OPAQUE).await;
    let grant = api.bearer(&token).await.expect("the token is active");
    assert_eq!(grant.client_id(), Some("app"));
    provider.revoke(&token).await;
    assert_eq!(api.bearer(&token).await.unwrap_err(), RejectionKind::InactiveToken);
}

/// RFC 9449 §6.2.
#[tokio::test]
async fn a_token_that_it_calls_bound_needs_its_proof() {
    let Some(provider) = Provider::start().await else { return };
    let api = api(&provider, asking(&provider, secret()));
    let key = SigningKey::generate(Algorithm::ES256);
    let token = provider.bound_token(OPAQUE, &key).await;
    let client = |key| DpopClient::new(key, token.as_str()).base(OPAQUE);
    let grant = api.call(&mut client(key)).await.expect("token and proof are good");
    assert_eq!(grant.binding().name(), "dpop");
    let stolen = api.call(&mut client(SigningKey::generate(Algorithm::ES256))).await;
    assert_eq!(stolen.unwrap_err(), RejectionKind::ProofKeyMismatch);
    assert_eq!(api.bearer(&token).await.unwrap_err(), RejectionKind::BoundTokenAsBearer);
}

/// One look at its metadata finds keys and endpoint.
#[tokio::test]
async fn both_kinds_of_token_may_come_from_one_issuer() {
    let Some(provider) = Provider::start().await else { return };
    let secret = ClientAuthentication::client_secret("api", SECRET);
    let introspection = Introspection::discovered(secret);
    let issuer = Issuer::discover(&provider.issuer).introspect(introspection).audience(RESOURCE);
    let api = Api::new(OPAQUE, issuer.audience(OPAQUE));
    for resource in [OPAQUE, RESOURCE] {
        api.bearer(&provider.token(resource).await).await.expect("the token is good");
    }
    for path in ["/.well-known/openid-configuration", "/jwks", INTROSPECTION] {
        assert_eq!(provider.count(path).await, 1, "{path}");
    }
}
