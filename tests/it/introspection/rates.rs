//! How many calls are begun, and for whom.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tower_resource_server::IntrospectionError;
use tower_resource_server::testing::{Condition, Endpoint};

use super::bed::{Asked, TOKEN, right_but, told};
use crate::observability::Capture;
use crate::support::let_others_run;

const SECOND: Duration = Duration::from_secs(1);
/// How long an active token is remembered.
const MINUTE: Duration = Duration::from_secs(60);

/// A server that begins eight calls a second, two of them for tokens that were active of late.
fn slow() -> Asked {
    Asked::with(|introspection| introspection.max_calls_per_second(8))
}

/// Requests with invented tokens: how many of them the issuer was asked about.
async fn flood(asked: &Asked, name: &str) -> usize {
    let before = asked.calls();
    for number in 0..20 {
        let answer = asked.present(&format!("{name}-{number}")).await;
        match asked.failures.take()[..] {
            [] => answer.assert_t401(),
            [IntrospectionError::Busy] => answer.assert_x503(),
            ref others => panic!("{others:?}"),
        }
    }
    asked.calls() - before
}

#[tokio::test]
async fn strangers_cause_so_many_calls_a_second() {
    let asked = slow();
    // R7662-4-6: a flood is 503, and the issuer sees three quarters of the rate.
    assert_eq!(flood(&asked, "one").await, 6);
    assert_eq!(flood(&asked, "two").await, 0);
    asked.clock.advance(SECOND);
    assert_eq!(flood(&asked, "three").await, 6);
}

#[tokio::test]
async fn when_a_flood_is_over_the_next_is_accepted() {
    let asked = slow();
    flood(&asked, "invented").await;
    let token = asked.token();
    asked.present(&token).await.assert_x503();
    asked.clock.advance(SECOND);
    // R7662-4-4: nothing of the flood is remembered against anybody.
    asked.present(&token).await.assert_ok();
}

#[tokio::test]
async fn a_flood_does_not_stop_those_whose_tokens_were_active() {
    let asked = slow();
    let tokens: Vec<_> = (0..3).map(|_| asked.token()).collect();
    for token in &tokens {
        asked.present(token).await.assert_ok();
    }
    asked.clock.advance(MINUTE);
    assert_eq!(flood(&asked, "invented").await, 6);
    // R7662-4-6: a quarter of the rate is theirs alone, and no more than that.
    asked.present(&tokens[0]).await.assert_ok();
    asked.present(&tokens[1]).await.assert_ok();
    asked.present(&tokens[2]).await.assert_x503();
    assert_eq!(asked.failures.take(), [IntrospectionError::Busy]);
    // What is remembered goes on in any case.
    asked.present(&tokens[0]).await.assert_ok();
}

#[tokio::test]
async fn without_memory_a_token_is_known_of_late_all_the_same() {
    let asked = Asked::with(|introspection| {
        introspection.cache_for(Duration::ZERO).max_calls_per_second(8)
    });
    let token = asked.token();
    asked.present(&token).await.assert_ok();
    asked.clock.advance(SECOND);
    assert_eq!(flood(&asked, "invented").await, 6);
    asked.present(&token).await.assert_ok();
}

#[tokio::test]
async fn a_token_that_was_revoked_is_a_stranger() {
    let asked = slow();
    let token = asked.token();
    asked.present(&token).await.assert_ok();
    asked.authorization_server.revoke(&token);
    asked.clock.advance(MINUTE);
    asked.present(&token).await.assert_t401();
    asked.clock.advance(MINUTE);
    flood(&asked, "invented").await;
    asked.present(&token).await.assert_x503();
}

#[tokio::test]
async fn a_token_that_expired_is_a_stranger() {
    let asked = slow();
    let exp = crate::support::NOW + 90;
    asked.about(right_but("exp", json!(exp))).await.assert_ok();
    asked.clock.advance(89 * SECOND);
    flood(&asked, "early").await;
    asked.present(TOKEN).await.assert_ok();
    asked.clock.advance(SECOND);
    flood(&asked, "late").await;
    asked.present(TOKEN).await.assert_x503();
}

#[tokio::test]
async fn a_failure_stops_no_later_call() {
    let asked = slow();
    let token = asked.token();
    asked.present(&token).await.assert_ok();
    asked.clock.advance(MINUTE);
    asked.authorization_server.set(Condition::Down);
    for _ in 0..7 {
        asked.present(&token).await.assert_x503();
    }
    asked.authorization_server.set(Condition::Up);
    // R7662-4-4: at once, in the same second.
    asked.present(&token).await.assert_ok();
}

#[tokio::test]
async fn slow_calls_of_strangers_leave_room_for_tokens_that_were_active() {
    let asked = Asked::with(|introspection| introspection.max_calls(4));
    let known = asked.token();
    asked.present(&known).await.assert_ok();
    asked.clock.advance(MINUTE);
    let hold = asked.authorization_server.hold();
    let strangers = join_all(["a", "b", "c"].map(|token| asked.present(token)));
    let meanwhile = async {
        asked.authorization_server.arrived(Endpoint::Introspection, 4).await;
        // R7662-4-6: three of four calls are under way, and the last is for others.
        asked.present("d").await.assert_x503();
        assert_eq!(asked.failures.take(), [IntrospectionError::Busy]);
        let renewed = asked.present(&known);
        let release = async {
            let_others_run().await;
            hold.release();
        };
        tokio::join!(renewed, release).0.assert_ok();
    };
    let (answers, ()) = tokio::join!(strangers, meanwhile);
    answers.iter().for_each(crate::support::Answer::assert_t401);
}

#[tokio::test]
async fn a_flood_is_a_line_a_second_in_the_log_and_an_event_each() {
    let asked = slow();
    let log = Capture::start();
    for number in 0..26 {
        asked.present(&format!("invented-{number}")).await;
    }
    assert_eq!(asked.failures.take(), [IntrospectionError::Busy; 20]);
    assert_eq!(asked.server.health().issuers()[0].introspection_failures(), Some(0));
    asked.clock.advance(SECOND);
    for number in 26..33 {
        asked.present(&format!("invented-{number}")).await;
    }
    let lines = told(&log);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let busy = IntrospectionError::Busy.to_string();
    for (line, requests) in lines.iter().zip(["1", "20"]) {
        assert_eq!(line.get("error"), Some(busy.as_str()));
        assert_eq!(line.get("cause"), Some("too many were begun this second"));
        // Those since the line before, the one that causes this line too.
        assert_eq!(line.get("requests"), Some(requests));
    }
}
