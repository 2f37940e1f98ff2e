//! Tokens that no key of the set has signed.

use super::*;

#[tokio::test]
async fn unknown_key_ids_cause_one_fetch_a_cool_down() {
    let remote = Remote::loaded().await;
    let token = remote.token();
    for n in 0..1000 {
        assert_unknown(&remote.send(&renamed(&token, &format!("random-{n}"))).await);
        remote.later(Duration::from_millis(1));
    }
    // R7517-9-2: a thousand in a second, one fetch.
    assert_eq!(remote.fetch.count(), 2);
    remote.later(COOL_DOWN - Duration::from_millis(1001));
    assert_unknown(&remote.send(&renamed(&token, "random")).await);
    assert_eq!(remote.fetch.count(), 2);
    remote.later(Duration::from_millis(1));
    assert_unknown(&remote.send(&renamed(&token, "random")).await);
    assert_eq!(remote.fetch.count(), 3);
    remote.send(&token).await.assert_ok();
}

#[tokio::test]
async fn unknown_key_ids_cause_no_storm_when_the_fetch_fails() {
    let remote = Remote::loaded().await;
    let token = remote.token();
    remote.go_down();
    for n in 0..1000 {
        // While the keys cannot be fetched, an unknown id proves nothing: D-19.
        assert_unavailable(&remote.send(&renamed(&token, &format!("random-{n}"))).await);
    }
    assert_eq!(remote.fetch.count(), 2);
    remote.send(&token).await.assert_ok();
    for round in 0..5 {
        let before = remote.fetch.count();
        remote.later(COOL_DOWN - Duration::from_millis(1));
        assert_unavailable(&remote.send(&renamed(&token, "random")).await);
        assert_eq!(remote.fetch.count(), before, "{round}");
        remote.later(Duration::from_millis(1));
        assert_unavailable(&remote.send(&renamed(&token, "random")).await);
        assert_eq!(remote.fetch.count(), before + 1, "{round}");
    }
    remote.publish();
    remote.later(COOL_DOWN);
    assert_unknown(&remote.send(&renamed(&token, "random")).await);
}

#[tokio::test]
async fn a_hundred_unknown_key_ids_at_once_share_one_fetch() {
    let remote = Remote::loaded().await;
    let hold = remote.fetch.hold();
    let mut requests = JoinSet::new();
    for n in 0..100 {
        let server = remote.server.clone();
        let token = renamed(&remote.token(), &format!("random-{n}"));
        requests.spawn(async move { present(&server, &token).await });
    }
    let_others_run().await;
    hold.release();
    for answer in requests.join_all().await {
        assert_unknown(&answer);
    }
    assert_eq!(remote.fetch.count(), 2);
}

#[tokio::test]
async fn bad_signatures_cause_one_fetch_a_cool_down() {
    let remote = Remote::loaded().await;
    for _ in 0..2 {
        let before = remote.fetch.count();
        for flaw in [Flaw::BadSignature, Flaw::WrongKey, Flaw::EmptySignature, Flaw::EmbeddedKey] {
            remote.send(&remote.issuer.token().flaw(flaw).build()).await.assert_t401();
        }
        assert_eq!(remote.fetch.count(), before + 1);
        remote.later(COOL_DOWN);
    }
}

/// A key that was published after a fetch was answered, and before that was over.
#[tokio::test]
async fn a_fetch_that_ran_before_is_not_the_last_word_on_a_key() {
    let mut remote = Remote::loaded().await;
    let hold = remote.fetch.hold();
    remote.fetch.respond(200, "application/json", remote.issuer.jwks_json().to_string());
    remote.later(Duration::from_secs(481));
    remote.send(&remote.token()).await.assert_ok();
    // A refresh is under way, with the old set.
    let_others_run().await;
    remote.later(Duration::from_secs(1));
    remote.rotate("test-2");
    let token = remote.token();
    let server = remote.server.clone();
    let waiting = tokio::spawn(async move { present(&server, &token).await });
    let_others_run().await;
    assert_eq!((remote.fetch.count(), waiting.is_finished()), (2, false));
    hold.release();
    waiting.await.expect("no panic").assert_ok();
    assert_eq!(remote.fetch.count(), 3);
    // It was a fetch for an unknown key, so a rest follows.
    assert_unknown(&remote.send(&renamed(&remote.token(), "random")).await);
    assert_eq!(remote.fetch.count(), 3);
}

#[tokio::test]
async fn an_unknown_key_is_not_refused_while_the_keys_cannot_be_fetched() {
    let mut remote = Remote::loaded().await;
    let old = remote.token();
    remote.issuer.rotate(key(Algorithm::ES256, "test-2"));
    let new = remote.token();
    remote.go_down();
    // D-19: the token may well be good.
    assert_unavailable(&remote.send(&new).await);
    assert_unavailable(&remote.send(&new).await);
    remote.send(&old).await.assert_ok();
    remote.publish();
    remote.later(COOL_DOWN);
    remote.send(&new).await.assert_ok();
}
