//! HTTP caching: RFC 9111.

use std::time::Duration;

use http::Method;
use tower_resource_server::{
    Builder, Dpop, RejectionKind, Scopes, SealedNonces, SenderConstraint, SharedCaching,
};

use crate::dpop::Client;
use crate::support::{
    Answer, Bed, Handler, Logs, bearer, get, refusals, refusals_of, send, send_around,
};

/// The answer to a valid token when the handler sets these lines.
async fn accepted(
    change: impl FnOnce(Builder) -> Builder,
    lines: &[(&'static str, &'static str)],
) -> Answer {
    let bed = Bed::with(change);
    let handler = Handler::answering(200, lines);
    let answer = send_around(bed.server.authenticate(), handler, bearer(&bed.token())).await;
    answer.assert_ok();
    answer
}

/// Directives by which a shared cache may keep the response to a request with Authorization.
const SHARED: [&str; 6] = [
    "public",
    "max-age=60, S-MaxAge=600",
    "s-maxage=10",
    "PUBLIC, max-age=1",
    "max-age=60, must-revalidate",
    "max-age=60,Must-Revalidate",
];

/// Directives by which it may not.
const UNSHARED: [&str; 10] = [
    "max-age=60",
    "private, max-age=60",
    "private, must-revalidate",
    "no-store",
    "no-store, max-age=0, must-revalidate",
    "no-cache, must-revalidate",
    "proxy-revalidate, x-public=1",
    "no-store, public",
    "public, private",
    "max-age=60, x=\"a, public, b\"",
];

#[tokio::test]
async fn a_handler_that_allows_shared_caching_is_logged() {
    for line in SHARED {
        let (logs, guard) = Logs::capture();
        let answer = accepted(|builder| builder, &[("cache-control", line)]).await;
        drop(guard);
        // R9111-3.5-1: by default the response stays as it is, and the log tells.
        assert_eq!(answer.all("cache-control"), [line]);
        assert!(logs.text().contains("shared caches"), "{line}");
    }
}

#[tokio::test]
async fn a_handler_that_does_not_allow_it_is_not_logged() {
    for line in UNSHARED {
        let (logs, guard) = Logs::capture();
        accepted(|builder| builder, &[("cache-control", line)]).await;
        drop(guard);
        assert!(!logs.text().contains("shared caches"), "{line}");
    }
}

#[tokio::test]
async fn shared_caching_can_be_rewritten() {
    let rewrite = |builder: Builder| builder.shared_caching(SharedCaching::Rewrite);
    for line in SHARED {
        let answer = accepted(rewrite, &[("cache-control", line)]).await;
        // R9111-3.5-1: the option makes it private.
        assert_eq!(answer.all("cache-control"), ["private"], "{line}");
    }
    for line in UNSHARED {
        let answer = accepted(rewrite, &[("cache-control", line)]).await;
        assert_eq!(answer.all("cache-control"), [line]);
    }
    let lines = [("cache-control", "max-age=60"), ("cache-control", "public")];
    let answer = accepted(rewrite, &lines).await;
    // R9111-3.5-1: wherever in several lines it stands.
    assert_eq!(answer.all("cache-control"), ["private"]);
}

#[tokio::test]
async fn responses_to_the_anonymous_may_be_shared() {
    let bed = Bed::with(|builder| builder.shared_caching(SharedCaching::Rewrite));
    let handler = Handler::answering(200, &[("cache-control", "public, max-age=60")]);
    let answer = send_around(bed.server.authenticate().optional(), handler, get(&[])).await;
    assert_eq!(answer.all("cache-control"), ["public, max-age=60"]);
}

#[tokio::test]
async fn no_refusal_may_be_stored() {
    let with_method = |mut request: http::Request<_>, method: Method| {
        *request.method_mut() = method;
        request
    };
    for method in [Method::GET, Method::HEAD, Method::POST] {
        let answers = refusals_of(|b| b, |request| with_method(request, method.clone())).await;
        assert_eq!(answers.len(), 9);
        for answer in answers {
            // R9111-5.2.2.5-1, D-18: 400, 401, 403, 404, 500 and 503 alike.
            assert_eq!(answer.all("cache-control"), ["no-store"], "{answer:?}");
        }
    }
}

#[tokio::test]
async fn the_handlers_own_caching_is_left_alone() {
    for lines in [&[("cache-control", "max-age=60")][..], &[]] {
        let answer = accepted(|builder| builder, lines).await;
        let expected: Vec<_> = lines.iter().map(|(_, value)| *value).collect();
        // R9111-5.2.2.5-2: kept where there is some, and none added.
        assert_eq!(answer.all("cache-control"), expected);
        assert!(answer.all("vary").is_empty() && answer.all("pragma").is_empty());
    }
}

#[tokio::test]
async fn no_store_can_be_the_default() {
    let answer = accepted(Builder::default_no_store, &[]).await;
    // R9111-5.2.2.5-2: added where the handler says nothing …
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    let answer = accepted(Builder::default_no_store, &[("cache-control", "max-age=60")]).await;
    // R9111-5.2.2.5-2: … and nowhere else.
    assert_eq!(answer.all("cache-control"), ["max-age=60"]);
}

/// The Vary fields of an optional route whose handler sets these lines, with and without a token.
async fn vary(lines: &[(&'static str, &'static str)]) -> [Vec<String>; 2] {
    let bed = Bed::new();
    let layer = bed.server.authenticate().optional();
    let handler = || Handler::answering(200, lines);
    let with = send_around(layer.clone(), handler(), bearer(&bed.token())).await;
    let without = send_around(layer, handler(), get(&[])).await;
    [with, without].map(|answer| answer.all("vary").into_iter().map(str::to_owned).collect())
}

#[tokio::test]
async fn optional_routes_vary_by_authorization() {
    for vary in vary(&[]).await {
        // R9111-4.1-1: by both fields that credentials stand in.
        assert_eq!(vary, ["authorization", "dpop"]);
    }
    for vary in vary(&[("vary", "accept"), ("vary", "origin")]).await {
        // R9111-4.1-1: merged with the handler's, not in its place.
        assert_eq!(vary, ["accept", "origin", "authorization", "dpop"]);
    }
    for (line, added) in [("accept, Authorization", "dpop"), ("DPoP", "authorization")] {
        for vary in vary(&[("vary", line)]).await {
            // R9111-4.1-1: the field that is not named yet, alone.
            assert_eq!(vary, [line, added]);
        }
    }
    for line in ["dpop,accept, Authorization", "*", "authorization, DPoP"] {
        for vary in vary(&[("vary", line)]).await {
            // R9111-4.1-1: and not twice.
            assert_eq!(vary, [line]);
        }
    }
}

#[tokio::test]
async fn optional_routes_vary_by_what_they_accept() {
    let bed = Bed::new();
    let layer = bed.server.authenticate().optional();
    let answer = send(layer.clone(), Client::new(&bed).request()).await;
    answer.assert_ok();
    // R9111-4.1-1: with a proof as without.
    assert_eq!(answer.all("vary"), ["authorization", "dpop"]);
    let unproven = layer.clone().sender_constraint(SenderConstraint::Bearer);
    let answer = send(unproven, bearer(&bed.token())).await;
    // R9111-4.1-1: where no proof is looked at, none makes a difference.
    assert_eq!(answer.all("vary"), ["authorization"]);
    let required = send(bed.server.authenticate(), Client::new(&bed).request()).await;
    assert!(required.all("vary").is_empty());
}

/// The answer to a proof whose nonce is past half of its life, when the handler sets these lines;
/// and that nonce.
async fn renewed(lines: &[(&'static str, &'static str)]) -> (Answer, String) {
    let bed = Bed::with(|builder| builder.dpop(Dpop::new().nonces(SealedNonces::random())));
    let client = Client::new(&bed);
    let guard = bed.server.authenticate();
    let asked = send(guard.clone(), client.request()).await;
    assert_eq!(asked.kind(), Some(RejectionKind::MissingProofNonce));
    // R9110-5.3-1: so does the refusal that brings the first nonce.
    assert_eq!((asked.all("dpop-nonce").len(), asked.all("cache-control")), (1, vec!["no-store"]));
    let nonce = asked.all("dpop-nonce")[0].to_owned();
    bed.clock.advance(Duration::from_secs(200));
    let request = client.proof().nonce(&nonce).clock(&bed.clock).authorize(get(&[]));
    (send_around(guard, Handler::answering(200, lines), request).await, nonce)
}

#[tokio::test]
async fn what_brings_a_nonce_is_not_stored_at_all() {
    let own = [("dpop-nonce", "of-the-handler"), ("dpop-nonce", "another")];
    for line in ["max-age=60", "private", "private, max-age=60", "public, max-age=60", "no-cache"] {
        for more in [&own[..], &own[..1], &[]] {
            let lines =
                [&[("cache-control", line), ("cache-control", "s-maxage=9")], more].concat();
            let (answer, old) = renewed(&lines).await;
            answer.assert_ok();
            // R9110-5.3-1: one line of each, whatever the handler set.
            assert_eq!(answer.all("dpop-nonce").len(), 1);
            assert_eq!(answer.all("cache-control").len(), 1);
            // R9111-5.2.2.7-1: `private` would leave it to the client's own cache.
            assert_eq!(answer.all("cache-control"), ["no-store"], "{line}");
            let nonce = answer.all("dpop-nonce")[0];
            assert!(
                ![old.as_str(), "of-the-handler", "another"].contains(&nonce),
                "it is the next"
            );
        }
    }
}

#[tokio::test]
async fn a_nonce_of_the_handler_is_one_and_not_stored_either() {
    let bed = Bed::new();
    let lines = [("dpop-nonce", "n-1"), ("dpop-nonce", "n-2"), ("cache-control", "private")];
    let handler = Handler::answering(200, &lines);
    let request = Client::new(&bed).request();
    let answer = send_around(bed.server.authenticate(), handler, request).await;
    answer.assert_ok();
    // R9110-5.3-1: the first of several.
    assert_eq!(answer.all("dpop-nonce"), ["n-1"]);
    // R9111-5.2.2.7-1
    assert_eq!(answer.all("cache-control"), ["no-store"]);
}

#[tokio::test]
async fn pragma_is_not_sent() {
    for answer in refusals(|builder| builder).await {
        // R9111-5.4-1
        assert!(answer.all("pragma").is_empty());
    }
}

#[tokio::test]
async fn conditions_are_looked_at_after_the_token() {
    let bed = Bed::new();
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["read"])));
    let unchanged = || Handler::answering(304, &[("etag", "\"1\"")]);
    let conditional = |mut lines: Vec<(&str, &str)>| {
        lines.push(("if-none-match", "\"1\""));
        get(&lines)
    };
    // R9111-4.3-1: never 304 without a token, nor with a bad one.
    send_around(layers.clone(), unchanged(), conditional(vec![])).await.assert_n401();
    let bad = conditional(vec![("authorization", "Bearer abc")]);
    send_around(layers.clone(), unchanged(), bad).await.assert_t401();
    let line = format!("Bearer {}", bed.token());
    let good = conditional(vec![("authorization", &line)]);
    assert_eq!(send_around(layers, unchanged(), good).await.status, 304);
    let any = get(&[("if-match", "*")]);
    send(bed.server.authenticate(), any).await.assert_n401();
}
