//! What OAuth 2.1 says to resource servers.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_resource_server::testing::{Flaw, TestIssuer};
use tower_resource_server::{
    Credential, CredentialSource, Grant, Predicate, RejectionKind, RequestHead, Scopes,
};

use crate::support::{Bed, ISSUER, Logs, bearer, get, refusals, send, send_vector};

type Body = Full<bytes::Bytes>;

/// What reaches the inner service: header fields, and the grant if there is one.
async fn forwarded<L>(layer: L, request: Request<Body>) -> (HeaderMap, Option<Grant>)
where
    L: Layer<tower::util::BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>>,
    L::Service: tower::Service<Request<Body>, Error = Infallible>,
{
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let inner = service_fn(move |request: Request<Body>| {
        let grant = request.extensions().get::<Grant>().cloned();
        *keep.lock().expect("no panic") = Some((request.headers().clone(), grant));
        async { Ok(Response::new(Body::default())) }
    });
    let service = layer.layer(tower::util::BoxCloneSyncService::new(inner));
    assert!(service.oneshot(request).await.is_ok());
    seen.lock().expect("no panic").take().expect("the request was let through")
}

#[tokio::test]
async fn debug_and_display_show_no_token() {
    let bed = Bed::new();
    let token = bed.token();
    let (_, grant) = forwarded(bed.server.authenticate(), bearer(&token)).await;
    let grant = grant.expect("a grant");
    let rejection = grant.require(Scopes::all(["write"])).expect_err("too little");
    let shown = format!("{grant:?} {rejection:?} {rejection} {:?}", bed.server.authenticate());
    assert!(shown.contains("user-1"));
    // O21-1.4-1: neither the token nor a part of it.
    assert!(!token.split('.').any(|part| shown.contains(part)));
}

#[tokio::test]
async fn the_log_shows_no_token() {
    let bed = Bed::new();
    let tokens = [bed.token(), bed.issuer.token().flaw(Flaw::Expired).build()];
    let (logs, guard) = Logs::capture();
    for token in &tokens {
        let target = format!("/r?access_token={token}");
        let mut request = bearer(token);
        *request.uri_mut() = target.parse().expect("a target");
        let _ = send(bed.server.authenticate().require(Scopes::all(["write"])), request).await;
    }
    let _ = refusals(|builder| builder).await;
    drop(guard);
    let log = logs.text();
    assert!(log.contains("insufficient-scope") && log.contains("expired-token"), "{log}");
    // O21-1.4-1: at the most talkative level, in no event.
    assert!(!tokens.iter().flat_map(|token| token.split('.')).any(|part| log.contains(part)));
}

#[tokio::test]
async fn the_authorization_field_is_forwarded_as_sensitive() {
    let bed = Bed::new();
    let token = bed.token();
    // Sent twice, since a token seen before takes a shorter way.
    for request in [bearer(&token), bearer(&token)] {
        let (headers, _) = forwarded(bed.server.authenticate(), request).await;
        let mut lines = headers.get_all("authorization").iter().peekable();
        // O21-1.4-1: so that whoever prints the request inside does not print the token.
        assert!(lines.peek().is_some() && lines.all(|line| line.is_sensitive()));
    }
}

#[tokio::test]
async fn scopes_are_case_sensitive_and_come_in_any_order() {
    let bed = Bed::new();
    let read = bed.server.authenticate().require(Scopes::all(["read"]));
    for scope in ["Read", "READ", "read2", "rea", "read,write", "read\twrite"] {
        let token = bed.issuer.token().scope(scope).build();
        // O21-1.4.1-1: exactly the same, with nothing but spaces between two.
        send(read.clone(), bearer(&token)).await.assert_s403("read");
    }
    let both = bed.server.authenticate().require(Scopes::all(["read", "write"]));
    for scope in ["write read", "read write", "write other read"] {
        let token = bed.issuer.token().scope(scope).build();
        // O21-1.4.1-1
        send(both.clone(), bearer(&token)).await.assert_ok();
    }
}

#[test]
fn resources_are_https_except_on_loopback() {
    let built = |resource: &str| {
        let result = TestIssuer::new(ISSUER).resource_server(resource).build();
        result.map(|_| ()).map_err(|error| error.faults()[0].setting())
    };
    for host in ["api.example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0"] {
        // O21-1.5-1
        assert_eq!(built(&format!("http://{host}/r")), Err("resource"), "{host}");
        assert_eq!(built(&format!("https://{host}/r")), Ok(()), "{host}");
    }
    for host in ["localhost:3000", "127.0.0.1", "[::1]:80"] {
        // O21-1.5-1: this very machine is the exception.
        assert_eq!(built(&format!("http://{host}")), Ok(()), "{host}");
    }
}

#[tokio::test]
async fn tokens_in_the_query_count_neither_for_nor_against_a_request() {
    let bed = Bed::new();
    let token = bed.token();
    let target = |query: &str| format!("/r?access_token={query}").parse().expect("a target");
    let mut request = get(&[]);
    *request.uri_mut() = target(&token);
    // O21-5.1-1: alone it is nothing.
    send(bed.server.authenticate(), request).await.assert_n401();
    for query in ["BAD", &token, "a&access_token=b"] {
        let mut request = bearer(&token);
        *request.uri_mut() = target(query);
        // O21-5.1-1, D-2: beside the header it does no harm.
        send(bed.server.authenticate(), request).await.assert_ok();
    }
}

#[tokio::test]
async fn expiry_resource_scope_and_policy_are_each_checked() {
    let bed = Bed::new();
    let policy = Predicate::new("The account is closed", |grant| {
        grant.claim::<String>("account").as_deref() == Some("open")
    });
    let layer = bed.server.authenticate().require(Scopes::all(["read"]).and(policy));
    let good = || bed.issuer.token().scope("read").claim("account", "open");
    let sent = |token: String| send(layer.clone(), bearer(&token));
    sent(good().build()).await.assert_ok();
    // O21-5.2-1: each failing alone.
    sent(good().flaw(Flaw::Expired).build()).await.assert_t401();
    sent(good().flaw(Flaw::WrongAudience).build()).await.assert_t401();
    sent(good().scope("write").build()).await.assert_s403("read");
    let answer = sent(good().claim("account", "closed").build()).await;
    // O21-5.2-1: a policy of the application's own, with its reason.
    answer.assert_s403("read");
    assert_eq!(answer.kind(), Some(RejectionKind::RequirementNotMet));
    assert_eq!(answer.challenge().get("error_description"), Some("The account is closed"));
}

#[tokio::test]
async fn tokens_for_another_server_are_refused() {
    let answer = send_vector("at-aud-other").await;
    // O21-7.1.4-1
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience));
}

#[tokio::test]
async fn tokens_for_another_action_are_refused() {
    let bed = Bed::new();
    let payment = Predicate::new("The token is not for this payment", |grant| {
        let details = grant.claim::<serde_json::Value>("authorization_details");
        details.is_some_and(|details| details[0]["type"] == "payment")
    });
    let layer = bed.server.authenticate().require(Scopes::all(["pay"]).and(payment));
    let token = |scope: &str, kind: &str| {
        let details = serde_json::json!([{ "type": kind }]);
        bed.issuer.token().scope(scope).claim("authorization_details", details).build()
    };
    send(layer.clone(), bearer(&token("pay", "payment"))).await.assert_ok();
    // O21-7.1.4-2: by scope as by authorization_details.
    send(layer.clone(), bearer(&token("read", "payment"))).await.assert_s403("pay");
    send(layer, bearer(&token("pay", "account"))).await.assert_s403("pay");
}

#[derive(Debug)]
struct Field;

impl CredentialSource for Field {
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<Option<Credential<'a>>, RejectionKind> {
        let value = head.headers().get("x-token").and_then(|value| value.to_str().ok());
        Ok(value.map(Credential::bearer))
    }
}

#[tokio::test]
async fn tokens_beyond_token68_travel_only_where_they_are_let() {
    let opaque = "opaque$token!";
    let strict = Bed::with(|builder| builder.credential_source(Field));
    // O21-A-1, D-12: the header takes token68 alone.
    strict.bearer(opaque).await.assert_r400();
    let elsewhere = send(strict.server.authenticate(), get(&[("x-token", opaque)])).await;
    // O21-A-1, D-12: other places take every VSCHAR, so the verifier gets to see it.
    elsewhere.assert_t401();
    let lenient = Bed::with(|builder| builder.lenient_token_charset());
    // O21-A-1, D-12: the option lets it into the header.
    lenient.bearer(opaque).await.assert_t401();
    lenient.bearer("opaque,token").await.assert_r400();
}
