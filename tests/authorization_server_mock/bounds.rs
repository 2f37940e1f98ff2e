//! What it remembers is bounded, and room comes back with time.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use crate::authorization_server_mock::Client;
use crate::bed::{Bed, REDIRECT, basic};

#[tokio::test]
async fn clients_are_so_many() {
    let bed = Bed::with(|options| options.capacity = 2).await;
    let metadata = || json!({ "redirect_uris": [REDIRECT] });
    for _ in 0..2 {
        assert_eq!(bed.register(metadata()).await.status, StatusCode::CREATED);
    }
    let answer = bed.register(metadata()).await;
    answer.is_refused(503, "temporarily_unavailable");
    assert_eq!(answer.field("retry-after"), Some("60"));
    bed.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(bed.register(metadata()).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn codes_are_so_many() {
    let bed = Bed::with(|options| options.capacity = 2).await;
    let client = bed.public().await;
    let first = bed.code(&client, &[]).await;
    bed.code(&client, &[]).await;
    // AS-R6749-4.1.2.1-4: too much to do for the moment.
    bed.authorize(&client, &[]).await.is_returned("temporarily_unavailable");
    assert_eq!(bed.redeem(&client, &first, &[]).await.status, StatusCode::OK);
    bed.clock.advance(Duration::from_secs(600));
    bed.code(&client, &[]).await;
}

#[tokio::test]
async fn tokens_are_so_many() {
    let bed = Bed::with(|options| {
        options.capacity = 2;
        options.clients.push(Client::service("a", "b"));
    })
    .await;
    let ask = async || {
        let form = [("grant_type", "client_credentials")];
        bed.post("/token", &[("authorization", &basic("a", "b"))], &form).await
    };
    let first = ask().await.json()["access_token"].clone();
    assert_eq!(ask().await.status, StatusCode::OK);
    ask().await.is_refused(503, "temporarily_unavailable");
    assert_eq!(bed.introspect(&first).await["active"], true);
    bed.clock.advance(Duration::from_secs(300));
    assert_eq!(ask().await.status, StatusCode::OK);
    // Those that had expired then are forgotten, not only past their time.
    bed.clock.rewind(Duration::from_secs(300));
    assert_eq!(bed.introspect(&first).await, json!({ "active": false }));
}
