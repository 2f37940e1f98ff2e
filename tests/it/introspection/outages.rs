//! Failures of the issuer, the network and the configuration: never the client's fault.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use tower_resource_server::fetch::{Fetch, FetchError, FetchErrorKind, FetchFuture, FetchLimits};
use tower_resource_server::testing::{Condition, FixedClock, ScriptedFetch};
use tower_resource_server::{Event, Introspection, IntrospectionError, Observer, RejectionKind};

use super::bed::{
    Asked, ENDPOINT, Failures, TOKEN, asking, assert_told, basic, right, scripted, told,
};
use crate::observability::Capture;
use crate::support::{Logs, NOW, let_others_run, present};

#[tokio::test]
async fn credentials_that_are_refused_are_our_fault() {
    for status in [401, 403] {
        let refusal = Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .header("www-authenticate", "Basic realm=\"introspection\", charset=\"UTF-8\"")
            .body(Bytes::from_static(br#"{"error":"invalid_client"}"#))
            .expect("a response");
        let fetch = ScriptedFetch::new();
        fetch.respond_with(refusal);
        let (server, failures) = scripted(&fetch, |introspection| introspection);
        let (logs, guard) = Logs::capture();
        let answer = present(&server, TOKEN).await;
        drop(guard);
        // R7662-2.3-1: never invalid_token, and nothing of the other server's answer.
        answer.assert_x503();
        assert_eq!(answer.kind(), Some(RejectionKind::IntrospectionUnavailable));
        let text = answer.text();
        assert!(!text.contains("invalid_client") && !text.contains("introspection\""), "{text}");
        assert_eq!(failures.take(), [IntrospectionError::Refused]);
        let text = logs.text();
        let line = text.lines().find(|line| line.contains("tower_resource_server::introspection"));
        let line = line.expect("a line in the log");
        assert!(line.contains("ERROR") && line.contains("credentials"), "{line}");
        assert!(line.contains(ENDPOINT) && line.contains(&format!("its status is {status}")));
        assert!(!text.contains(TOKEN) && !text.contains("s3cr3t"), "{text}");
    }
}

#[derive(Debug)]
struct Broken;

impl Observer for Broken {
    fn observe(&self, event: &Event<'_>) {
        if let Event::IntrospectionFailed { .. } = event {
            panic!("an observer is broken");
        }
    }
}

#[tokio::test]
async fn an_observer_that_panics_ends_neither_the_process_nor_the_call() {
    let asked = Asked::having(|introspection| introspection, |builder| builder.observer(Broken));
    let token = asked.token();
    asked.authorization_server.client("api-1", "another secret");
    let (logs, guard) = Logs::capture();
    let answer = asked.present(&token).await;
    drop(guard);
    answer.assert_x503();
    assert!(logs.text().contains("the observer panicked"), "{}", logs.text());
    asked.authorization_server.client("api-1", "s3cr3t");
    asked.present(&token).await.assert_ok();
}

#[tokio::test]
async fn the_kit_refuses_other_credentials_just_so() {
    let asked = Asked::new();
    let token = asked.token();
    asked.authorization_server.client("api-1", "another secret");
    asked.present(&token).await.assert_x503();
    asked.authorization_server.client("api-1", "s3cr3t");
    asked.present(&token).await.assert_ok();
}

#[tokio::test]
async fn whatever_is_not_200_is_a_failure() {
    for status in [201, 204, 301, 302, 400, 404, 405, 429, 500, 502, 503] {
        let asked = Asked::new();
        let token = asked.token();
        let status = StatusCode::from_u16(status).expect("a status");
        asked.authorization_server.set(Condition::Status(status));
        let log = Capture::start();
        // R7662-2.3-2.
        asked.present(&token).await.assert_x503();
        assert_eq!(asked.failures.take(), [IntrospectionError::Status], "{status}");
        assert_told(&log, IntrospectionError::Status, &format!("it is {}", status.as_u16()));
        asked.authorization_server.set(Condition::Up);
        asked.present(&token).await.assert_ok();
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hangs_is_given_up() {
    let asked = Asked::new();
    let token = asked.token();
    asked.authorization_server.set(Condition::Silent);
    let before = tokio::time::Instant::now();
    // R7662-2.3-2: within the time-out and the grace that follows it.
    asked.present(&token).await.assert_x503();
    assert_eq!(before.elapsed(), Duration::from_millis(5_250));
    let timeout = IntrospectionError::Fetch(FetchErrorKind::Timeout);
    assert_eq!(asked.failures.take(), [timeout]);
}

#[tokio::test(start_paused = true)]
async fn the_time_out_is_that_of_all_fetches() {
    let asked = Asked::having(
        |introspection| introspection,
        |builder| builder.fetch_timeout(Duration::from_secs(1)),
    );
    let token = asked.token();
    asked.authorization_server.set(Condition::Slow(Duration::from_millis(900)));
    asked.present(&token).await.assert_ok();
    asked.authorization_server.set(Condition::Slow(Duration::from_secs(2)));
    asked.present(&asked.token()).await.assert_x503();
}

#[tokio::test]
async fn a_failed_fetch_is_told_by_its_kind() {
    for kind in [
        FetchErrorKind::Transport,
        FetchErrorKind::ForbiddenAddress,
        FetchErrorKind::TooLarge,
        FetchErrorKind::Timeout,
    ] {
        let fetch = ScriptedFetch::new().fail_at(ENDPOINT, kind);
        let (server, failures) = scripted(&fetch, |introspection| introspection);
        let log = Capture::start();
        // R7662-2.3-2: TLS failures among them.
        present(&server, TOKEN).await.assert_x503();
        assert_eq!(failures.take(), [IntrospectionError::Fetch(kind)]);
        let lines = told(&log);
        let [line] = &lines[..] else { panic!("one line: {lines:?}") };
        assert_eq!(line.get("error"), Some(IntrospectionError::Fetch(kind).to_string().as_str()));
        assert_eq!(line.get("endpoint"), Some(ENDPOINT));
        let text = IntrospectionError::Fetch(kind).to_string();
        assert!(!text.is_empty() && IntrospectionError::Fetch(kind).source().is_none());
    }
}

#[tokio::test]
async fn the_log_says_what_the_client_says_of_a_failed_fetch() {
    #[derive(Debug)]
    struct Refused;
    impl Fetch for Refused {
        fn fetch(&self, _: http::Request<Bytes>, _: FetchLimits) -> FetchFuture<'_> {
            let cause = std::io::Error::other("connection refused");
            let error = FetchError::with_source(FetchErrorKind::Transport, cause);
            Box::pin(async { Err(error) })
        }
    }
    let introspection = Introspection::at(ENDPOINT, basic());
    let server = asking(introspection, Refused, &FixedClock::at(NOW)).build().expect("valid");
    let log = Capture::start();
    present(&server, TOKEN).await.assert_x503();
    let transport = IntrospectionError::Fetch(FetchErrorKind::Transport);
    assert_told(&log, transport, "connection refused");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_discarded() {
    let mut members = right();
    members["active"] = true.into();
    members["padding"] = "x".repeat(64 * 1024).into();
    let fetch = ScriptedFetch::new().json_at(ENDPOINT, members);
    let (server, failures) = scripted(&fetch, |introspection| introspection);
    present(&server, TOKEN).await.assert_x503();
    assert_eq!(failures.take(), [IntrospectionError::Fetch(FetchErrorKind::TooLarge)]);
}

#[tokio::test]
async fn a_fetch_that_panics_leaves_nobody_waiting() {
    #[derive(Debug)]
    struct Broken;
    impl Fetch for Broken {
        fn fetch(&self, _: http::Request<Bytes>, _: FetchLimits) -> FetchFuture<'_> {
            Box::pin(async { panic!("the client is broken") })
        }
    }
    let failures = Failures::default();
    let introspection = Introspection::at(ENDPOINT, basic());
    let builder = asking(introspection, Broken, &FixedClock::at(NOW)).observer(failures.clone());
    let server = builder.build().expect("valid");
    for _ in 0..2 {
        let log = Capture::start();
        present(&server, TOKEN).await.assert_x503();
        assert_eq!(failures.take(), [IntrospectionError::Runtime]);
        let cause = "it panicked, or its runtime was shut down";
        assert_told(&log, IntrospectionError::Runtime, cause);
    }
}

#[test]
fn without_a_runtime_nobody_is_asked() {
    let fetch = ScriptedFetch::new();
    let (server, failures) = scripted(&fetch, |introspection| introspection);
    futures_util::FutureExt::now_or_never(present(&server, TOKEN))
        .expect("nothing to wait for")
        .assert_x503();
    assert_eq!(failures.take(), [IntrospectionError::Runtime]);
    assert_eq!(fetch.count(), 0);
}

#[tokio::test]
async fn outages_are_told_in_the_log_without_any_token() {
    let asked = Asked::new();
    let token = asked.token();
    asked.authorization_server.set(Condition::Down);
    let (logs, guard) = Logs::capture();
    asked.present(&token).await.assert_x503();
    asked.authorization_server.set(Condition::Up);
    asked.present("unknown-token").await.assert_t401();
    asked.present(&token).await.assert_ok();
    drop(guard);
    let text = logs.text();
    assert!(text.contains("introspection failed") && text.contains("as.example.com"), "{text}");
    assert!(
        text.contains("introspection-unavailable") && text.contains("inactive-token"),
        "{text}"
    );
    // R9700-4.9-1: neither of the tokens, good or bad, nor the secret.
    for secret in [token.as_str(), "unknown-token", "s3cr3t", "YXBpLTE6"] {
        assert!(!text.contains(secret), "{text}");
    }
    let shown = format!("{:?}", asked.server);
    assert!(!shown.contains(&token), "{shown}");
}

#[tokio::test]
async fn health_tells_of_calls_that_fail() {
    let asked = Asked::new();
    let token = asked.token();
    let of = |asked: &Asked| asked.server.health().issuers()[0].clone();
    let fresh = of(&asked);
    assert_eq!((fresh.introspection_failures(), fresh.last_introspection_error()), (Some(0), None));
    assert_eq!(fresh.last_introspection_error_at(), None);
    assert_eq!(fresh.to_string(), "https://as.example.com: fresh, 0 keys");
    asked.authorization_server.set(Condition::Status(StatusCode::UNAUTHORIZED));
    asked.present(&token).await.assert_x503();
    let once = of(&asked).to_string();
    assert!(
        once.ends_with(
            ", 1 introspection failure: the endpoint does not accept the credentials of this server"
        ),
        "{once}"
    );
    asked.clock.advance(Duration::from_secs(1));
    asked.present(&token).await.assert_x503();
    let failing = of(&asked);
    assert_eq!(failing.introspection_failures(), Some(2));
    assert_eq!(failing.last_introspection_error(), Some(IntrospectionError::Refused));
    let at = std::time::UNIX_EPOCH + Duration::from_secs(NOW + 1);
    assert_eq!(failing.last_introspection_error_at(), Some(at));
    assert!(failing.to_string().contains("2 introspection failures"), "{failing}");
    assert!(asked.server.health().is_ready());
    asked.authorization_server.set(Condition::Up);
    // A refusal is an answer as good as any.
    asked.present("unknown-token").await.assert_t401();
    let again = of(&asked);
    assert_eq!(again.introspection_failures(), Some(0));
    assert_eq!(again.last_introspection_error(), Some(IntrospectionError::Refused));
    assert!(!again.to_string().contains("failure"), "{again}");
    // Who is not asked has nothing to tell.
    let plain = crate::support::Bed::new();
    assert_eq!(plain.server.health().issuers()[0].introspection_failures(), None);
}

/// A clock that breaks after it was asked that often.
#[derive(Clone, Debug)]
struct BreakingClock(Arc<std::sync::atomic::AtomicUsize>);

impl tower_resource_server::Clock for BreakingClock {
    fn now(&self) -> std::time::SystemTime {
        let left = &self.0;
        let one_less = |left: usize| left.checked_sub(1);
        let order = std::sync::atomic::Ordering::SeqCst;
        left.fetch_update(order, order, one_less).expect("the clock is broken");
        std::time::UNIX_EPOCH + Duration::from_secs(NOW)
    }
}

#[tokio::test]
async fn a_clock_that_panics_within_a_call_leaves_nobody_waiting() {
    let left = Arc::new(std::sync::atomic::AtomicUsize::new(1000));
    let fetch = ScriptedFetch::new().json_at(ENDPOINT, {
        let mut members = right();
        members["active"] = true.into();
        members
    });
    let failures = Failures::default();
    let introspection = Introspection::at(ENDPOINT, basic());
    let builder = asking(introspection, fetch.clone(), &FixedClock::at(NOW));
    let builder = builder.clock(BreakingClock(Arc::clone(&left))).observer(failures.clone());
    let server = builder.build().expect("valid");
    let hold = fetch.hold();
    let request = present(&server, TOKEN);
    let breaking = async {
        fetch.arrived(1).await;
        left.store(0, std::sync::atomic::Ordering::SeqCst);
        hold.release();
        let_others_run().await;
        left.store(1000, std::sync::atomic::Ordering::SeqCst);
    };
    let started = Box::pin(request);
    let waiting = async {
        let mut started = started;
        futures_util::future::poll_fn(|context| {
            // The request takes its own look at the clock only after the call has ended.
            match left.load(std::sync::atomic::Ordering::SeqCst) {
                0 => {
                    context.waker().wake_by_ref();
                    std::task::Poll::Pending
                }
                _ => started.as_mut().poll(context),
            }
        })
        .await
    };
    let (answer, ()) = tokio::join!(waiting, breaking);
    answer.assert_x503();
    assert_eq!(failures.take(), [IntrospectionError::Runtime]);
}

/// A TLS server on loopback whose certificate nobody has signed, its port, and whether its clients
/// went on in spite of that. To those it says that every token is active.
#[cfg(feature = "http-client")]
async fn untrusted_tls() -> (u16, tokio::sync::mpsc::UnboundedReceiver<bool>) {
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
    #[cfg(feature = "aws-lc-rs")]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    let provider = rustls::crypto::ring::default_provider();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("the provider serves TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .expect("a key of its certificate");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("a bound listener").port();
    let mut members = right();
    members["active"] = true.into();
    let body = members.to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
    let answer = format!("{head}: {}\r\n\r\n{body}", body.len());
    let (ended, handshakes) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let accepted = acceptor.accept(stream).await;
            // Nobody may be left who wants to know.
            let _ = ended.send(accepted.is_ok());
            if let Ok(mut stream) = accepted {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    (port, handshakes)
}

#[cfg(feature = "http-client")]
#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_a_failure() {
    use tower_resource_server::{Issuer, ResourceServer};
    let (port, mut handshakes) = untrusted_tls().await;
    let endpoint = format!("https://localhost:{port}/introspect");
    let failures = Failures::default();
    let introspection = Introspection::at(endpoint, basic());
    let server = ResourceServer::builder(crate::support::RESOURCE)
        .issuer(Issuer::introspection(crate::support::ISSUER, introspection))
        .allow_loopback()
        .observer(failures.clone())
        .build()
        .expect("valid");
    // R7662-4-1: TLS, with the certificate checked.
    present(&server, TOKEN).await.assert_x503();
    assert_eq!(failures.take(), [IntrospectionError::Fetch(FetchErrorKind::Transport)]);
    assert_eq!(handshakes.recv().await, Some(false), "a client that trusts anybody");
}

/// A runtime that is kept and not driven any more says nothing: only the time tells.
#[test]
fn a_call_that_nobody_drives_any_more_is_told_and_made_anew() {
    let asked = Asked::new();
    let token = asked.token();
    let hold = asked.authorization_server.hold();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let first = builder.enable_all().build().expect("a runtime");
    let (server, slow) = (asked.server.clone(), token.clone());
    first.spawn(async move { present(&server, &slow).await });
    first.block_on(let_others_run());
    assert_eq!(asked.calls(), 1);
    let log = Capture::start();
    let second = builder.start_paused(true).build().expect("a runtime");
    second.block_on(async {
        let answer = asked.present(&token).await;
        assert_eq!(answer.kind(), Some(RejectionKind::IntrospectionUnavailable));
        assert_eq!((asked.calls(), asked.failures.take()), (1, vec![]), "it waits for the call");
        hold.release();
        asked.present(&token).await.assert_ok();
    });
    assert_eq!((asked.calls(), asked.failures.take()), (2, vec![IntrospectionError::Runtime]));
    let [line] = &told(&log)[..] else { panic!("one line") };
    assert_eq!(line.get("cause"), Some("its runtime is not driven any more"));
    drop(first);
}
