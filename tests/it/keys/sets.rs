//! Sets that are not only made of good keys.

use super::*;

#[tokio::test]
async fn a_set_of_unsound_keys_is_an_accident() {
    let remote = Remote::loaded().await;
    remote.fetch.always_json(json!({ "keys": [off_the_curve("a"), off_the_curve("b")] }));
    let log = Capture::start();
    assert_unavailable(&remote.send(&renamed(&remote.token(), "a")).await);
    assert_eq!(remote.refreshes.all(), [Ok(1), Err(RefreshError::NoUsableKey)]);
    remote.send(&remote.token()).await.assert_ok();
    let failed = log.of("tower_resource_server::keys");
    assert_eq!(failed[0].get("cause"), Some("passed over: {Unsound: 2}"));
}

/// More of them than are tried for one token.
#[tokio::test]
async fn unsound_keys_take_no_good_ones_place() {
    for kid in [None, Some("test-1")] {
        let good = SigningKey::generate(Algorithm::ES256);
        let good = match kid {
            Some(kid) => good.with_kid(kid),
            None => good,
        };
        let mut keys: Vec<_> = (0..5).map(|_| off_the_curve(kid.unwrap_or("other"))).collect();
        keys.push(good.public_jwk());
        let mut remote = Remote::down();
        remote.issuer = TestIssuer::with_key(ISSUER, good).clock(remote.clock.clone());
        remote.fetch.always_json(json!({ "keys": keys }));
        remote.send(&remote.token()).await.assert_ok();
    }
}

fn off_the_curve(kid: &str) -> Value {
    let mut jwk = key(Algorithm::ES256, kid).public_jwk();
    jwk["x"] = jwk["y"].clone();
    jwk
}

/// JSON readers pass over it, where nobody looks at it.
#[tokio::test]
async fn an_odd_text_in_one_entry_spoils_no_other() {
    let remote = Remote::down();
    let good = remote.issuer.jwks_json()["keys"][0].to_string();
    let odd = r#"{ "kty": "EC", "kid": "\ud800" }"#;
    remote.fetch.always(200, "application/json", format!(r#"{{ "keys": [{odd}, {good}] }}"#));
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test]
async fn members_around_the_keys_are_ignored() {
    let remote = Remote::down();
    let mut set = remote.issuer.jwks_json();
    set["issuer"] = json!("https://evil.example");
    set["more"] = json!([1, { "keys": [] }]);
    remote.fetch.always_json(set);
    // R7517-5-1: unknown members of the set.
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test]
async fn a_key_set_is_json_by_its_media_type() {
    for content_type in [
        "application/jwk-set+json",
        "application/json",
        "application/json; charset=utf-8",
        "Application/JWK-Set+JSON ;x=y",
    ] {
        let remote = Remote::down();
        remote.fetch.always(200, content_type, remote.issuer.jwks_bytes());
        // R7517-8.5-1: its own type, and the general one.
        remote.send(&remote.token()).await.assert_ok();
    }
    let remote = Remote::down();
    remote.fetch.always(200, "text/html", remote.issuer.jwks_bytes());
    assert_unavailable(&remote.send(&remote.token()).await);
    // R7517-8.5-1: a page is no key set, whatever it holds.
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::ContentType)]);
}
