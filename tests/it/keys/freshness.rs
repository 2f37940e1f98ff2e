//! How long keys are fresh, and when they are fetched anew.

use super::*;

/// Asserts that keys which came with that Cache-Control are fresh for so long, and asked for again
/// when four fifths of that are over.
async fn assert_fresh_for(cache_control: Option<&str>, seconds: u64) {
    let remote = Remote::up();
    if let Some(value) = cache_control {
        remote.fetch.with_header("cache-control", value);
    }
    remote.server.ready().await.expect("the keys are there");
    let stale_at = remote.server.health().issuers()[0].stale_at().expect("keys");
    assert_eq!(stale_at, remote.clock.now() + Duration::from_secs(seconds), "{cache_control:?}");
    let token = remote.token();
    remote.later(Duration::from_secs(seconds) / 5 * 4 - Duration::from_millis(1));
    remote.send(&token).await.assert_ok();
    let_others_run().await;
    assert_eq!(remote.fetch.count(), 1, "{cache_control:?}");
    remote.later(Duration::from_millis(1));
    remote.at_once(&token).assert_ok();
    remote.refreshes.ended(2).await;
    assert_eq!(remote.fetch.count(), 2, "{cache_control:?}");
}

#[tokio::test]
async fn cache_control_is_respected_within_bounds() {
    // R7517-9-1: max-age, at least a minute and at most a day.
    assert_fresh_for(Some("public, max-age=120"), 120).await;
    assert_fresh_for(Some("max-age=1"), 60).await;
    assert_fresh_for(Some("no-store"), 60).await;
    assert_fresh_for(Some("max-age=999999999"), 24 * 60 * 60).await;
    assert_fresh_for(Some("max-age=soon"), 600).await;
    assert_fresh_for(None, 600).await;
}

/// Four fifths of [`FRESH`].
const DUE: Duration = Duration::from_secs(480);

#[tokio::test]
async fn keys_are_renewed_before_they_age_and_nobody_waits() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.later(DUE);
    let hold = remote.fetch.hold();
    for token in [&cached, &remote.token(), &cached] {
        remote.at_once(token).assert_ok();
        let_others_run().await;
    }
    assert_eq!(remote.fetch.count(), 2);
    hold.release();
    remote.refreshes.ended(2).await;
    remote.later(FRESH - DUE);
    let health = remote.server.health();
    assert_eq!(health.issuers()[0].key_state(), KeyState::Fresh);
    remote.at_once(&cached).assert_ok();
    let_others_run().await;
    assert_eq!(remote.fetch.count(), 2);
}

#[tokio::test]
async fn a_rotation_with_overlap_is_known_before_a_token_shows_it() {
    let mut remote = Remote::loaded().await;
    let old = remote.token();
    remote.send(&old).await.assert_ok();
    let first = remote.issuer.key().public_jwk();
    remote.issuer.rotate(key(Algorithm::ES256, "test-2"));
    let second = remote.issuer.key().public_jwk();
    remote.fetch.always_json(json!({ "keys": [first, second] }));
    remote.later(DUE);
    remote.at_once(&old).assert_ok();
    remote.refreshes.ended(2).await;
    // Neither the first token of the new key nor the last of the old one waits for anything.
    remote.at_once(&remote.token()).assert_ok();
    remote.at_once(&old).assert_ok();
    remote.fetch.always_json(json!({ "keys": [second] }));
    remote.later(DUE);
    remote.at_once(&remote.token()).assert_ok();
    remote.refreshes.ended(3).await;
    assert_unknown(&remote.send(&old).await);
}

#[tokio::test]
async fn an_early_refresh_that_fails_is_tried_again_while_the_keys_are_fresh() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.go_down();
    remote.later(DUE);
    for failures in 1..=4 {
        remote.at_once(&cached).assert_ok();
        remote.refreshes.ended(1 + failures).await;
        // The rest has begun: nothing more is asked until it is over.
        remote.at_once(&cached).assert_ok();
        let_others_run().await;
        assert_eq!(remote.fetch.count(), 1 + failures);
        remote.later(Duration::from_secs(1 << (failures - 1)));
    }
    assert_eq!(remote.server.health().issuers()[0].key_state(), KeyState::Fresh);
    remote.publish();
    remote.at_once(&cached).assert_ok();
    remote.refreshes.ended(6).await;
    assert_eq!(remote.server.health().issuers()[0].consecutive_failures(), 0);
}

#[tokio::test]
async fn a_clock_set_back_is_noticed_for_remembered_tokens_too() {
    let mut remote = Remote::loaded().await;
    let old = remote.token();
    remote.send(&old).await.assert_ok();
    remote.rotate("test-2");
    remote.clock.rewind(Duration::from_secs(200));
    let before = remote.refreshes.clone();
    remote.send(&remote.issuer.token().build()).await.assert_ok();
    before.ended(2).await;
    remote.send(&old).await.assert_t401();
}

#[tokio::test]
async fn a_clock_that_goes_back_stops_no_fetch() {
    let remote = Remote::loaded().await;
    let token = remote.token();
    assert_unknown(&remote.send(&renamed(&token, "random")).await);
    assert_eq!(remote.fetch.count(), 2);
    remote.clock.rewind(Duration::from_secs(3600));
    assert_unknown(&remote.send(&renamed(&remote.token(), "random")).await);
    assert_eq!(remote.fetch.count(), 3);
    remote.send(&remote.token()).await.assert_ok();
}
