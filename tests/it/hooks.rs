//! The three hooks, as closures and as an envelope: they control bytes, never semantics.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use tower_resource_server::render::{
    Challenges, Empty, Envelope, ErrorBody, ErrorResponse, JsonRpc, OAuthJson, ProblemJson,
};
use tower_resource_server::{Builder, RejectionKind};

use crate::support::{Answer, Bed, get, refusals, refusals_of, send};

const KINDS: [RejectionKind; 9] = [
    RejectionKind::MissingCredentials,
    RejectionKind::MalformedAuthorization,
    RejectionKind::MalformedToken,
    RejectionKind::InsufficientScope,
    RejectionKind::RequirementNotMet,
    RejectionKind::InsufficientAuthentication,
    RejectionKind::InsufficientScope,
    RejectionKind::KeysUnavailable,
    RejectionKind::MissingAuthentication,
];

/// Whatever the hooks did: status, challenges, caching, framing, Retry-After and rejection are
/// those of the default rendering.
async fn assert_semantics_hold(change: impl FnOnce(Builder) -> Builder) -> Vec<Answer> {
    let answers = refusals(change).await;
    let kinds: Vec<_> = answers.iter().filter_map(Answer::kind).collect();
    assert_eq!(kinds, KINDS);
    for (answer, plain) in answers.iter().zip(refusals(|builder| builder).await) {
        assert_eq!(answer.status, plain.status);
        for name in ["www-authenticate", "retry-after", "content-length", "transfer-encoding"] {
            assert_eq!(answer.all(name), plain.all(name), "{name} of {}", answer.status);
        }
        assert_eq!(answer.all("cache-control").len(), 1);
        assert!(answer.all("cache-control")[0].contains("no-store"));
        assert!(!answer.handled);
    }
    answers
}

fn challenge(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}

#[tokio::test]
async fn challenges_that_a_hook_drops_are_sent() {
    assert_semantics_hold(|builder| builder.www_authenticate(|_, _| {})).await;
    let dropping = |builder: Builder| {
        builder.send_error(|_, _, response| {
            response.headers_mut().remove(WWW_AUTHENTICATE);
        })
    };
    assert_semantics_hold(dropping).await;
}

#[tokio::test]
async fn challenges_that_a_hook_adds_are_not_sent() {
    let adding = |builder: Builder| {
        builder.www_authenticate(|challenges, headers| {
            headers.append(WWW_AUTHENTICATE, challenge("Basic realm=\"x\""));
            for challenge in challenges.iter() {
                headers.append(WWW_AUTHENTICATE, challenge.clone());
            }
        })
    };
    assert_semantics_hold(adding).await;
    let late = |builder: Builder| {
        builder.send_error(|_, _, response| {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge("Negotiate"));
        })
    };
    assert_semantics_hold(late).await;
}

#[tokio::test]
async fn challenges_that_a_hook_rewrites_are_sent_as_computed() {
    let rewriting = |builder: Builder| {
        builder.www_authenticate(|_, headers| {
            headers.insert(WWW_AUTHENTICATE, challenge("Bearer error=\"mine\""));
        })
    };
    assert_semantics_hold(rewriting).await;
    let doubling = |builder: Builder| {
        builder.www_authenticate(|challenges, headers| {
            for challenge in challenges.iter().chain(challenges.iter()) {
                headers.append(WWW_AUTHENTICATE, challenge.clone());
            }
        })
    };
    assert_semantics_hold(doubling).await;
}

#[tokio::test]
async fn a_status_that_a_hook_sets_is_undone() {
    for status in [200, 204, 304, 302, 101, 500] {
        let status = StatusCode::from_u16(status).expect("a status");
        let changing = move |builder: Builder| {
            builder.send_error(move |_, _, response| *response.status_mut() = status)
        };
        assert_semantics_hold(changing).await;
    }
}

#[tokio::test]
async fn a_response_that_a_hook_replaces_whole_is_completed() {
    let replacing = |builder: Builder| {
        builder.send_error(|_, _, response| {
            *response = ErrorResponse::new(Bytes::from_static(b"mine"));
        })
    };
    for answer in assert_semantics_hold(replacing).await {
        assert_eq!(answer.body, "mine");
    }
}

#[tokio::test]
async fn caching_that_a_hook_allows_is_forbidden_again() {
    let stripping = |builder: Builder| {
        builder.send_error(|_, _, response| {
            response.headers_mut().remove(CACHE_CONTROL);
        })
    };
    assert_semantics_hold(stripping).await;
    assert_semantics_hold(|builder| builder.no_store(|_| {})).await;
    for value in ["public, max-age=600", "no-storex", "x-no-store", "private=\"a, no-store, b\""] {
        let allowing = move |builder: Builder| {
            builder.no_store(move |headers| {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
            })
        };
        for answer in assert_semantics_hold(allowing).await {
            assert_eq!(answer.all("cache-control"), ["no-store"], "{value}");
        }
    }
}

#[tokio::test]
async fn of_two_cache_control_lines_one_is_left() {
    for values in [["no-store", "public"], ["public", "no-store"], ["no-store", "no-store"]] {
        let doubling = move |builder: Builder| {
            builder.no_store(move |headers| {
                for value in values {
                    headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
                }
            })
        };
        for answer in assert_semantics_hold(doubling).await {
            assert_eq!(answer.all("cache-control"), ["no-store"]);
        }
    }
}

#[tokio::test]
async fn a_hook_may_say_more_than_no_store() {
    let more = |builder: Builder| {
        builder.no_store(|headers| {
            let value = HeaderValue::from_static("max-age=0, No-Store");
            headers.insert(CACHE_CONTROL, value);
            headers.insert("pragma", HeaderValue::from_static("no-cache"));
        })
    };
    for answer in refusals(more).await {
        assert_eq!(answer.all("cache-control"), ["max-age=0, No-Store"]);
        assert_eq!(answer.all("pragma"), ["no-cache"]);
    }
}

#[tokio::test]
async fn framing_that_a_hook_sets_is_removed() {
    let framing = |builder: Builder| {
        builder.send_error(|_, _, response| {
            *response.body_mut() = Bytes::from_static(b"four");
            let headers = response.headers_mut();
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("9999"));
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        })
    };
    assert_semantics_hold(framing).await;
    let head = |mut request: http::Request<_>| {
        *request.method_mut() = http::Method::HEAD;
        request
    };
    for answer in refusals_of(framing, head).await {
        // HEAD has the length of the body that GET gets.
        assert_eq!(answer.all("content-length"), ["4"]);
        assert!(answer.all("transfer-encoding").is_empty() && answer.body.is_empty());
    }
}

#[tokio::test]
async fn retry_after_is_the_servers() {
    let changing = |builder: Builder| {
        builder.send_error(|_, _, response| {
            response.headers_mut().append(RETRY_AFTER, HeaderValue::from_static("1"));
            response.headers_mut().append(RETRY_AFTER, HeaderValue::from_static("2"));
        })
    };
    let outage = |answers: &[Answer]| {
        let answer = answers.iter().find(|answer| answer.status == 503).expect("an outage");
        answer.assert_x503();
        answer.all("retry-after").join(",")
    };
    assert_eq!(outage(&refusals(changing).await), "5");
    let longer =
        |builder: Builder| changing(builder).retry_after(std::time::Duration::from_secs(30));
    assert_eq!(outage(&refusals(longer).await), "30");
}

#[tokio::test]
async fn what_is_a_hooks_to_choose_is_kept() {
    let choosing = |builder: Builder| {
        builder.send_error(|status, error, response| {
            let text = format!("{} {}", status.as_u16(), error.kind_name());
            *response.body_mut() = Bytes::from(text);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            headers.append("x-trace", HeaderValue::from_static("1"));
            headers.append("x-trace", HeaderValue::from_static("2"));
        })
    };
    for answer in assert_semantics_hold(choosing).await {
        let rejection = answer.rejection.as_ref().expect("a rejection");
        let concealed = answer.status == StatusCode::NOT_FOUND;
        let name = if concealed { "not-found" } else { rejection.kind().name() };
        assert_eq!(answer.body, format!("{} {name}", answer.status.as_u16()));
        assert_eq!(answer.all("content-type"), ["text/plain"]);
        assert_eq!(answer.all("x-trace"), ["1", "2"]);
    }
}

#[tokio::test]
async fn the_error_that_a_hook_sees_is_that_of_the_challenge() {
    const URI: &str = "https://docs.example.com/e";
    let seen = |builder: Builder| {
        builder.error_uri(URI).send_error(|_, error, response| {
            let seen = [error.error(), error.error_description(), error.error_uri()];
            *response.body_mut() = Bytes::from(serde_json::json!(seen).to_string());
        })
    };
    for answer in refusals(seen).await {
        let challenges = answer.challenges();
        let get = |name| challenges.first().and_then(|challenge| challenge.get(name));
        let expected = ["error", "error_description", "error_uri"].map(get);
        assert_eq!(answer.json(), serde_json::json!(expected));
    }
}

/// An envelope of which one hook panics.
struct Panicking(&'static str);

impl Panicking {
    fn reached(&self, hook: &str) {
        assert_ne!(self.0, hook, "as the test wants it");
    }
}

impl Envelope for Panicking {
    fn send_error(&self, _: StatusCode, _: &ErrorBody<'_>, response: &mut ErrorResponse) {
        *response.body_mut() = Bytes::from_static(b"half done");
        self.reached("send_error");
    }

    fn www_authenticate(&self, _: &Challenges, headers: &mut HeaderMap) {
        headers.insert("x-half", HeaderValue::from_static("done"));
        self.reached("www_authenticate");
    }

    fn no_store(&self, headers: &mut HeaderMap) {
        headers.insert("x-half", HeaderValue::from_static("done"));
        self.reached("no_store");
    }
}

#[tokio::test]
async fn a_hook_that_panics_becomes_the_default_rendering() {
    for hook in ["no_store", "send_error"] {
        let panicked = refusals(|builder| builder.envelope(Panicking(hook))).await;
        for (answer, plain) in panicked.iter().zip(refusals(|builder| builder).await) {
            assert_eq!((answer.status, &answer.headers), (plain.status, &plain.headers));
            assert_eq!((&answer.body, answer.kind()), (&plain.body, plain.kind()));
        }
    }
    for answer in assert_semantics_hold(|b| b.envelope(Panicking("www_authenticate"))).await {
        // Without challenges the hook is not called, so it cannot fail.
        let called = !answer.challenges().is_empty();
        assert_eq!(answer.all("x-half").is_empty(), called);
        assert_eq!(answer.body == "half done", !called);
    }
}

#[tokio::test]
async fn a_closure_that_panics_becomes_the_default_rendering_too() {
    let panicking = |builder: Builder| builder.send_error(|_, _, _| panic!("as the test wants it"));
    let answers = assert_semantics_hold(panicking).await;
    let plain = refusals(|builder| builder).await;
    assert!(answers.iter().zip(&plain).all(|(answer, plain)| answer.body == plain.body));
}

#[tokio::test]
async fn a_server_goes_on_after_a_panic() {
    let bed = Bed::with(|builder| builder.envelope(Panicking("send_error")));
    for _ in 0..2 {
        send(bed.server.authenticate(), get(&[])).await.assert_n401();
        bed.bearer(&bed.token()).await.assert_ok();
    }
}

/// An envelope that notes which hooks run.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<&'static str>>>);

impl Order {
    fn note(&self, hook: &'static str) {
        self.0.lock().expect("no panic").push(hook);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

impl Envelope for Order {
    fn send_error(&self, _: StatusCode, _: &ErrorBody<'_>, response: &mut ErrorResponse) {
        let headers = response.headers();
        assert!(headers.contains_key(WWW_AUTHENTICATE) && headers.contains_key(CACHE_CONTROL));
        self.note("send_error");
    }

    fn www_authenticate(&self, challenges: &Challenges, headers: &mut HeaderMap) {
        assert!(headers.contains_key(CACHE_CONTROL) && !challenges.is_empty());
        challenges.iter().for_each(|challenge| {
            headers.append(WWW_AUTHENTICATE, challenge.clone());
        });
        self.note("www_authenticate");
    }

    fn no_store(&self, headers: &mut HeaderMap) {
        assert!(headers.is_empty());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.note("no_store");
    }
}

#[tokio::test]
async fn the_hooks_run_in_their_order() {
    let order = Order::default();
    let bed = Bed::with(|builder| builder.envelope(order.clone()));
    send(bed.server.authenticate(), get(&[])).await.assert_n401();
    assert_eq!(order.take(), ["no_store", "www_authenticate", "send_error"]);
    bed.bearer("a b").await.assert_r400();
    assert_eq!(order.take(), ["no_store", "www_authenticate", "send_error"]);
    bed.bearer(&bed.token()).await.assert_ok();
    assert!(order.take().is_empty(), "hooks are for refusals");
}

#[tokio::test]
async fn closures_run_in_the_same_order() {
    let order = Order::default();
    let [first, second, third] = [order.clone(), order.clone(), order.clone()];
    let bed = Bed::with(|builder| {
        builder
            .send_error(move |_, _, _| first.note("send_error"))
            .www_authenticate(move |_, _| second.note("www_authenticate"))
            .no_store(move |_| third.note("no_store"))
    });
    send(bed.server.authenticate(), get(&[])).await.assert_n401();
    assert_eq!(order.take(), ["no_store", "www_authenticate", "send_error"]);
}

#[tokio::test]
async fn a_closure_takes_the_place_of_one_method_alone() {
    for closure_first in [true, false] {
        let mixed = |builder: Builder| {
            let trace = |headers: &mut HeaderMap| {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, max-age=0"));
            };
            let problem = ProblemJson::default();
            if closure_first {
                builder.no_store(trace).envelope(problem)
            } else {
                builder.envelope(problem).no_store(trace)
            }
        };
        for answer in assert_semantics_hold(mixed).await {
            assert_eq!(answer.all("cache-control"), ["no-store, max-age=0"]);
            assert_eq!(answer.all("content-type"), ["application/problem+json"]);
        }
    }
}

#[tokio::test]
async fn every_built_in_envelope_keeps_the_semantics() {
    assert_semantics_hold(|builder| builder.envelope(OAuthJson::default())).await;
    assert_semantics_hold(|builder| builder.envelope(ProblemJson::default())).await;
    assert_semantics_hold(|builder| builder.envelope(Empty::default())).await;
    assert_semantics_hold(|builder| builder.envelope(JsonRpc::default())).await;
}
