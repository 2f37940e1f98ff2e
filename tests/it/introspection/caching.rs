//! What is remembered of answers, and for how long.

use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;
use tower_resource_server::testing::{Condition, Endpoint, TestAuthorizationServer, TestIssuer};
use tower_resource_server::{
    ClientAuthentication, Introspection, IntrospectionError, Issuer, ResourceServer,
};

use super::bed::{Asked, TOKEN, asking, right_but};
use crate::support::let_others_run;
use crate::support::{NOW, RESOURCE, present};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn an_active_token_is_asked_about_once_a_minute() {
    let asked = Asked::new();
    let token = asked.token();
    for _ in 0..3 {
        asked.present(&token).await.assert_ok();
    }
    assert_eq!(asked.calls(), 1);
    asked.clock.advance(59 * SECOND);
    asked.present(&token).await.assert_ok();
    assert_eq!(asked.calls(), 1);
    asked.clock.advance(SECOND);
    asked.present(&token).await.assert_ok();
    assert_eq!(asked.calls(), 2);
}

#[tokio::test]
async fn an_answer_counts_no_longer_than_its_token() {
    let asked = Asked::having(
        |introspection| introspection.cache_for(Duration::from_secs(3600)),
        |builder| builder.leeway(Duration::ZERO),
    );
    asked.about(right_but("exp", json!(NOW + 20))).await.assert_ok();
    asked.clock.advance(19 * SECOND);
    asked.present(TOKEN).await.assert_ok();
    assert_eq!(asked.calls(), 1);
    asked.clock.advance(SECOND);
    // R7662-4-2: past exp somebody is asked anew, and says so.
    asked.present(TOKEN).await.assert_t401();
    assert_eq!(asked.calls(), 2);
}

#[tokio::test]
async fn leeway_does_not_lengthen_what_is_remembered() {
    let asked = Asked::new();
    asked.about(right_but("exp", json!(NOW + 1))).await.assert_ok();
    asked.clock.advance(SECOND);
    // R7662-4-2: the issuer calls it inactive at once, though the leeway of this server is a minute.
    asked.present(TOKEN).await.assert_t401();
}

#[tokio::test]
async fn without_memory_every_request_asks() {
    let asked = Asked::with(|introspection| introspection.cache_for(Duration::ZERO));
    let token = asked.token();
    for calls in 1..=3 {
        asked.present(&token).await.assert_ok();
        // R7662-4-3.
        assert_eq!(asked.calls(), calls);
    }
    asked.authorization_server.revoke(&token);
    asked.present(&token).await.assert_t401();
}

#[tokio::test]
async fn a_revoked_token_works_as_long_as_the_answer_is_remembered() {
    let asked = Asked::with(|introspection| introspection.cache_for(5 * SECOND));
    let token = asked.token();
    asked.present(&token).await.assert_ok();
    asked.authorization_server.revoke(&token);
    asked.clock.advance(Duration::from_millis(4_999));
    asked.present(&token).await.assert_ok();
    asked.clock.advance(Duration::from_millis(1));
    // R7662-4-3: five seconds, and no more.
    asked.present(&token).await.assert_t401();
}

#[tokio::test]
async fn a_clock_that_went_back_makes_no_answer_last() {
    let asked = Asked::new();
    let token = asked.token();
    asked.present(&token).await.assert_ok();
    asked.clock.rewind(Duration::from_secs(30));
    asked.present(&token).await.assert_ok();
    assert_eq!(asked.calls(), 2);
}

#[tokio::test]
async fn refusals_are_remembered_briefly() {
    let asked = Asked::new();
    for _ in 0..1000 {
        asked.present("abc").await.assert_t401();
    }
    // R7662-4-4.
    assert_eq!(asked.calls(), 1);
    asked.authorization_server.register("abc", right_but("sub", json!("late")));
    asked.clock.advance(10 * SECOND);
    asked.present("abc").await.assert_ok();
    assert_eq!(asked.calls(), 2);
}

#[tokio::test]
async fn refusals_are_remembered_as_briefly_as_one_likes() {
    let asked = Asked::with(|introspection| introspection.cache_refusals_for(Duration::ZERO));
    for calls in 1..=3 {
        asked.present("abc").await.assert_t401();
        assert_eq!(asked.calls(), calls);
    }
}

#[tokio::test]
async fn failures_are_never_remembered() {
    let asked = Asked::new();
    let token = asked.token();
    for failure in [
        Condition::Down,
        Condition::Status(StatusCode::INTERNAL_SERVER_ERROR),
        Condition::Status(StatusCode::UNAUTHORIZED),
        Condition::Status(StatusCode::NO_CONTENT),
    ] {
        let asked_before = asked.calls();
        asked.authorization_server.set(failure);
        asked.present(&token).await.assert_x503();
        asked.authorization_server.set(Condition::Up);
        // R7662-4-4: the next request tries again.
        asked.present(&token).await.assert_ok();
        assert_eq!(asked.calls(), asked_before + 2, "{failure:?}");
        asked.clock.advance(60 * SECOND);
    }
}

#[tokio::test]
async fn known_tokens_go_on_through_an_outage() {
    let asked = Asked::new();
    let token = asked.token();
    asked.present(&token).await.assert_ok();
    asked.authorization_server.set(Condition::Down);
    asked.present(&token).await.assert_ok();
    asked.clock.advance(60 * SECOND);
    // And no further: a token that was revoked must not live on because nobody can say so.
    asked.present(&token).await.assert_x503();
}

#[tokio::test]
async fn a_hundred_requests_at_once_make_one_call() {
    let asked = Asked::new();
    let token = asked.token();
    let hold = asked.authorization_server.hold();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (server, token) = (asked.server.clone(), token.clone());
        requests.spawn(async move { present(&server, &token).await.assert_ok() });
    }
    asked.authorization_server.arrived(Endpoint::Introspection, 1).await;
    let_others_run().await;
    hold.release();
    while let Some(ended) = requests.join_next().await {
        ended.expect("no request panics");
    }
    // R7662-4-5.
    assert_eq!(asked.calls(), 1);
}

#[tokio::test]
async fn those_who_share_a_call_share_its_failure() {
    let asked = Asked::new();
    let token = asked.token();
    asked.authorization_server.set(Condition::Status(StatusCode::BAD_GATEWAY));
    let hold = asked.authorization_server.hold();
    let requests = join_all((0..10).map(|_| asked.present(&token)));
    let release = async {
        let_others_run().await;
        hold.release();
    };
    let (answers, ()) = tokio::join!(requests, release);
    answers.iter().for_each(super::super::support::Answer::assert_x503);
    assert_eq!(asked.calls(), 1);
    assert_eq!(asked.failures.take(), [IntrospectionError::Status]);
}

#[tokio::test]
async fn a_client_that_leaves_stops_nothing() {
    let asked = Asked::new();
    let token = asked.token();
    let hold = asked.authorization_server.hold();
    let leaving = asked.present(&token);
    tokio::select! {
        biased;
        _ = leaving => panic!("the call is held"),
        () = asked.authorization_server.arrived(Endpoint::Introspection, 1) => {}
    }
    let waiting = asked.present(&token);
    let release = async {
        let_others_run().await;
        hold.release();
    };
    let (answer, ()) = tokio::join!(waiting, release);
    answer.assert_ok();
    // R7662-4-5: the call of the one who left served the other, and what came of it is remembered.
    assert_eq!(asked.calls(), 1);
    asked.present(&token).await.assert_ok();
    assert_eq!(asked.calls(), 1);
}

#[tokio::test]
async fn no_more_calls_than_allowed_are_under_way() {
    let asked = Asked::with(|introspection| introspection.max_calls(3));
    let known = asked.token();
    asked.present(&known).await.assert_ok();
    let hold = asked.authorization_server.hold();
    let tokens: Vec<_> = (0..3).map(|_| asked.token()).collect();
    let under_way = join_all(tokens.iter().map(|token| asked.present(token)));
    let meanwhile = async {
        asked.authorization_server.arrived(Endpoint::Introspection, 4).await;
        let answer = asked.present(&asked.token()).await;
        // R7662-4-6: one too many, and nobody's fault.
        answer.assert_x503();
        assert_eq!(asked.failures.take(), [IntrospectionError::Busy]);
        // Known tokens go on.
        asked.present(&known).await.assert_ok();
        hold.release();
    };
    let (answers, ()) = tokio::join!(under_way, meanwhile);
    answers.iter().for_each(super::super::support::Answer::assert_ok);
    assert_eq!(asked.calls(), 4);
    // There is room again.
    asked.present(&asked.token()).await.assert_ok();
}

#[tokio::test]
async fn two_servers_share_nothing() {
    let asked = Asked::new();
    let token = asked.token();
    let other_client = ClientAuthentication::client_secret_basic("api-2", "other");
    let url = asked.authorization_server.url(Endpoint::Introspection);
    let introspection = Introspection::at(url, other_client);
    let builder = asking(introspection, asked.authorization_server.clone(), &asked.clock);
    let other = builder.build().expect("valid");
    asked.present(&token).await.assert_ok();
    present(&other, &token).await.assert_ok();
    // R7662-5-1, R7662-4-5: an answer is for the client that asked, and for nobody else.
    assert_eq!(asked.calls(), 2);
    let fields: Vec<_> =
        asked.requests().iter().map(|call| call.headers()["authorization"].clone()).collect();
    assert_ne!(fields[0], fields[1]);
}

#[tokio::test]
async fn two_issuers_are_asked_about_one_token() {
    let asked = Asked::new();
    let token = asked.token();
    let name = "https://other.example.com";
    let issuer = TestIssuer::new(name).clock(asked.clock.clone());
    let other = TestAuthorizationServer::of(issuer);
    let introspection = other.introspection();
    let builder = ResourceServer::builder(RESOURCE)
        .issuer(Issuer::introspection(name, introspection))
        .clock(asked.clock.clone())
        .fetch(other.clone());
    let server = builder.build().expect("valid");
    asked.present(&token).await.assert_ok();
    // R7662-4-5: what one issuer says of a token is nothing that another has said.
    present(&server, &token).await.assert_t401();
    asked.present(&token).await.assert_ok();
    assert_eq!((asked.calls(), other.count(Endpoint::Introspection)), (1, 1));
}

#[tokio::test]
async fn layers_of_one_server_share_what_it_knows() {
    let asked = Asked::new();
    let token = asked.token();
    asked.present(&token).await.assert_ok();
    asked.read_with(&token).await.assert_ok();
    assert_eq!(asked.calls(), 1);
}

#[tokio::test]
async fn what_a_server_remembers_goes_with_it() {
    let asked = Asked::new();
    let Asked { authorization_server, server, .. } = asked;
    let token = authorization_server.opaque(&authorization_server.token());
    let observer = std::sync::Arc::new(());
    let weak = std::sync::Arc::downgrade(&observer);
    let introspection = Introspection::at(
        authorization_server.url(Endpoint::Introspection),
        ClientAuthentication::bearer_from(move || {
            let _held = &observer;
            Some("t".to_owned())
        }),
    );
    drop(server);
    let clock = tower_resource_server::testing::FixedClock::at(NOW);
    let server = asking(introspection, authorization_server, &clock).build().expect("valid");
    present(&server, &token).await.assert_ok();
    let_others_run().await;
    assert!(weak.upgrade().is_some());
    drop(server);
    // A remembered token holds its issuer, and the issuer what asks about tokens: no circle.
    assert!(weak.upgrade().is_none());
}

#[tokio::test]
async fn strangers_push_out_nothing_that_is_good() {
    let asked =
        Asked::with(|introspection| introspection.cache_bytes(8 * 1024).max_calls_per_second(1000));
    let token = asked.token();
    asked.present(&token).await.assert_ok();
    for number in 0..400 {
        asked.present(&format!("garbage-{number}")).await.assert_t401();
    }
    let before = asked.calls();
    asked.present(&token).await.assert_ok();
    // R7662-4-4: refusals have a room of their own.
    assert_eq!(asked.calls(), before);
}
