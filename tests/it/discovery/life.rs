//! When metadata is looked up, how long it is used, and what happens when the keys move.

use std::time::Duration;

use futures_util::FutureExt;
use serde_json::json;
use tower_resource_server::fetch::FetchErrorKind;
use tower_resource_server::testing::{FixedClock, ScriptedFetch, TestIssuer};
use tower_resource_server::{Algorithm, Issuer, MetadataError, RefreshError};

use super::bed::{JWKS, OAUTH, OPENID, Realm, failures};
use crate::keys::{COOL_DOWN, DAY, Happened, assert_unavailable, assert_unknown, renamed};
use crate::observability::Capture;
use crate::support::{
    ISSUER, NOW, TokioClock, assert_accepted_after, key, let_others_run, present, trusting,
};

const MOVED: &str = "https://keys.example.net/set";
const HOUR: u64 = 60 * 60;

#[tokio::test]
async fn nothing_is_fetched_before_it_is_asked_for() {
    let realm = Realm::up();
    let_others_run().await;
    realm.send("garbage").await.assert_t401();
    realm
        .send(&realm.issuer.token().claim("iss", "https://other.example").build())
        .await
        .assert_t401();
    let _ = (realm.server.health(), realm.server.authenticate(), realm.server.metadata());
    assert!(realm.asked().is_empty());
    realm.server.ready().await.expect("the keys are there");
    assert_eq!(realm.asked(), [OAUTH, JWKS]);
    realm.server.ready().await.expect("they still are");
    assert_eq!(realm.asked().len(), 2);
    assert_eq!(realm.told.all(), [Happened::Metadata, Happened::Keys(1)]);
}

#[test]
fn a_server_is_built_without_a_runtime() {
    let realm = Realm::up();
    assert_unavailable(&realm.send(&realm.token()).now_or_never().expect("nothing to wait for"));
    assert_eq!(realm.told.all(), [Happened::NoKeys(RefreshError::Runtime)]);
    assert!(realm.asked().is_empty());
}

#[tokio::test]
async fn a_hundred_first_requests_share_one_look_up() {
    let realm = Realm::up();
    let hold = realm.fetch.hold();
    let tokens = (0..100).map(|_| realm.token());
    assert_accepted_after(hold, &realm.server, tokens).await;
    assert_eq!(realm.asked(), [OAUTH, JWKS]);
}

#[tokio::test(start_paused = true)]
async fn places_that_hang_are_given_up_together() {
    let realm = Realm::up();
    realm.fetch.hang_at(OAUTH);
    let begun = tokio::time::Instant::now();
    assert_unavailable(&realm.send(&realm.token()).await);
    assert_eq!(begun.elapsed().as_secs(), 5);
    let error = MetadataError::Fetch(FetchErrorKind::Timeout);
    assert_eq!(realm.told.all()[0], Happened::NoMetadata(error));
    realm.fetch.json_at(OAUTH, realm.document());
    realm.fetch.hang_at(JWKS);
    realm.later(1);
    let begun = tokio::time::Instant::now();
    assert_unavailable(&realm.send(&realm.token()).await);
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn places_that_are_slow_share_the_time_of_one_fetch() {
    let realm = Realm::empty();
    realm.fetch.hang_at(OPENID);
    let hold = realm.fetch.hold();
    let log = Capture::start();
    let begun = tokio::time::Instant::now();
    let release = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        hold.release();
    };
    let token = realm.token();
    let (answer, ()) = futures_util::future::join(realm.send(&token), release).await;
    assert_unavailable(&answer);
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(realm.asked(), [OAUTH, OPENID]);
    let failed = failures(&log);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].get("uri"), Some(OPENID));
    assert_eq!(failed[0].get("error"), Some("no whole answer in time"));
}

#[tokio::test(start_paused = true)]
async fn a_wait_has_an_end_whatever_hangs() {
    let mut realm = Realm::loaded().await;
    realm.issuer.rotate(key(Algorithm::ES256, "test-2"));
    realm.later(120);
    // The metadata is old enough to be looked up first, then the keys.
    realm.fetch.hang_at(OAUTH).hang_at(JWKS);
    let begun = tokio::time::Instant::now();
    assert_unavailable(&realm.send(&realm.token()).await);
    assert!((10..11).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_asked_once_a_refresh_and_told_with_its_place() {
    let clock = TokioClock::start();
    let mut realm = Realm::of(ISSUER, |builder| builder.clock(clock));
    realm.fetch.json_at(OAUTH, realm.document());
    realm.publish();
    realm.serves().await;
    tokio::time::advance(Duration::from_secs(120)).await;
    realm.issuer.rotate(key(Algorithm::ES256, "test-2"));
    realm.fetch.hang_at(OAUTH).hang_at(JWKS);
    let log = Capture::start();
    assert_unavailable(&realm.send(&realm.token()).await);
    // The rest after the look-up is over by then, and still there is no second one.
    assert_eq!(realm.asked(), [OAUTH, JWKS, OAUTH, JWKS]);
    let failed = failures(&log);
    let places: Vec<_> = failed.iter().map(|event| event.get("uri")).collect();
    assert_eq!(places, [Some(OAUTH), Some(JWKS)]);
    assert!(failed.iter().all(|event| event.get("error") == Some("no whole answer in time")));
}

#[tokio::test]
async fn rests_after_failures_double_up_to_half_a_minute() {
    let realm = Realm::empty();
    for rest in [1, 2, 4, 8, 16, 30, 30] {
        let before = realm.fetch.count_at(OAUTH);
        for _ in 0..10 {
            assert_unavailable(&realm.send(&realm.token()).await);
        }
        assert_eq!(realm.fetch.count_at(OAUTH), before + 1);
        realm.later(rest - 1);
        assert_unavailable(&realm.send(&realm.token()).await);
        assert_eq!(realm.fetch.count_at(OAUTH), before + 1);
        realm.later(1);
    }
    realm.fetch.json_at(OAUTH, realm.document());
    realm.publish();
    realm.serves().await;
}

/// Asserts that a document which came with that Cache-Control is looked up again after so long.
async fn assert_looked_up_after(cache_control: Option<&str>, seconds: u64) {
    let realm = Realm::up();
    if let Some(value) = cache_control {
        let answer = http::Response::builder().header("cache-control", value);
        let body = realm.document().to_string().into();
        realm.fetch.respond_with(answer.body(body).expect("a response"));
    }
    realm.server.ready().await.expect("the keys are there");
    realm.later(seconds - 1);
    realm.serves().await;
    assert_eq!(realm.fetch.count_at(OAUTH), 1, "{cache_control:?}");
    // Keys are due every eight minutes, and the metadata is looked at when they are.
    realm.later(8 * 60);
    realm.serves().await;
    assert_eq!(realm.fetch.count_at(OAUTH), 2, "{cache_control:?}");
    realm.serves().await;
    assert_eq!(realm.fetch.count_at(OAUTH), 2, "{cache_control:?}");
}

#[tokio::test]
async fn metadata_is_renewed_before_it_ages() {
    // ODISC-4-1: bounded, from a minute to a day, and an hour where the document does not say.
    assert_looked_up_after(None, HOUR / 5 * 4).await;
    assert_looked_up_after(Some("max-age=7200"), 2 * HOUR / 5 * 4).await;
    assert_looked_up_after(Some("no-store"), 48).await;
    assert_looked_up_after(Some("max-age=999999999"), 24 * HOUR / 5 * 4).await;
}

#[tokio::test]
async fn no_key_waits_for_metadata_that_is_renewed() {
    let realm = Realm::loaded().await;
    realm.fetch.hang_at(OAUTH);
    realm.later(HOUR);
    for _ in 0..3 {
        let answer = realm.send(&realm.token()).now_or_never();
        answer.expect("the request waits for something").assert_ok();
        let_others_run().await;
    }
    // The look-up hangs; the keys were refreshed beside it.
    assert_eq!(realm.fetch.count_at(OAUTH), 2);
    assert_eq!(realm.told.all()[2..], [Happened::Keys(1)]);
}

#[tokio::test]
async fn keys_outlive_an_outage_of_the_metadata() {
    let realm = Realm::loaded().await;
    realm.fetch.fail_at(OAUTH, FetchErrorKind::Transport);
    let mut refreshed = 1;
    for _ in 0..40 {
        realm.later(600);
        realm.serves().await;
        refreshed += 1;
        // ODISC-4-1: the last good document is kept, and the keys are refreshed by it.
        assert_eq!(realm.fetch.count_at(JWKS), refreshed);
    }
    assert!(realm.fetch.count_at(OAUTH) > 30);
    realm.fetch.json_at(OAUTH, realm.document());
    realm.later(600);
    realm.serves().await;
    assert!(realm.told.all().iter().rev().take(2).any(|event| *event == Happened::Metadata));
}

#[tokio::test]
async fn a_document_counts_for_a_day_past_its_freshness() {
    let realm = Realm::loaded().await;
    realm.fetch.fail_at(OAUTH, FetchErrorKind::Transport);
    realm.later(HOUR + DAY.as_secs());
    assert_unavailable(&realm.send(&realm.token()).await);
    assert_eq!(realm.fetch.count_at(JWKS), 1);
    realm.fetch.json_at(OAUTH, realm.document());
    realm.later(1);
    realm.serves().await;
}

#[tokio::test]
async fn keys_that_have_moved_away_are_found() {
    for answer in [404, 410, 301, 500] {
        let mut realm = Realm::loaded().await;
        realm.issuer.rotate(key(Algorithm::ES256, "test-2"));
        realm.fetch.at(JWKS, answer, "text/plain", "moved");
        realm.fetch.json_at(OAUTH, realm.document_with(MOVED));
        realm.fetch.json_at(MOVED, realm.issuer.jwks_json());
        realm.later(60);
        let log = Capture::start();
        // The first token of a new key finds them, and nothing has failed in the end.
        realm.serves().await;
        assert_eq!(failures(&log).len(), 0);
        assert_eq!(realm.asked().last().expect("a request"), MOVED);
    }
}

#[tokio::test]
async fn keys_that_have_moved_are_found_in_the_background_too() {
    let realm = Realm::loaded().await;
    realm.fetch.at(JWKS, 404, "text/plain", "moved");
    realm.fetch.json_at(OAUTH, realm.document_with(MOVED));
    realm.fetch.json_at(MOVED, realm.issuer.jwks_json());
    realm.later(480);
    let answer = realm.send(&realm.token()).now_or_never();
    answer.expect("the request waits for something").assert_ok();
    let_others_run().await;
    assert_eq!(realm.asked()[2..], [JWKS, OAUTH, MOVED]);
    let expected = [Happened::Metadata, Happened::Keys(1)];
    assert_eq!(realm.told.all(), [expected, expected].concat());
}

#[tokio::test]
async fn keys_that_are_published_elsewhere_are_found_though_the_old_set_is_still_there() {
    let mut realm = Realm::loaded().await;
    realm.issuer.rotate(key(Algorithm::ES256, "test-2"));
    realm.fetch.json_at(OAUTH, realm.document_with(MOVED));
    realm.fetch.json_at(MOVED, realm.issuer.jwks_json());
    realm.later(60);
    realm.serves().await;
    assert_eq!(realm.asked()[2..], [OAUTH, MOVED]);
}

#[tokio::test]
async fn a_move_to_another_place_in_the_clear_is_refused() {
    let realm = Realm::loaded().await;
    realm.fetch.at(JWKS, 404, "text/plain", "moved");
    realm.fetch.json_at(OAUTH, realm.document_with("http://as.example.com/jwks"));
    realm.later(480);
    let log = Capture::start();
    realm.serves().await;
    let messages: Vec<_> =
        failures(&log).iter().map(|event| event.get("error").map(str::to_owned)).collect();
    let expected = ["jwks_uri is missing or cannot be used", "the answer's status is not 200"];
    assert_eq!(messages, expected.map(|text| Some(text.to_owned())));
    realm.serves().await;
}

#[tokio::test]
async fn unknown_key_ids_cause_no_storm_of_look_ups() {
    let realm = Realm::loaded().await;
    let token = realm.token();
    realm.later(120);
    for n in 0..1000 {
        assert_unknown(&realm.send(&renamed(&token, &format!("random-{n}"))).await);
        realm.clock.advance(Duration::from_millis(1));
    }
    assert_eq!(realm.asked()[2..], [OAUTH, JWKS]);
    realm.clock.advance(COOL_DOWN);
    assert_unknown(&realm.send(&renamed(&token, "random")).await);
    // The document is younger than a minute and not to blame.
    assert_eq!(realm.asked()[4..], [JWKS]);
}

#[tokio::test]
async fn an_outage_of_everything_is_asked_about_every_half_minute() {
    let realm = Realm::loaded().await;
    realm.fetch.fail_at(OAUTH, FetchErrorKind::Transport).fail_at(JWKS, FetchErrorKind::Transport);
    realm.later(480);
    let token = realm.token();
    for _ in 0..600 {
        realm.later(1);
        realm.send(&token).await.assert_ok();
        let_others_run().await;
    }
    let (documents, keys) = (realm.fetch.count_at(OAUTH), realm.fetch.count_at(JWKS));
    assert!(documents <= 30 && keys <= 30, "{documents} {keys}");
    assert_unavailable(&realm.send(&renamed(&realm.token(), "unknown")).await);
    realm.fetch.json_at(OAUTH, realm.document());
    realm.publish();
    realm.later(30);
    realm.serves().await;
    assert_unknown(&realm.send(&renamed(&realm.token(), "unknown")).await);
}

#[tokio::test]
async fn one_log_event_tells_of_one_failure() {
    let realm = Realm::loaded().await;
    realm.fetch.fail_at(JWKS, FetchErrorKind::Transport);
    realm.later(480);
    let log = Capture::start();
    realm.serves().await;
    let failed = failures(&log);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].get("message"), Some("key refresh failed"));
    assert_eq!(failed[0].get("uri"), Some(JWKS));
    assert_eq!(failed[0].get("old_keys_kept"), Some("true"));
}

#[tokio::test]
async fn each_issuer_has_its_own_metadata() {
    let two = "https://two.example.com";
    let fetch = ScriptedFetch::new();
    let issuers = [ISSUER, two].map(|issuer| TestIssuer::new(issuer).clock(FixedClock::at(NOW)));
    let place = |issuer: &str| format!("{issuer}/.well-known/oauth-authorization-server");
    for issuer in &issuers {
        let jwks = format!("{}/jwks", issuer.issuer());
        fetch.json_at(
            &place(issuer.issuer()),
            json!({ "issuer": issuer.issuer(), "jwks_uri": jwks }),
        );
        fetch.json_at(&jwks, issuer.jwks_json());
    }
    let builder = trusting(Issuer::discover(ISSUER)).issuer(Issuer::discover(two));
    let server = builder.fetch(fetch.clone()).build().expect("valid");
    for issuer in &issuers {
        present(&server, &issuer.token().build()).await.assert_ok();
    }
    assert_eq!(fetch.count(), 4);
    // The second says that it is the first, which was believed for neither of them.
    fetch.json_at(&place(two), json!({ "issuer": ISSUER, "jwks_uri": format!("{two}/jwks") }));
    let server = trusting(Issuer::discover(two)).fetch(fetch).build().expect("valid");
    assert_unavailable(&present(&server, &issuers[1].token().build()).await);
}
