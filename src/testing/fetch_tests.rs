use serde_json::json;

use super::*;

async fn get(fetch: &ScriptedFetch, uri: &'static str) -> Result<Response<Bytes>, FetchErrorKind> {
    let request = Request::builder().uri(uri).body(Bytes::new()).expect("as the kit makes it");
    fetch.fetch(request, FetchLimits::default()).await.map_err(|error| error.kind())
}

#[tokio::test]
async fn the_script_is_played_in_order_then_the_fallback() {
    let fetch = ScriptedFetch::new();
    fetch.respond(503, "text/plain", "later").fail(FetchErrorKind::Timeout);
    assert_eq!(get(&fetch, "/1").await.expect("as the kit makes it").status(), 503);
    assert_eq!(get(&fetch, "/2").await.unwrap_err(), FetchErrorKind::Timeout);
    assert_eq!(get(&fetch, "/3").await.unwrap_err(), FetchErrorKind::Transport);
    fetch.always_json(json!({ "keys": [] }));
    for _ in 0..2 {
        let answer = get(&fetch, "/4").await.expect("as the kit makes it");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(answer.body(), r#"{"keys":[]}"#);
    }
    assert_eq!(fetch.requests(), ["/1", "/2", "/3", "/4", "/4"]);
    fetch.always_fail(FetchErrorKind::TooLarge);
    assert_eq!(get(&fetch.clone(), "/5").await.unwrap_err(), FetchErrorKind::TooLarge);
    assert_eq!(fetch.count(), 6);
}

#[tokio::test]
async fn headers_come_with_every_answer() {
    let fetch = ScriptedFetch::new().always_json(json!({}));
    fetch.with_header("cache-control", "max-age=60");
    fetch.respond_with(
        Response::builder().status(304).body(Bytes::new()).expect("as the kit makes it"),
    );
    for status in [304, 200] {
        let answer = get(&fetch, "/").await.expect("as the kit makes it");
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["cache-control"], "max-age=60");
    }
}

#[tokio::test]
async fn held_requests_count_and_wait() {
    let fetch = ScriptedFetch::new().always_json(json!({}));
    let hold = fetch.hold();
    let waiting = tokio::spawn({
        let fetch = fetch.clone();
        async move { get(&fetch, "/held").await }
    });
    fetch.arrived(1).await;
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    hold.release();
    waiting.await.expect("as the kit makes it").expect("as the kit makes it");
    get(&fetch, "/after").await.expect("as the kit makes it");
    assert_eq!(fetch.count(), 2);
}

#[tokio::test]
async fn a_dropped_hold_holds_nothing() {
    let fetch = ScriptedFetch::new().always_json(json!({}));
    drop(fetch.hold());
    get(&fetch, "/").await.expect("as the kit makes it");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_request_never_ends() {
    let fetch = ScriptedFetch::new().always_json(json!({}));
    fetch.hang();
    let day = std::time::Duration::from_secs(86_400);
    assert!(tokio::time::timeout(day, get(&fetch, "/")).await.is_err());
    get(&fetch, "/").await.expect("as the kit makes it");
}

#[tokio::test]
async fn a_uri_may_have_an_answer_of_its_own() {
    let fetch = ScriptedFetch::new().always(404, "text/plain", "").json_at("https://as/a", 7);
    fetch.fail_at("https://as/b", FetchErrorKind::Timeout).respond(200, "text/plain", "first");
    let ask = async |uri: &str, body: &'static str| {
        let request = Request::post(uri).body(Bytes::from(body)).expect("a request");
        let answer = fetch.fetch(request, FetchLimits::default()).await;
        answer.map(|answer| answer.into_body()).map_err(|error| error.kind())
    };
    assert_eq!(ask("https://as/a", "").await, Ok(Bytes::from("first")));
    assert_eq!(ask("https://as/a", "token=x").await, Ok(Bytes::from("7")));
    assert_eq!(ask("https://as/b", "").await, Err(FetchErrorKind::Timeout));
    assert_eq!(ask("https://as/c", "").await, Ok(Bytes::new()));
    assert_eq!(fetch.count_at("https://as/a"), 2);
    let second = &fetch.exchanges()[1];
    assert_eq!((second.method().as_str(), &second.body()[..]), ("POST", &b"token=x"[..]));
}
