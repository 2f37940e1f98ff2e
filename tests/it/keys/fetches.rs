//! What a fetch of keys is: shared, bounded, and no request's own.

use super::*;

#[tokio::test]
async fn a_hundred_first_requests_share_one_fetch() {
    let remote = Remote::up();
    let hold = remote.fetch.hold();
    let tokens = (0..100).map(|_| remote.token());
    assert_accepted_after(hold, &remote.server, tokens).await;
    // R7517-9-1: single flight.
    assert_eq!(remote.fetch.count(), 1);
    assert_eq!(remote.fetch.requests(), [JWKS]);
}

#[tokio::test]
async fn what_breaks_the_limits_of_a_fetch_is_not_used() {
    for (body, outcome) in [
        (10 * 1024 * 1024, Err(RefreshError::Fetch(FetchErrorKind::TooLarge))),
        (512 * 1024 + 1, Err(RefreshError::Fetch(FetchErrorKind::TooLarge))),
        (512 * 1024, Ok(1)),
    ] {
        let remote = Remote::down();
        let mut set = remote.issuer.jwks_json().to_string();
        set.push_str(&" ".repeat(body - set.len()));
        remote.fetch.always(200, "application/json", set);
        let answer = remote.send(&remote.token()).await;
        // R7517-9-1: 512 KiB and no more; 10 MB are discarded, whatever the client did.
        assert_eq!(remote.refreshes.all(), [outcome]);
        match outcome {
            Ok(_) => answer.assert_ok(),
            Err(_) => assert_unavailable(&answer),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_fetch_is_given_up() {
    let remote = Remote::up();
    remote.fetch.hang();
    let begun = tokio::time::Instant::now();
    assert_unavailable(&remote.send(&remote.token()).await);
    // R7517-9-1: after the timeout of 5 s, whatever the client does about it.
    assert!((5..6).contains(&begun.elapsed().as_secs()));
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Fetch(FetchErrorKind::Timeout))]);
    remote.later(Duration::from_secs(1));
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test(start_paused = true)]
async fn the_timeout_can_be_set() {
    let remote = Remote::with(|builder| builder.fetch_timeout(Duration::from_secs(1)));
    remote.fetch.hang();
    let begun = tokio::time::Instant::now();
    assert_unavailable(&remote.send(&remote.token()).await);
    assert_eq!(begun.elapsed().as_secs(), 1);
}

#[test]
fn keys_are_fetched_over_https_only() {
    for uri in ["http://as.example.com/jwks", "ftp://as.example.com/jwks", "/jwks", ""] {
        let builder = trusting(Issuer::jwks_uri(ISSUER, uri)).fetch(ScriptedFetch::new());
        let error = builder.build().expect_err(uri);
        // R7517-9-1: the URL is refused when the server is configured.
        assert_eq!(error.faults()[0].setting(), "jwks_uri", "{uri:?}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let remote = Remote::up();
    let moved = http::Response::builder().status(302).header("location", "https://evil.example/");
    remote.fetch.respond_with(moved.body(bytes::Bytes::new()).expect("a response"));
    assert_unavailable(&remote.send(&remote.token()).await);
    // R7517-9-1: none by default.
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Status)]);
    assert_eq!(remote.fetch.requests(), [JWKS]);
}

/// Panics the first time and has the keys from then on.
#[derive(Debug)]
struct Panicky(ScriptedFetch);

impl Fetch for Panicky {
    fn fetch(&self, request: Request<bytes::Bytes>, limits: FetchLimits) -> FetchFuture<'_> {
        let answer = self.0.fetch(request, limits);
        Box::pin(async move {
            let answer = answer.await;
            assert!(self.0.count() > 1, "a bug in the client");
            answer
        })
    }
}

#[tokio::test]
async fn a_panic_in_the_client_is_an_outage_and_passes() {
    let script = ScriptedFetch::new();
    let remote = Remote::with(|builder| builder.fetch(Panicky(script.clone())));
    script.always_json(remote.issuer.jwks_json());
    assert_unavailable(&remote.send(&remote.token()).await);
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Runtime)]);
    remote.later(Duration::from_secs(1));
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_take_the_fetch_with_it() {
    let remote = Remote::up();
    let hold = remote.fetch.hold();
    let (server, token) = (remote.server.clone(), remote.token());
    let first = tokio::spawn(async move { present(&server, &token).await });
    let_others_run().await;
    assert_eq!(remote.fetch.count(), 1);
    first.abort();
    assert!(first.await.expect_err("aborted").is_cancelled());
    hold.release();
    remote.send(&remote.token()).await.assert_ok();
    assert_eq!(remote.fetch.count(), 1);
}

#[test]
fn a_runtime_that_ends_takes_only_its_own_fetch_along() {
    let remote = Remote::up();
    remote.fetch.hang();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let first = runtime().expect("a runtime");
    let (server, token) = (remote.server.clone(), remote.token());
    first.spawn(async move { present(&server, &token).await });
    first.block_on(remote.fetch.arrived(1));
    drop(first);
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Runtime)]);
    remote.later(Duration::from_secs(1));
    runtime().expect("a runtime").block_on(remote.send(&remote.token())).assert_ok();
}

/// A runtime that is kept and not driven any more says nothing: only the time tells.
#[test]
fn a_runtime_that_is_left_alone_stops_no_later_fetch() {
    let remote = Remote::up();
    remote.fetch.hang();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let first = builder.enable_all().build().expect("a runtime");
    let (server, token) = (remote.server.clone(), remote.token());
    first.spawn(async move { present(&server, &token).await });
    first.block_on(remote.fetch.arrived(1));
    let second = builder.start_paused(true).build().expect("a runtime");
    second.block_on(async {
        // It has its time, however long it takes.
        assert_unavailable(&remote.send(&remote.token()).await);
        assert_eq!((remote.fetch.count(), remote.refreshes.all()), (1, vec![]));
        assert_unavailable(&remote.at_once(&remote.token()));
        assert_eq!(remote.refreshes.all(), [Err(RefreshError::Runtime)]);
        remote.later(Duration::from_secs(1));
        remote.send(&remote.token()).await.assert_ok();
    });
    // What it was is over at last, and changes nothing.
    drop(first);
    second.block_on(remote.send(&remote.token())).assert_ok();
    assert_eq!(remote.fetch.count(), 2);
}

#[test]
fn without_a_runtime_there_is_no_fetch_and_no_panic() {
    let remote = Remote::up();
    assert_unavailable(&remote.at_once(&remote.token()));
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Runtime)]);
    assert_eq!(remote.fetch.count(), 0);
}

#[tokio::test]
async fn a_request_asks_for_json() {
    #[derive(Debug)]
    struct Strict(ScriptedFetch);
    impl Fetch for Strict {
        fn fetch(&self, request: Request<bytes::Bytes>, limits: FetchLimits) -> FetchFuture<'_> {
            assert_eq!(request.method(), http::Method::GET);
            let accept = request.headers()["accept"].to_str().expect("ASCII");
            assert_eq!(accept, "application/jwk-set+json, application/json");
            assert!(request.body().is_empty() && !request.headers().contains_key("authorization"));
            self.0.fetch(request, limits)
        }
    }
    let script = ScriptedFetch::new();
    let remote = Remote::with(|builder| builder.fetch(Strict(script.clone())));
    script.always_json(remote.issuer.jwks_json());
    remote.send(&remote.token()).await.assert_ok();
}
