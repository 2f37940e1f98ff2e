//! Issuers that are away, or answer nonsense.

use super::*;

/// A newer key may have signed it, under the same id or none, and its issuer cannot be asked (D-19).
async fn assert_open_in_an_outage(kid: Option<&str>) {
    let key = || {
        let key = SigningKey::generate(Algorithm::ES256);
        match kid {
            Some(kid) => key.with_kid(kid),
            None => key,
        }
    };
    let mut remote = Remote::up();
    remote.issuer = TestIssuer::with_key(ISSUER, key()).clock(remote.clock.clone());
    remote.publish();
    remote.send(&remote.token()).await.assert_ok();
    // So long before the keys that neither a slow fetch nor a slow clock makes it younger.
    let old = NOW - 65;
    let old = remote.issuer.token().expires_in(DAY).claim("iat", old).flaw(Flaw::BadSignature);
    let old = old.build();
    remote.go_down();
    remote.later(Duration::from_secs(1));
    let known = remote.token();
    remote.issuer.rotate(key());
    let new = remote.token();
    for _ in 0..3 {
        assert_unavailable(&remote.send(&new).await);
        // Older than the keys that are there: these had to verify it.
        assert_bad_signature(&remote.send(&old).await);
        remote.send(&known).await.assert_ok();
        remote.later(COOL_DOWN);
    }
    remote.publish();
    remote.send(&new).await.assert_ok();
    let forged = remote.issuer.token().flaw(Flaw::BadSignature).build();
    assert_bad_signature(&remote.send(&forged).await);
}

#[tokio::test]
async fn no_new_signature_is_bad_for_sure_in_an_outage() {
    assert_open_in_an_outage(None).await;
    assert_open_in_an_outage(Some("test-1")).await;
}

#[tokio::test]
async fn keys_from_before_the_clock_went_back_tell_nothing_of_new_signatures() {
    let mut remote = Remote::loaded().await;
    remote.go_down();
    remote.clock.rewind(Duration::from_secs(3600));
    remote.issuer.rotate(key(Algorithm::ES256, "test-1"));
    assert_unavailable(&remote.send(&remote.token()).await);
}

/// What a cache has kept for half an hour is half an hour old.
#[tokio::test]
async fn keys_are_of_the_time_they_were_made_at() {
    let remote = Remote::down();
    let set = remote.fetch.with_header("cache-control", "max-age=3600");
    set.with_header("age", "1800").always_json(remote.issuer.jwks_json());
    remote.send(&remote.token()).await.assert_ok();
    remote.go_down();
    for (age, refuted) in [(1864, false), (1865, true)] {
        let forged = remote.issuer.token().expires_in(DAY).claim("iat", NOW - age);
        let answer = remote.send(&forged.flaw(Flaw::BadSignature).build()).await;
        match refuted {
            true => assert_bad_signature(&answer),
            false => assert_unavailable(&answer),
        }
    }
}

#[tokio::test]
async fn a_server_that_boots_before_its_authorization_server_recovers() {
    let remote = Remote::down();
    let token = remote.token();
    // R7517-9-3: no keys yet is an outage, not the token's fault.
    assert_unavailable(&remote.send(&token).await);
    assert_unavailable(&remote.send(&token).await);
    assert_eq!(remote.fetch.count(), 1);
    remote.publish();
    assert_unavailable(&remote.send(&token).await);
    remote.later(Duration::from_secs(1));
    remote.send(&token).await.assert_ok();
    assert_eq!(remote.fetch.count(), 2);
}

#[tokio::test]
async fn old_keys_outlive_an_outage() {
    let remote = Remote::loaded().await;
    let (cached, uncached) = (remote.token(), remote.token());
    remote.send(&cached).await.assert_ok();
    remote.go_down();
    remote.later(FRESH);
    // R7517-9-3: both a token seen before and a new one.
    remote.send(&cached).await.assert_ok();
    remote.refreshes.ended(2).await;
    remote.send(&uncached).await.assert_ok();
    remote.later(DAY - Duration::from_secs(1));
    remote.send(&cached).await.assert_ok();
    remote.send(&remote.token()).await.assert_ok();
    let failed = Err(RefreshError::Fetch(FetchErrorKind::Transport));
    assert_eq!(remote.refreshes.all()[..2], [Ok(1), failed]);
}

#[tokio::test]
async fn keys_that_are_too_stale_are_an_outage() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.go_down();
    remote.later(FRESH + DAY);
    // R7517-9-3: max-stale is a day past their freshness.
    assert_unavailable(&remote.send(&cached).await);
    assert_unavailable(&remote.send(&remote.token()).await);
    assert!(remote.server.ready().await.is_err());
    remote.publish();
    remote.later(Duration::from_secs(1));
    remote.send(&cached).await.assert_ok();
}

#[tokio::test]
async fn known_keys_never_wait_for_a_fetch() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.later(FRESH);
    remote.fetch.hang();
    for token in [cached, remote.token(), remote.token()] {
        remote.at_once(&token).assert_ok();
    }
    let_others_run().await;
    remote.at_once(&remote.token()).assert_ok();
    assert_eq!(remote.fetch.count(), 2);
}

/// Answers that are no key set, with what is reported of each.
fn bad_answers() -> Vec<(u16, &'static str, String, RefreshError)> {
    let json = "application/json";
    let page = "<!doctype html><title>Sign in</title>".to_owned();
    let oct = json!({ "keys": [{ "kty": "oct", "k": "AAAA" }, { "kty": "AKP" }] }).to_string();
    let mut all = vec![
        (200, "text/html", page.clone(), RefreshError::ContentType),
        (200, "text/plain", "{\"keys\":[]}".into(), RefreshError::ContentType),
        (200, "application/jwk+json", "{\"keys\":[]}".into(), RefreshError::ContentType),
        (200, json, page, RefreshError::NotAKeySet),
        (200, json, oct, RefreshError::NoUsableKey),
        (200, json, "{\"keys\":[null]}".into(), RefreshError::NoUsableKey),
    ];
    for text in
        ["", "{}", "[]", "null", "{\"keys\":{}}", "{\"keys\":[]", "{\"keys\":[],\"keys\":[]}"]
    {
        all.push((200, json, text.into(), RefreshError::NotAKeySet));
    }
    for status in [201, 204, 304, 401, 404, 429, 500, 503] {
        all.push((status, json, "{\"keys\":[]}".into(), RefreshError::Status));
    }
    all
}

#[tokio::test]
async fn a_bad_answer_at_boot_is_an_outage() {
    for (status, content_type, body, error) in bad_answers() {
        let remote = Remote::up();
        remote.fetch.respond(status, content_type, body.clone());
        assert_unavailable(&remote.send(&remote.token()).await);
        assert_eq!(remote.refreshes.all(), [Err(error)], "{status} {content_type} {body}");
        remote.later(Duration::from_secs(1));
        remote.send(&remote.token()).await.assert_ok();
    }
}

#[tokio::test]
async fn a_bad_answer_later_leaves_the_old_keys_in_use() {
    for (status, content_type, body, error) in bad_answers() {
        let remote = Remote::loaded().await;
        let cached = remote.token();
        remote.send(&cached).await.assert_ok();
        remote.later(FRESH);
        remote.fetch.respond(status, content_type, body.clone());
        remote.send(&cached).await.assert_ok();
        remote.refreshes.ended(2).await;
        // R7517-5-1: a document without keys is such an answer; the old set is kept.
        assert_eq!(remote.refreshes.all()[1], Err(error), "{status} {content_type} {body}");
        remote.send(&cached).await.assert_ok();
        remote.send(&remote.token()).await.assert_ok();
    }
}

#[tokio::test]
async fn one_issuers_outage_is_not_the_others() {
    let fetch = ScriptedFetch::new();
    let server = two_issuers(&fetch);
    let clock = FixedClock::at(NOW);
    let one = TestIssuer::new(ISSUER).clock(clock.clone());
    let two = TestIssuer::new("https://two.example.com").clock(clock);
    assert_unavailable(&present(&server, &two.token().build()).await);
    fetch.always_json(one.jwks_json());
    present(&server, &one.token().build()).await.assert_ok();
    assert_unavailable(&present(&server, &two.token().build()).await);
}
