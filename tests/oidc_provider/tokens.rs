//! Tokens of the client credentials grant.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tower_resource_server::{Issuer, RejectionKind};

use crate::api::{Api, RESOURCE};
use crate::provider::Provider;

#[tokio::test]
async fn a_jwt_for_this_resource_is_accepted_and_its_claims_are_there() {
    let Some(provider) = Provider::start().await else { return };
    let api = Api::new(RESOURCE, trusted(&provider));
    let token = provider.token(RESOURCE).await;
    let grant = api.bearer(&token).await.expect("the token is good");
    // RFC 9068 §2.1.
    assert_eq!(header_of(&token)["typ"], "at+jwt");
    assert_eq!(grant.issuer(), provider.issuer);
    assert_eq!((grant.subject(), grant.client_id()), (Some("app"), Some("app")));
    assert_eq!(grant.scopes().collect::<Vec<_>>(), ["read"]);

    let other = provider.token("https://other-api.example.com").await;
    assert_eq!(api.bearer(&other).await.unwrap_err(), RejectionKind::WrongAudience);
}

/// It has its metadata at the second place that is looked at, and its key set has the content type
/// that RFC 7517 §8.5 names.
#[tokio::test]
async fn metadata_and_keys_are_fetched_once() {
    let Some(provider) = Provider::start().await else { return };
    let api = Api::new(RESOURCE, trusted(&provider));
    let token = provider.token(RESOURCE).await;
    for _ in 0..10 {
        api.bearer(&token).await.expect("the token is good");
    }
    for path in
        ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/jwks"]
    {
        assert_eq!(provider.count(path).await, 1, "{path}");
    }
}

#[tokio::test]
async fn tokens_of_another_server_of_its_kind_are_refused() {
    let (Some(one), Some(two)) = (Provider::start().await, Provider::start().await) else { return };
    let api = Api::new(RESOURCE, trusted(&one));
    let foreign = two.token(RESOURCE).await;
    assert_eq!(api.bearer(&foreign).await.unwrap_err(), RejectionKind::UntrustedIssuer);
    let confused = Issuer::jwks_uri(&two.issuer, one.url("/jwks"));
    let api = Api::new(RESOURCE, confused);
    assert_eq!(api.bearer(&foreign).await.unwrap_err(), RejectionKind::UnknownKey);
}

pub(crate) fn trusted(provider: &Provider) -> Issuer {
    Issuer::discover(&provider.issuer)
}

/// The header of a signed token.
pub(crate) fn header_of(token: &str) -> Value {
    let header = token.split('.').next().expect("a header");
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
    serde_json::from_slice(&header).expect("JSON")
}
