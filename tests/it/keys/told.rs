//! What is told of refreshes, in the log and to an observer.

use super::*;

#[tokio::test]
async fn a_failed_refresh_is_one_log_event_with_its_cause() {
    #[derive(Debug)]
    struct Refused;
    impl Fetch for Refused {
        fn fetch(&self, _: Request<bytes::Bytes>, _: FetchLimits) -> FetchFuture<'_> {
            let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            let error = FetchError::with_source(FetchErrorKind::Transport, source);
            Box::pin(async { Err(error) })
        }
    }
    let remote = Remote::with(|builder| builder.fetch(Refused));
    let log = Capture::start();
    assert_unavailable(&remote.send(&remote.token()).await);
    let events = log.of("tower_resource_server::keys");
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].level, tracing::Level::WARN);
    for (field, value) in [
        ("message", "key refresh failed"),
        ("issuer", ISSUER),
        ("uri", JWKS),
        ("error", "the connection failed"),
        ("cause", "connection refused"),
        ("old_keys_kept", "false"),
    ] {
        assert_eq!(events[0].get(field), Some(value));
    }
}

#[tokio::test]
async fn what_is_told_of_failures_is_enough_for_an_alarm() {
    /// Failures in a row, and seconds that are left.
    type Alarm = (u32, Option<u64>);
    #[derive(Clone, Debug, Default)]
    struct Alarms(Arc<Mutex<Vec<Alarm>>>);
    impl Observer for Alarms {
        fn observe(&self, event: &Event<'_>) {
            if let Event::KeyRefreshFailed { failures, usable_for, .. } = *event {
                let left = usable_for.map(|left| left.as_secs());
                self.0.lock().expect("no panic").push((failures, left));
            }
        }
    }
    let alarms = Alarms::default();
    let remote = Remote::with(|builder| builder.observer(alarms.clone()));
    remote.send(&remote.token()).await.assert_x503();
    remote.publish();
    remote.later(Duration::from_secs(1));
    remote.send(&remote.token()).await.assert_ok();
    remote.go_down();
    for _ in 0..2 {
        remote.later(FRESH);
        remote.send(&remote.token()).await.assert_ok();
        let_others_run().await;
    }
    let day = DAY.as_secs();
    let expected = [(1, None), (1, Some(day)), (2, Some(day - 600))];
    assert_eq!(*alarms.0.lock().expect("no panic"), expected);
}

#[tokio::test]
async fn keys_of_other_algorithms_are_told() {
    let issuer = Issuer::jwks_uri(ISSUER, JWKS).algorithms([Algorithm::PS256]);
    let remote = Remote::up();
    let server = ResourceServer::builder(RESOURCE).issuer(issuer).fetch(remote.fetch.clone());
    let log = Capture::start();
    server.build().expect("valid").ready().await.expect_err("none of its keys is accepted");
    let failed = log.of("tower_resource_server::keys");
    assert_eq!(failed[0].get("cause"), Some("passed over: {NotAccepted: 1}"));
}

#[tokio::test]
async fn every_refresh_is_told_to_the_observer() {
    let mut remote = Remote::down();
    remote.fetch.fail(FetchErrorKind::ForbiddenAddress).respond(500, "text/plain", "");
    for _ in 0..2 {
        assert_unavailable(&remote.send(&remote.token()).await);
        remote.later(Duration::from_secs(2));
    }
    remote.publish();
    remote.send(&remote.token()).await.assert_ok();
    remote.issuer.rotate(key(Algorithm::EdDSA, "test-2"));
    let keys: Vec<Value> = [key(Algorithm::ES256, "a"), remote.issuer.key().clone()]
        .iter()
        .map(SigningKey::public_jwk)
        .collect();
    remote.fetch.always_json(json!({ "keys": keys }));
    remote.send(&remote.token()).await.assert_ok();
    let forbidden = Err(RefreshError::Fetch(FetchErrorKind::ForbiddenAddress));
    assert_eq!(remote.refreshes.all(), [forbidden, Err(RefreshError::Status), Ok(1), Ok(2)]);
}
