//! Keys that are replaced, and tokens that were remembered.

use super::*;

#[tokio::test]
async fn a_rotation_shows_for_tokens_without_a_key_id_too() {
    let mut remote = Remote::up();
    remote.issuer = TestIssuer::with_key(ISSUER, SigningKey::generate(Algorithm::ES256))
        .clock(remote.clock.clone());
    remote.publish();
    remote.send(&remote.token()).await.assert_ok();
    remote.issuer.rotate(SigningKey::generate(Algorithm::ES256));
    remote.publish();
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test]
async fn a_rotation_is_picked_up_after_the_cool_down() {
    let mut remote = Remote::loaded().await;
    let old = remote.token();
    remote.send(&old).await.assert_ok();
    remote.rotate("test-2");
    // The load at start-up has begun no cool-down, so the first rotation shows at once.
    remote.send(&remote.token()).await.assert_ok();
    assert_eq!(remote.fetch.count(), 2);
    assert_unknown(&remote.send(&old).await);
    remote.rotate("test-3");
    assert_unknown(&remote.send(&remote.token()).await);
    assert_eq!(remote.fetch.count(), 2);
    remote.later(COOL_DOWN);
    // R7517-9-2: and the next when the cool-down is over.
    remote.send(&remote.token()).await.assert_ok();
    assert_eq!(remote.fetch.count(), 3);
}

#[tokio::test]
async fn a_set_emptied_on_purpose_is_obeyed() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.fetch.always_json(json!({ "keys": [] }));
    remote.later(FRESH);
    remote.send(&cached).await.assert_ok();
    remote.refreshes.ended(2).await;
    assert_eq!(remote.refreshes.all(), [Ok(1), Ok(0)]);
    assert_unknown(&remote.send(&cached).await);
    assert_unknown(&remote.send(&remote.token()).await);
}

#[tokio::test]
async fn a_remembered_token_falls_with_its_key() {
    let mut remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.rotate("test-2");
    let new = remote.token();
    remote.send(&new).await.assert_ok();
    for _ in 0..2 {
        assert_unknown(&remote.send(&cached).await);
    }
    remote.send(&new).await.assert_ok();
}

#[tokio::test]
async fn a_remembered_token_outlives_a_rotation_that_keeps_its_key() {
    let mut remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    let old = remote.issuer.key().public_jwk();
    remote.issuer.rotate(key(Algorithm::ES256, "test-2"));
    remote.fetch.always_json(json!({ "keys": [remote.issuer.key().public_jwk(), old] }));
    remote.send(&remote.token()).await.assert_ok();
    remote.at_once(&cached).assert_ok();
    assert_eq!(remote.fetch.count(), 2);
}

#[tokio::test]
async fn new_material_under_an_old_id_is_a_new_key() {
    let mut remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.rotate("test-1");
    // The old key did not sign it, so the set is looked at once more.
    remote.send(&remote.token()).await.assert_ok();
    let answer = remote.send(&cached).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::BadSignature));
}
