//! Keys that change while requests come in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_resource_server::RejectionKind;

use crate::api::{Api, RESOURCE};
use crate::provider::{PATIENCE, Provider};
use crate::tokens::{header_of, trusted};

/// How many clients send requests at a time.
const CLIENTS: usize = 8;

/// How long a key set is used that says nothing of its age, and a second.
const AGED: Duration = Duration::from_secs(601);

/// Clients, each with one request after the other until they are stopped. A request that is refused
/// ends its client.
struct Traffic {
    clients: JoinSet<()>,
    accepted: Arc<watch::Sender<usize>>,
}

impl Traffic {
    /// Each request brings the token that its client gets from `next`.
    fn start<F>(api: &Api, next: impl Fn() -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = String> + Send,
    {
        let accepted = Arc::new(watch::Sender::new(0));
        let client = |_| {
            let (api, next, accepted) = (api.clone(), next.clone(), Arc::clone(&accepted));
            async move {
                loop {
                    api.bearer(&next().await).await.expect("the token is good");
                    accepted.send_modify(|accepted| *accepted += 1);
                    tokio::task::yield_now().await;
                }
            }
        };
        Self { clients: (0..CLIENTS).map(client).collect(), accepted }
    }

    /// With tokens that were never seen before.
    fn of_new_tokens(api: &Api, provider: &Arc<Provider>) -> Self {
        let provider = Arc::clone(provider);
        Self::start(api, move || {
            let provider = Arc::clone(&provider);
            async move { provider.token(RESOURCE).await }
        })
    }

    /// With that token again and again.
    fn of(api: &Api, token: &str) -> Self {
        let token = token.to_owned();
        Self::start(api, move || std::future::ready(token.clone()))
    }

    /// Waits until so many more requests were accepted that each client may have begun one since.
    async fn flows(&self) {
        let mut accepted = self.accepted.subscribe();
        let enough = *accepted.borrow() + 2 * CLIENTS;
        let flowing = accepted.wait_for(|accepted| *accepted >= enough);
        timeout(PATIENCE, flowing).await.expect("no client is stuck").expect("it counts");
    }

    /// That no client met a refusal.
    async fn stop(mut self) {
        self.clients.abort_all();
        while let Some(ended) = self.clients.join_next().await {
            assert!(ended.is_err_and(|error| error.is_cancelled()), "a good token was refused");
        }
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
    let Some(provider) = Provider::start().await.map(Arc::new) else { return };
    let api = Api::new(RESOURCE, trusted(&provider));
    let old = provider.token(RESOURCE).await;
    let (old_traffic, new_traffic) =
        (Traffic::of(&api, &old), Traffic::of_new_tokens(&api, &provider));
    old_traffic.flows().await;
    new_traffic.flows().await;
    assert_eq!(provider.count("/jwks").await, 1);

    let kid = provider.rotate().await;
    let new = provider.token(RESOURCE).await;
    assert_eq!(header_of(&new)["kid"], *kid);
    api.bearer(&new).await.expect("its key is fetched when it is first met");
    old_traffic.flows().await;
    new_traffic.flows().await;
    assert_eq!(provider.count("/jwks").await, 2);
    old_traffic.stop().await;

    provider.retire().await;
    api.clock.advance(AGED);
    timeout(PATIENCE, until_refused(&api, &old)).await.expect("the old key goes");
    new_traffic.flows().await;
    new_traffic.stop().await;
    let fetches = provider.count("/jwks").await;
    assert!((3..=4).contains(&fetches), "{fetches}");
}
