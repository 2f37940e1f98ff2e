//! Discovery by the embedded client, over real connections on loopback.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::service_fn;
use tower_resource_server::fetch::FetchErrorKind;
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Issuer, MetadataError, RefreshError, ResourceServer};

use crate::keys::{Happened, Told, assert_unavailable};
use crate::servers::serve;
use crate::support::{RESOURCE, present};

/// What the pages of an issuer are, once its address is known.
type Pages = Arc<OnceLock<Vec<(&'static str, Response<Bytes>)>>>;

/// An issuer on loopback: its address decides what it publishes.
async fn issuer(
    pages: impl FnOnce(&TestIssuer) -> Vec<(&'static str, Response<Bytes>)>,
) -> TestIssuer {
    let published = Pages::default();
    let shared = Arc::clone(&published);
    let address: SocketAddr = serve(service_fn(move |request: Request<_>| {
        let page = shared.get().and_then(|pages| {
            let page = pages.iter().find(|(path, _)| *path == request.uri().path());
            page.map(|(_, response)| response.clone())
        });
        let missing = || Response::builder().status(404).body(Bytes::new()).expect("a response");
        let response = page.unwrap_or_else(missing).map(Full::new);
        async { Ok::<_, Infallible>(response) }
    }))
    .await;
    let issuer = TestIssuer::new(format!("http://{address}"));
    assert!(published.set(pages(&issuer)).is_ok());
    issuer
}

fn page(value: &Value) -> Response<Bytes> {
    let response = Response::builder().header("content-type", "application/json");
    response.body(value.to_string().into()).expect("a response")
}

fn document(issuer: &TestIssuer, jwks_uri: &str) -> Response<Bytes> {
    page(&json!({ "issuer": issuer.issuer(), "jwks_uri": jwks_uri }))
}

fn moved(location: &str) -> Response<Bytes> {
    let response = Response::builder().status(302).header("location", location);
    response.body(Bytes::new()).expect("a response")
}

/// A server that discovers the issuer with the embedded client.
fn server(issuer: &TestIssuer) -> (ResourceServer, Told) {
    let told = Told::default();
    let builder = ResourceServer::builder(RESOURCE).issuer(Issuer::discover(issuer.issuer()));
    let server = builder.allow_loopback().observer(told.clone()).build();
    (server.expect("a valid configuration"), told)
}

#[tokio::test]
async fn an_issuer_on_loopback_is_discovered() {
    let issuer = issuer(|issuer| {
        let jwks = format!("{}/keys", issuer.issuer());
        vec![
            ("/.well-known/openid-configuration", document(issuer, &jwks)),
            ("/keys", page(&issuer.jwks_json())),
        ]
    })
    .await;
    let (server, told) = server(&issuer);
    server.ready().await.expect("the keys are there");
    present(&server, &issuer.token().build()).await.assert_ok();
    assert_eq!(told.all(), [Happened::Metadata, Happened::Keys(1)]);
}

#[tokio::test]
async fn metadata_leads_to_no_address_that_is_not_allowed() {
    for jwks_uri in [
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/jwks",
        "https://[fe80::1]/jwks",
        "https://[::ffff:169.254.169.254]/jwks",
    ] {
        let issuer = issuer(|issuer| {
            vec![("/.well-known/oauth-authorization-server", document(issuer, jwks_uri))]
        })
        .await;
        let (server, told) = server(&issuer);
        assert_unavailable(&present(&server, &issuer.token().build()).await);
        // R8725BIS-3.10-1: not by jwks_uri either, and loopback was all that was allowed.
        let error = RefreshError::Fetch(FetchErrorKind::ForbiddenAddress);
        assert_eq!(told.all(), [Happened::Metadata, Happened::NoKeys(error)], "{jwks_uri}");
    }
}

#[tokio::test]
async fn redirects_are_followed_to_nowhere() {
    let issuer = issuer(|_| {
        vec![("/.well-known/oauth-authorization-server", moved("https://169.254.169.254/"))]
    })
    .await;
    let (server, told) = server(&issuer);
    assert_unavailable(&present(&server, &issuer.token().build()).await);
    // R8725BIS-3.10-1: a redirect to an address that is not allowed is blocked, as any other.
    assert_eq!(told.all()[0], Happened::NoMetadata(MetadataError::Status));
}
