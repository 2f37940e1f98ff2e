//! Keys that change while requests come in.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_resource_server::RejectionKind;

use crate::api::{Api, RESOURCE};
use crate::provider::{PATIENCE, Provider};
use crate::tokens::trusted;

/// How many clients send requests at a time.
const CLIENTS: usize = 8;

/// How long a key set is used that says nothing of its age, and a second.
const AGED: Duration = Duration::from_secs(601);

/// Clients of that token, each with one request after the other, until they are stopped.
fn traffic(api: &Api, token: &str) -> JoinSet<()> {
    let client = |_| {
        let (api, token) = (api.clone(), token.to_owned());
        async move {
            loop {
                api.bearer(&token).await.expect("the token is good");
                tokio::task::yield_now().await;
            }
        }
    };
    (0..CLIENTS).map(client).collect()
}

/// That no client met a refusal.
async fn stop(mut traffic: JoinSet<()>) {
    traffic.abort_all();
    while let Some(ended) = traffic.join_next().await {
        assert!(ended.is_err_and(|error| error.is_cancelled()), "a good token was refused");
    }
}

/// Asks until the old token is refused, as it is when its key is gone.
async fn until_refused(api: &Api, token: &str) {
    loop {
        match api.bearer(token).await {
            Ok(_) => sleep(Duration::from_millis(5)).await,
            Err(kind) => return assert_eq!(kind, RejectionKind::UnknownKey),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_rotate_while_traffic_flows() {
    let Some(mut provider) = Provider::start().await else { return };
    let api = Api::new(RESOURCE, trusted(&provider));
    let old = provider.token(RESOURCE).await;
    let old_traffic = traffic(&api, &old);
    api.bearer(&old).await.expect("the token is good");

    let kid = provider.rotate().await;
    let new = provider.token(RESOURCE).await;
    assert_eq!(kid_of(&new), kid);
    let new_traffic = traffic(&api, &new);
    api.bearer(&new).await.expect("its key is fetched when it is first met");
    assert_eq!(provider.count("/jwks").await, 2);
    stop(old_traffic).await;

    provider.retire().await;
    api.clock.advance(AGED);
    timeout(PATIENCE, until_refused(&api, &old)).await.expect("the old key goes");
    stop(new_traffic).await;
    let fetches = provider.count("/jwks").await;
    assert!((3..=4).contains(&fetches), "{fetches}");
}

fn kid_of(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().expect("a header");
    let header =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).expect("base64url");
    let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a key id").to_owned()
}
