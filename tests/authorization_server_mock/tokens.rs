//! The access tokens, as the crate's own resource server takes them.
#![cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Empty;
use serde_json::Value;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_resource_server::{Grant, Issuer, JwkSet, ResourceServer, Scopes};

use crate::bed::{Bed, RESOURCE};

impl Bed {
    async fn resource_server(&self) -> ResourceServer {
        let keys = self.get("/jwks.json").await;
        let keys = JwkSet::from_json(&keys.body).expect("keys");
        let builder = ResourceServer::builder(RESOURCE).clock(self.clock.clone()).allow_loopback();
        let issuer = Issuer::jwks(&self.mock.issuer, keys);
        builder.issuer(issuer).build().expect("a configuration")
    }
}

/// What becomes of a call that needs `tools/write`.
async fn call(server: &ResourceServer, token: &Value) -> Response<()> {
    let needed = server.authenticate().require(Scopes::all(["tools/write"]));
    let service = needed.layer(service_fn(async |request: Request<()>| {
        let grant = request.extensions().get::<Grant>().expect("a grant");
        assert_eq!(grant.subject(), Some("alice"));
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    }));
    let token = format!("Bearer {}", token.as_str().expect("a token"));
    let request = Request::get("/tools").header(header::AUTHORIZATION, token).body(());
    service.oneshot(request.expect("valid")).await.expect("infallible").map(drop)
}

/// RFC 9068: the story of the client that has too little, and then waits too long.
#[tokio::test]
async fn a_resource_server_accepts_them_as_far_as_they_go() {
    let bed = Bed::new().await;
    let (client, server) = (bed.public().await, bed.resource_server().await);
    let read = bed.tokens(&client, &[]).await["access_token"].clone();
    let refused = call(&server, &read).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);

    let scope = ("scope", "tools/read tools/write");
    let both = bed.tokens(&client, &[scope]).await["access_token"].clone();
    assert_eq!(call(&server, &both).await.status(), StatusCode::OK);

    bed.clock.advance(Duration::from_secs(300 + 61));
    let refused = call(&server, &both).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let challenge = refused.headers()[header::WWW_AUTHENTICATE].to_str().expect("ASCII");
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
}
