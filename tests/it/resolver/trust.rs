//! How long trust lasts, and what changes.

use std::time::Duration;

use futures_util::FutureExt;
use tower_resource_server::fetch::FetchErrorKind;
use tower_resource_server::testing::{Flaw, TestIssuer};
use tower_resource_server::{Algorithm, AllowedIssuers, Issuer, RejectionKind};

use super::{Answers, Bed, DAY, FRESH, REALMS, assert_unavailable, assert_untrusted, token};
use crate::support::{key, let_others_run, present};

#[tokio::test]
async fn that_an_issuer_is_not_trusted_counts_for_a_minute() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    assert_untrusted(&bed.send(&token(&blue)).await);
    bed.realms.trust("blue", blue.trusted());
    bed.clock.advance(Duration::from_secs(59));
    assert_untrusted(&bed.send(&token(&blue)).await);
    assert_eq!(bed.realms.asked(), 1);
    bed.clock.advance(Duration::from_secs(1));
    bed.send(&token(&blue)).await.assert_ok();
}

#[tokio::test]
async fn a_known_issuer_is_looked_up_again_in_the_background() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    let old = token(&blue);
    bed.send(&old).await.assert_ok();
    bed.clock.advance(FRESH - Duration::from_millis(1));
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 1);
    // It is due, and nobody waits for it; unchanged, it keeps the keys it has.
    bed.clock.advance(Duration::from_millis(1));
    let fetches = bed.fetch.count();
    bed.send(&token(&blue)).now_or_never().expect("it waits for nothing").assert_ok();
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 2);
    bed.send(&token(&blue)).await.assert_ok();
    assert!(bed.fetch.count() <= fetches + 1, "at most the refresh of keys that have aged");
    bed.send(&old).now_or_never().expect("it is remembered").assert_ok();
}

#[tokio::test]
async fn a_changed_issuer_is_judged_anew_with_all_its_tokens() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    let old = token(&blue);
    bed.send(&old).await.assert_ok();
    // The realm gets other keys, which its resolver knows.
    let other = bed.issuer("blue");
    bed.realms.trust("blue", other.trusted());
    bed.clock.advance(FRESH);
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    let answer = bed.send(&old).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::BadSignature), "it is remembered no longer");
    bed.send(&token(&other)).await.assert_ok();
}

#[tokio::test]
async fn an_issuer_that_changes_keeps_its_keys_while_nobody_can_fetch_them() {
    let bed = Bed::new();
    let (blue, uri) = (bed.remote("blue"), format!("{REALMS}blue/keys"));
    bed.send(&token(&blue)).await.assert_ok();
    bed.fetch.fail_at(&uri, FetchErrorKind::Transport);
    let changed = || Issuer::jwks_uri(blue.issuer(), uri.clone()).audience_name("orders");
    bed.realms.trust("blue", changed());
    bed.clock.advance(FRESH);
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    let for_orders = blue.token().claim("aud", "orders").expires_in(DAY).build();
    bed.send(&for_orders).await.assert_ok();
    let answer = bed.send(&token(&blue)).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience));
    // Other algorithms are other keys.
    bed.realms.trust("blue", changed().algorithms([Algorithm::RS256, Algorithm::ES256]));
    bed.clock.advance(FRESH);
    bed.send(&for_orders).await.assert_ok();
    let_others_run().await;
    let answer = bed.send(&for_orders).await;
    answer.assert_x503();
    assert_eq!(answer.kind(), Some(RejectionKind::KeysUnavailable));
}

#[tokio::test]
async fn an_issuer_whose_keys_move_gets_them_from_there() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    bed.send(&token(&blue)).await.assert_ok();
    let moved = TestIssuer::with_key(blue.issuer(), key(Algorithm::ES256, "1"));
    let moved = moved.clock(bed.clock.clone());
    let uri = "https://keys.example.com/blue";
    bed.fetch.json_at(uri, moved.jwks_json());
    bed.realms.trust("blue", Issuer::jwks_uri(blue.issuer(), uri));
    bed.clock.advance(FRESH);
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    bed.send(&token(&moved)).await.assert_ok();
    let answer = bed.send(&token(&blue)).await;
    assert_eq!(answer.kind(), Some(RejectionKind::BadSignature));
}

#[tokio::test]
async fn of_more_issuers_than_are_kept_the_one_used_longest_ago_goes() {
    let bed = Bed::allowing(AllowedIssuers::below(REALMS).max_issuers(2));
    let [blue, red, green] = ["blue", "red", "green"].map(|realm| bed.fixed(realm));
    let only = token(&blue);
    for known in [&only, &token(&red)] {
        bed.send(known).await.assert_ok();
        bed.clock.advance(Duration::from_secs(1));
    }
    // That a token is remembered is use as well.
    bed.send(&only).now_or_never().expect("it is remembered").assert_ok();
    bed.clock.advance(Duration::from_secs(1));
    bed.send(&token(&green)).await.assert_ok();
    assert_eq!((bed.realms.asked(), bed.server.health().issuers().len()), (3, 2));
    bed.send(&only).now_or_never().expect("it is remembered").assert_ok();
    bed.send(&token(&red)).await.assert_ok();
    assert_eq!(bed.realms.asked(), 4);
}

/// Anybody can make tokens that name a known issuer.
#[tokio::test]
async fn forged_tokens_are_no_use_of_an_issuer() {
    let bed = Bed::allowing(AllowedIssuers::below(REALMS).max_issuers(2));
    let [blue, red, green] = ["blue", "red", "green"].map(|realm| bed.fixed(realm));
    for known in [&blue, &red] {
        bed.send(&token(known)).await.assert_ok();
        bed.clock.advance(Duration::from_secs(1));
    }
    let forged = blue.token().flaw(Flaw::BadSignature).build();
    bed.send(&forged).await.assert_t401();
    bed.clock.advance(Duration::from_secs(1));
    bed.send(&token(&green)).await.assert_ok();
    bed.send(&token(&red)).await.assert_ok();
    assert_eq!(bed.realms.asked(), 3, "it was blue that was forgotten");
}

#[tokio::test]
async fn an_issuer_that_is_trusted_no_longer_takes_its_tokens_with_it() {
    let bed = Bed::new();
    let (blue, red) = (bed.remote("blue"), bed.remote("red"));
    let (old, others) = (token(&blue), token(&red));
    bed.send(&old).await.assert_ok();
    bed.send(&others).await.assert_ok();
    bed.realms.set("blue", Answers::Nothing);
    bed.clock.advance(FRESH);
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    assert_untrusted(&bed.send(&old).await);
    bed.send(&others).await.assert_ok();
    assert_eq!(bed.server.health().issuers().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_remembered_does_not_keep_its_issuer_trusted() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    let only = token(&blue);
    bed.send(&only).await.assert_ok();
    bed.realms.set("blue", Answers::Nothing);
    // Nothing but this one token ever comes.
    bed.clock.advance(FRESH);
    bed.send(&only).now_or_never().expect("it waits for nothing").assert_ok();
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 2);
    assert_untrusted(&bed.send(&only).await);
}

#[tokio::test]
async fn a_token_that_is_remembered_does_not_outlast_the_trust_in_its_issuer() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    let only = token(&blue);
    bed.send(&only).await.assert_ok();
    bed.realms.set("blue", Answers::Failure);
    bed.clock.advance(FRESH + DAY - Duration::from_millis(1));
    bed.send(&only).await.assert_ok();
    let_others_run().await;
    bed.clock.advance(Duration::from_millis(1));
    assert_unavailable(&bed.send(&only).await);
    bed.realms.trust("blue", blue.trusted());
    bed.clock.advance(Duration::from_secs(1));
    bed.send(&only).await.assert_ok();
}

#[tokio::test]
async fn a_token_that_waited_for_keys_is_refused_if_trust_has_ended_meanwhile() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    bed.send(&token(&blue)).await.assert_ok();
    let rotated = TestIssuer::with_key(blue.issuer(), key(Algorithm::ES256, "2"));
    let rotated = rotated.clock(bed.clock.clone());
    bed.fetch.json_at(&format!("{REALMS}blue/keys"), rotated.jwks_json());
    bed.realms.set("blue", Answers::Nothing);
    bed.clock.advance(FRESH);
    let hold = bed.fetch.hold();
    let (server, waiting) = (bed.server.clone(), token(&rotated));
    let waiting = tokio::spawn(async move { present(&server, &waiting).await });
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 2);
    hold.release();
    assert_unavailable(&waiting.await.expect("no panic"));
    assert_untrusted(&bed.send(&token(&rotated)).await);
}

#[tokio::test]
async fn while_the_resolver_fails_known_issuers_stay_trusted_for_a_day() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    bed.send(&token(&blue)).await.assert_ok();
    bed.realms.set("blue", Answers::Failure);
    bed.clock.advance(FRESH + DAY - Duration::from_millis(1));
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    bed.clock.advance(Duration::from_millis(1));
    assert_unavailable(&bed.send(&token(&blue)).await);
}
