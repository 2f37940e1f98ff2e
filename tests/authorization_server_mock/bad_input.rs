//! Requests that nobody has reason to send: the client's fault, and no panic.

use http::{Method, StatusCode, header};
use http_body_util::Full;

use crate::bed::{Bed, parameters, query};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn bodies_that_are_no_forms() {
    let bed = Bed::new().await;
    let long = vec![b'a'; 9000];
    let bodies: [(&str, &[u8]); 7] = [
        (FORM, b"%"),
        (FORM, b"a=%f"),
        (FORM, b"a=%zz"),
        (FORM, b"a=%ff"),
        (FORM, b"\xff=1"),
        (FORM, &long),
        ("application/json", b"{}"),
    ];
    for (kind, body) in bodies {
        for path in ["/token", "/authorize", "/authorize/consent", "/introspect"] {
            let request = bed.request(Method::POST, path).header(header::CONTENT_TYPE, kind);
            let answer = bed.send(request.body(Full::from(body.to_vec())).expect("valid")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body:?}");
        }
    }
    let request = bed.request(Method::POST, "/token").body(Full::from("a=1")).expect("valid");
    bed.send(request).await.is_refused(400, "invalid_request");
}

#[tokio::test]
async fn queries_that_are_none() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let right = query(&parameters(&client, &[]));
    for more in ["%", "a=%ff", "state2=%zz", &"a".repeat(9000)] {
        bed.get(&format!("/authorize?{right}&{more}")).await.is_page(400);
    }
    // Nothing of this is wrong.
    for more in ["", "&", "=", "a", "a=b=c", "%C3%A9=%00"] {
        let answer = bed.get(&format!("/authorize?{right}&{more}")).await;
        assert!(answer.returned("code").is_some(), "{more}");
    }
}

#[tokio::test]
async fn cookies_that_are_none() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let path = format!("/authorize?{}", query(&parameters(&client, &[])));
    for cookie in [&b"\xff"[..], b"mock_session", b"=;;=", b"mock_session=x"] {
        let request = bed.request(Method::GET, &path).header(header::COOKIE, cookie);
        let answer = bed.send(request.body(Full::default()).expect("valid")).await;
        assert!(answer.cookie().starts_with("mock_session="), "a new one");
    }
}
