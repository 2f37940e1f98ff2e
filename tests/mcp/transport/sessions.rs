//! `Mcp-Session-Id`: a session is used by whoever began it.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_resource_server::mcp::{Mcp, SealedSessions, Tools};
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Issuer, Profile, RejectionKind, ResourceServer};

use super::{Endpoint, SESSION, VERSION, ask, bare, bed, bed_of, post, with};
use crate::support::{Answer, Bed, Handler, ISSUER, Logs, RESOURCE, read, send, send_around};

const LEGACY: (&str, &str) = (VERSION, "2025-11-25");

fn assert_unknown(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
    assert_eq!(answer.kind(), Some(RejectionKind::UnknownSession));
    assert!(!answer.handled);
    assert!(answer.all("www-authenticate").is_empty());
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    assert_eq!(answer.json()["error"]["code"], -32600);
}

/// A new session of whoever has the token, as the client sees it.
async fn begin(bed: &Bed, endpoint: &Endpoint, token: &str) -> String {
    let answer = endpoint.ask(bed.server.mcp(), post(token, &[])).await;
    answer.assert_ok();
    answer.all(SESSION)[0].to_owned()
}

fn token_of(bed: &Bed, subject: &str) -> String {
    bed.issuer.token().subject(subject).scope("read").build()
}

#[tokio::test]
async fn its_beginner_goes_on_and_the_endpoint_sees_its_own_id() {
    let bed = bed();
    let (endpoint, token) = (Endpoint::default(), token_of(&bed, "alice"));
    let id = begin(&bed, &endpoint, &token).await;
    assert!(id.starts_with("session-0."), "{id}");
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let request = with(&token, method, &[LEGACY, (SESSION, &id)]);
        let answer = endpoint.ask(bed.server.mcp(), request).await;
        answer.assert_ok();
        // An endpoint that repeats the id with each answer changes nothing.
        assert_eq!(answer.all(SESSION), [&id]);
    }
    let seen: Vec<_> =
        endpoint.seen().iter().map(|seen| seen.headers.get(SESSION).cloned()).collect();
    assert_eq!(seen[0], None);
    assert!(seen[1..].iter().flatten().all(|id| id == "session-0"));
    assert_eq!(seen.iter().flatten().count(), 3);
    // Another token of the same user and client.
    let refreshed = bed.issuer.token().subject("alice").claim("jti", "next").build();
    let request = post(&refreshed, &[LEGACY, (SESSION, &id)]);
    endpoint.ask(bed.server.mcp(), request).await.assert_ok();
}

#[tokio::test]
async fn nobody_else_does() {
    let other = TestIssuer::new("https://other.example.com");
    let issuer = Issuer::jwks(other.issuer(), other.jwks());
    let bed = Bed::with(|builder| builder.mcp(Mcp::new()).issuer(issuer));
    let (endpoint, alice) = (Endpoint::default(), token_of(&bed, "alice"));
    let id = begin(&bed, &endpoint, &alice).await;
    let before = endpoint.seen().len();
    let clock = bed.clock.clone();
    let strangers = [
        token_of(&bed, "mallory"),
        bed.issuer.token().subject("alice").client_id("other-client").build(),
        other.clock(clock).token().subject("alice").audience(bed.server.resource()).build(),
    ];
    for token in strangers {
        for method in [Method::POST, Method::GET, Method::DELETE] {
            for lines in [&[(SESSION, id.as_str())][..], &[LEGACY, (SESSION, id.as_str())]] {
                // MCP-2025-11-25-R5-1: the session of one user with the token of another.
                let request = with(&token, method.clone(), lines);
                assert_unknown(&endpoint.ask(bed.server.mcp(), request).await);
            }
        }
    }
    assert_eq!(endpoint.seen().len(), before);
    // It is still the beginner's.
    let request = post(&alice, &[LEGACY, (SESSION, &id)]);
    endpoint.ask(bed.server.mcp(), request).await.assert_ok();
}

#[tokio::test]
async fn names_that_run_together_are_two_principals() {
    let bed = bed();
    let endpoint = Endpoint::default();
    let token = |subject, client| bed.issuer.token().subject(subject).client_id(client).build();
    let id = begin(&bed, &endpoint, &token("ab", "c")).await;
    let request = post(&token("a", "bc"), &[(SESSION, &id)]);
    assert_unknown(&endpoint.ask(bed.server.mcp(), request).await);
}

#[tokio::test]
async fn ids_that_were_not_given_out_are_unknown() {
    let bed = bed();
    let (endpoint, token) = (Endpoint::default(), bed.token());
    let id = begin(&bed, &endpoint, &token).await;
    let (own, seal) = id.rsplit_once('.').expect("a seal");
    let mut forged = vec![
        own.to_owned(),
        seal.to_owned(),
        format!(".{seal}"),
        format!("{own}."),
        format!("{id} "),
        format!("{id}."),
        format!("{id}A"),
        format!("x{id}"),
        format!("session-1.{seal}"),
        format!("{own}.{}", "A".repeat(22)),
        format!("{own}.{}", &seal[..21]),
        format!("{own}.{seal}="),
        id.to_uppercase(),
        "x".repeat(10_000),
        format!("{}.{seal}", "x".repeat(10_000)),
        format!("{id}, {id}"),
    ];
    // Each bit of the seal counts.
    for at in 0..seal.len() {
        let mut changed = seal.as_bytes().to_vec();
        changed[at] = if changed[at] == b'A' { b'Q' } else { b'A' };
        forged.push(format!("{own}.{}", String::from_utf8(changed).expect("ASCII")));
    }
    for forged in forged {
        let trimmed = forged.trim();
        if trimmed != id {
            let request = post(&token, &[LEGACY, (SESSION, trimmed)]);
            assert_unknown(&endpoint.ask(bed.server.mcp(), request).await);
        }
    }
    let request = post(&token, &[LEGACY, (SESSION, &id), (SESSION, &id)]);
    assert_unknown(&endpoint.ask(bed.server.mcp(), request).await);
    let authorization = format!("Bearer {token}");
    for bytes in [b"".as_slice(), b"\xff", b"a\tb", b"."] {
        let lines = [("authorization", authorization.as_bytes()), (SESSION, bytes)];
        assert_unknown(&endpoint.ask(bed.server.mcp(), bare(Method::POST, &lines)).await);
    }
}

#[tokio::test]
async fn an_id_of_another_server_is_unknown_unless_they_share_a_secret() {
    let secret = [7; 32];
    let sealed = |secret| SealedSessions::with_secret(secret).expect("32 bytes");
    let [one, two] = [(); 2].map(|()| bed_of(Mcp::new().sessions(sealed(&secret))));
    let endpoint = Endpoint::default();
    let (alice, mallory) = (token_of(&one, "alice"), token_of(&two, "mallory"));
    let id = begin(&one, &endpoint, &alice).await;
    let at_two = |token: String| post(&token, &[LEGACY, (SESSION, &id)]);
    endpoint.ask(two.server.mcp(), at_two(token_of(&two, "alice"))).await.assert_ok();
    assert_unknown(&endpoint.ask(two.server.mcp(), at_two(mallory)).await);
    for other in [bed(), bed_of(Mcp::new().sessions(sealed(&[8; 32])))] {
        let request = at_two(token_of(&other, "alice"));
        assert_unknown(&endpoint.ask(other.server.mcp(), request).await);
    }
    let short = SealedSessions::with_secret(&[7; 31]).expect_err("too short");
    assert!(short.to_string().contains("32 bytes"));
    assert!(!format!("{:?}", sealed(&secret)).contains('7'));
}

#[tokio::test]
async fn every_request_needs_its_token() {
    let bed = bed();
    let endpoint = Endpoint::default();
    let id = begin(&bed, &endpoint, &bed.token()).await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let lines = [(SESSION, id.as_bytes()), (VERSION, b"2025-11-25")];
        let answer = endpoint.ask(bed.server.mcp(), bare(method, &lines)).await;
        // MCP-2025-06-18-R6-1: the session is no authentication.
        answer.assert_n401();
        assert!(!answer.handled);
    }
}

#[tokio::test]
async fn the_latest_revision_has_none() {
    let bed = bed();
    let endpoint = Endpoint::default();
    for id in ["session-0", "anything at all", &"x".repeat(10_000)] {
        let lines = [(VERSION, "2026-07-28"), (SESSION, id), (SESSION, id)];
        let answer = endpoint.ask(bed.server.mcp(), post(&bed.token(), &lines)).await;
        answer.assert_ok();
        assert!(answer.all(SESSION).is_empty(), "none is begun, and none repeated");
    }
    assert!(endpoint.seen().iter().all(|seen| !seen.headers.contains_key(SESSION)));
}

#[tokio::test]
async fn those_without_a_token_are_one() {
    let bed = bed();
    let optional = || bed.server.mcp().authenticate(bed.server.authenticate().optional());
    let endpoint = Endpoint::default();
    let answer = endpoint.ask(optional(), bare(Method::POST, &[])).await;
    let id = answer.all(SESSION)[0].to_owned();
    let again = bare(Method::POST, &[(SESSION, id.as_bytes())]);
    endpoint.ask(optional(), again).await.assert_ok();
    let request = post(&bed.token(), &[(SESSION, &id)]);
    assert_unknown(&endpoint.ask(optional(), request).await);
    let own = begin(&bed, &endpoint, &bed.token()).await;
    let request = bare(Method::POST, &[(SESSION, own.as_bytes())]);
    assert_unknown(&endpoint.ask(optional(), request).await);
}

#[tokio::test]
async fn whoever_has_no_name_has_no_session() {
    let test = TestIssuer::new(ISSUER);
    let issuer = Issuer::jwks(ISSUER, test.jwks()).profile(Profile::Lenient);
    let server = ResourceServer::builder(RESOURCE).issuer(issuer).mcp(Mcp::new()).build();
    let server = server.expect("a valid configuration");
    let (logs, _guard) = Logs::capture();
    let endpoint = Endpoint::default();
    let token = |without: &[&str]| {
        let token = test.token().audience(RESOURCE);
        without.iter().fold(token, |token, claim| token.without_claim(claim)).build()
    };
    for without in [&["sub"][..], &["client_id"]] {
        let answer = endpoint.ask(server.mcp(), post(&token(without), &[])).await;
        assert_eq!(answer.all(SESSION).len(), 1, "{without:?}: one name suffices");
        let request = post(&token(&[]), &[(SESSION, answer.all(SESSION)[0])]);
        assert_unknown(&endpoint.ask(server.mcp(), request).await);
    }
    assert!(!logs.text().contains("principal"));
    let nobody = token(&["sub", "client_id"]);
    let answer = endpoint.ask(server.mcp(), post(&nobody, &[])).await;
    answer.assert_ok();
    assert!(answer.all(SESSION).is_empty());
    assert!(logs.text().contains("cannot be tied to a principal"));
    let request = post(&nobody, &[(SESSION, "session-0")]);
    assert_unknown(&endpoint.ask(server.mcp(), request).await);
}

#[tokio::test]
async fn an_id_that_is_none_is_not_given_out() {
    let bed = bed();
    for value in ["", "a b", "\u{e9}", &"x".repeat(1024)] {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a field value");
        let service = bed.server.mcp().layer(service_fn(move |_: Request<Full<Bytes>>| {
            let mut response = Response::new(Full::<Bytes>::default());
            response.headers_mut().insert(SESSION, value.clone());
            async { Ok::<_, Infallible>(response) }
        }));
        let response = service.oneshot(post(&bed.token(), &[])).await.expect("infallible");
        let answer = read(response, true).await;
        answer.assert_ok();
        assert!(answer.all(SESSION).is_empty());
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_the_endpoints_to_say() {
    let bed = bed();
    let id = begin(&bed, &Endpoint::default(), &bed.token()).await;
    let request = post(&bed.token(), &[LEGACY, (SESSION, &id)]);
    let answer = send_around(bed.server.mcp(), Handler::answering(404, &[]), request).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.handled);
}

#[tokio::test]
async fn an_application_may_bind_them_itself() {
    let bed = bed_of(Mcp::new().unbound_sessions());
    let endpoint = Endpoint::default();
    let id = begin(&bed, &endpoint, &bed.token()).await;
    assert_eq!(id, "session-0");
    let request = post(&token_of(&bed, "mallory"), &[LEGACY, (SESSION, "whatever")]);
    endpoint.ask(bed.server.mcp(), request).await.assert_ok();
    assert_eq!(endpoint.seen()[1].headers[SESSION], "whatever");
}

#[tokio::test]
async fn a_server_may_require_them() {
    for mcp in [Mcp::new(), Mcp::new().unbound_sessions()] {
        let bed = bed_of(mcp.require_sessions());
        for method in [Method::GET, Method::DELETE] {
            let request = with(&bed.token(), method, &[LEGACY]);
            let answer = ask(bed.server.mcp(), request).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert_eq!(answer.kind(), Some(RejectionKind::MissingSession));
            assert_eq!(answer.json()["error"]["code"], -32600);
            assert!(!answer.handled);
        }
        // The first request of a session has none.
        ask(bed.server.mcp(), post(&bed.token(), &[])).await.assert_ok();
    }
    let free = bed();
    ask(free.server.mcp(), with(&free.token(), Method::GET, &[LEGACY])).await.assert_ok();
}

#[tokio::test]
async fn which_post_needs_one_its_body_says() {
    let bed = bed_of(Mcp::new().require_sessions());
    let layer = || bed.server.mcp().tools(Tools::new().others_any_token());
    let ask = async |lines: &[(&str, &str)], body: Value| {
        let json = [("content-type", "application/json")];
        let request = post(&bed.token(), &[&json, lines].concat());
        send(layer(), request.map(|_| Full::from(body.to_string()))).await
    };
    let message = |method| json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": {} });
    let (first, next) = (message("initialize"), message("tools/list"));
    for lines in [&[][..], &[LEGACY]] {
        ask(lines, first.clone()).await.assert_ok();
        let both = json!([first, next]);
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        for body in [next.clone(), both, note, json!({ "jsonrpc": "2.0", "id": 1, "result": {} })] {
            let answer = ask(lines, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
            assert_eq!(answer.kind(), Some(RejectionKind::MissingSession));
            assert!(!answer.handled);
        }
    }
    let id = begin(&bed, &Endpoint::default(), &bed.token()).await;
    ask(&[LEGACY, (SESSION, &id)], next).await.assert_ok();
    let version = "io.modelcontextprotocol/protocolVersion";
    let meta = json!({ "_meta": { version: "2026-07-28" } });
    let latest = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": meta });
    let lines = [(VERSION, "2026-07-28"), ("mcp-method", "tools/list")];
    ask(&lines, latest).await.assert_ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_do_not_mix() {
    let bed = Arc::new(bed());
    let endpoint = Endpoint::default();
    let users = (0..64).map(|user| {
        let (bed, endpoint) = (Arc::clone(&bed), endpoint.clone());
        tokio::spawn(async move {
            let token = token_of(&bed, &format!("user-{user}"));
            let mut ids = Vec::new();
            for _ in 0..8 {
                ids.push(begin(&bed, &endpoint, &token).await);
            }
            for id in &ids {
                let request = post(&token, &[LEGACY, (SESSION, id)]);
                endpoint.ask(bed.server.mcp(), request).await.assert_ok();
            }
            (token, ids)
        })
    });
    let mut all = Vec::new();
    for user in users.collect::<Vec<_>>() {
        all.push(user.await.expect("no panic"));
    }
    for (at, (token, _)) in all.iter().enumerate() {
        let (_, others) = &all[(at + 1) % all.len()];
        let request = post(token, &[LEGACY, (SESSION, &others[0])]);
        assert_unknown(&endpoint.ask(bed.server.mcp(), request).await);
    }
}
