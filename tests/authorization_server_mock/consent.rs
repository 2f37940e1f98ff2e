//! The page that asks the person.

use http::StatusCode;
use serde_json::json;

use crate::authorization_server_mock::options::Consent;
use crate::bed::{Answer, Bed};

const BOTH: (&str, &str) = ("scope", "tools/read tools/write");

async fn bed() -> Bed {
    Bed::with(|options| options.consent = Consent::Page).await
}

fn ticket(page: &Answer) -> String {
    let (_, rest) = page.text().split_once("name=ticket value=\"").expect("a ticket");
    rest.split('"').next().expect("its end").to_owned()
}

async fn decide(bed: &Bed, page: &Answer, cookie: &str, form: &[(&str, &str)]) -> Answer {
    let ticket = ticket(page);
    let form = [&[("ticket", ticket.as_str())], form].concat();
    bed.post("/authorize/consent", &[("cookie", cookie)], &form).await
}

#[tokio::test]
async fn the_person_grants_some_of_it() {
    let bed = bed().await;
    let client = bed.public().await;
    let page = bed.authorize(&client, &[BOTH]).await;
    page.is_page(200);
    let allowed = [("decision", "allow"), ("scope", "tools/read"), ("scope", "admin")];
    let answer = decide(&bed, &page, &page.cookie(), &allowed).await;
    // AS-O21-7.5.3-1: after a form the browser is sent on by 303.
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.returned("state").as_deref(), Some("xyz"));
    assert_eq!(answer.returned("iss").as_deref(), Some(bed.mock.issuer.as_str()));
    let code = answer.returned("code").expect("a code");
    assert_eq!(bed.redeem(&client, &code, &[]).await.json()["scope"], "tools/read");

    // What was granted is not asked again, unless the client wants it so.
    let cookie = page.cookie();
    assert!(bed.browse(&client, &[], Some(&cookie)).await.returned("code").is_some());
    bed.browse(&client, &[("prompt", "consent")], Some(&cookie)).await.is_page(200);
    bed.browse(&client, &[BOTH], Some(&cookie)).await.is_page(200);
}

#[tokio::test]
async fn the_person_refuses() {
    let bed = bed().await;
    let client = bed.public().await;
    let choices: [&[(&str, &str)]; 4] = [
        &[("decision", "deny"), ("scope", "tools/read")],
        &[("scope", "tools/read")],
        &[("decision", "allow")],
        &[("decision", "allow"), ("scope", "admin")],
    ];
    for choice in choices {
        let page = bed.authorize(&client, &[]).await;
        let answer = decide(&bed, &page, &page.cookie(), choice).await;
        answer.is_returned("access_denied");
        assert_eq!(answer.returned("state").as_deref(), Some("xyz"));
        // A question has one answer.
        let allowed = [("decision", "allow"), ("scope", "tools/read")];
        decide(&bed, &page, &page.cookie(), &allowed).await.is_page(400);
    }
}

#[tokio::test]
async fn the_answer_comes_from_the_browser_that_was_asked() {
    let bed = bed().await;
    let client = bed.public().await;
    let allowed = [("decision", "allow"), ("scope", "tools/read")];
    for cookie in ["", "mock_session=made-up", "other=1; mock_session"] {
        let page = bed.authorize(&client, &[]).await;
        decide(&bed, &page, cookie, &allowed).await.is_page(400);
    }
    let stranger = bed.authorize(&client, &[("login_hint", "bob")]).await.cookie();
    let page = bed.authorize(&client, &[]).await;
    decide(&bed, &page, &stranger, &allowed).await.is_page(400);
    bed.post("/authorize/consent", &[], &[("ticket", "x")]).await.is_page(400);
    bed.post("/authorize/consent", &[], &[]).await.is_page(400);
}

#[tokio::test]
async fn what_a_client_calls_itself_is_text() {
    let bed = bed().await;
    let name = "<script>alert(\"1\")</script>&'";
    let (client, _) = bed.client_with(json!({ "client_name": name })).await;
    let page = bed.authorize(&client, &[]).await;
    let escaped = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;";
    assert!(page.text().contains(escaped) && !page.text().contains("<script"));
    let policy = page.field("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.field("x-frame-options"), Some("DENY"));
    let cookie = page.field("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
}
