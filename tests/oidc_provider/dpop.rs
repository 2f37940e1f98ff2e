//! Tokens bound to a key (RFC 9449).

use http::Request;
use tower_resource_server::testing::{DpopClient, SigningKey};
use tower_resource_server::{Algorithm, Dpop, RejectionKind, SealedNonces};

use crate::api::{Api, RESOURCE};
use crate::provider::Provider;
use crate::tokens::trusted;

#[tokio::test]
async fn a_bound_token_goes_with_its_proofs_alone() {
    let Some(provider) = Provider::start().await else { return };
    let api = Api::with(RESOURCE, trusted(&provider), |builder| {
        builder.dpop(Dpop::new().nonces(SealedNonces::random()))
    });
    let key = SigningKey::generate(Algorithm::ES256);
    let token = provider.bound_token(RESOURCE, &key).await;
    let mut client = DpopClient::new(key, token.as_str());
    let grant = api.call(&mut client).await.expect("token and proof are good");
    assert_eq!(grant.binding().name(), "dpop");

    let request = || Request::get("/r").body(()).expect("a request");
    let proof = client.proof(&request());
    api.send(proof.authorize(request())).await.expect("a new proof");
    let replayed = api.send(proof.authorize(request())).await;
    assert_eq!(replayed.unwrap_err(), RejectionKind::ReplayedProof);
    assert_eq!(api.bearer(&token).await.unwrap_err(), RejectionKind::BoundTokenAsBearer);
    let mut thief = DpopClient::new(SigningKey::generate(Algorithm::ES256), token);
    let stolen = api.call(&mut thief).await;
    assert_eq!(stolen.unwrap_err(), RejectionKind::ProofKeyMismatch);
}
