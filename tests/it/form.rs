//! Tokens in form bodies (RFC 6750 §2.2): off unless the layer is there.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_resource_server::layer::{BufferedBody, FormTokenLayer};

use crate::support::{Answer, Bed, read, send};

fn form(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post("/w")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(body.into()))
        .expect("a well-formed request")
}

/// Sends a request through the form layer; the handler echoes the body it gets.
async fn through(bed: &Bed, request: Request<Full<Bytes>>) -> Answer {
    let echo = service_fn(|request: Request<BufferedBody<Full<Bytes>>>| async {
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::from(body)))
    });
    let service = ServiceBuilder::new()
        .layer(FormTokenLayer::new().limit(4096))
        .layer(bed.server.authenticate())
        .service(echo);
    let response = service.oneshot(request).await.expect("infallible");
    let handled = response.status().is_success();
    read(response, handled).await
}

#[tokio::test]
async fn forms_are_not_read_by_default() {
    let bed = Bed::new();
    let request = form(format!("access_token={}", bed.token()));
    // R6750-2.2-1
    send(bed.server.authenticate(), request).await.assert_n401();
}

#[tokio::test]
async fn a_form_token_is_accepted_and_the_handler_sees_the_whole_body() {
    let bed = Bed::new();
    let body = format!("a=1&access_token={}", bed.token());
    let answer = through(&bed, form(body.clone())).await;
    // R6750-2.2-4
    answer.assert_ok();
    assert_eq!(answer.body, body);
    let mut not_ascii = body.into_bytes();
    not_ascii.extend(b"&b=\xff");
    through(&bed, form(not_ascii)).await.assert_r400();
}

#[tokio::test]
async fn only_the_form_content_type_counts() {
    let bed = Bed::new();
    let body = format!("access_token={}", bed.token());
    for content_type in ["multipart/form-data; boundary=x", "application/json", "text/plain"] {
        let mut request = form(body.clone());
        let value = http::HeaderValue::from_static(content_type);
        request.headers_mut().insert("content-type", value);
        // R6750-2.2-2
        through(&bed, request).await.assert_n401();
    }
    let mut request = form(body);
    let value = http::HeaderValue::from_static("Application/X-WWW-Form-Urlencoded; charset=utf-8");
    request.headers_mut().insert("content-type", value);
    through(&bed, request).await.assert_ok();
}

#[tokio::test]
async fn methods_without_a_body_are_not_read() {
    let bed = Bed::new();
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
        let mut request = form(format!("access_token={}", bed.token()));
        *request.method_mut() = method.parse().expect("a method");
        // R6750-2.2-3
        through(&bed, request).await.assert_n401();
    }
}

#[tokio::test]
async fn repeated_parameters_are_malformed() {
    let bed = Bed::new();
    for body in ["access_token=A&access_token=B", "access_token=A&access%5Ftoken=A"] {
        // R6750-2.2-5
        through(&bed, form(body)).await.assert_r400();
    }
}

#[tokio::test]
async fn header_and_form_are_two_methods() {
    let bed = Bed::new();
    let mut request = form(format!("access_token={}", bed.token()));
    let value = format!("Bearer {}", bed.token()).parse().expect("a field value");
    request.headers_mut().insert("authorization", value);
    // R6750-2-1
    through(&bed, request).await.assert_r400();
}

#[tokio::test]
async fn values_are_form_decoded_and_judged_like_any_token() {
    let bed = Bed::new();
    let escaped = bed.token().replace('.', "%2E");
    through(&bed, form(format!("access_token={escaped}"))).await.assert_ok();
    through(&bed, form("access_token=garbage")).await.assert_t401();
    through(&bed, form("access_token=a+b")).await.assert_r400();
    through(&bed, form("access_token=a%0db")).await.assert_r400();
    through(&bed, form("access_token=%zz")).await.assert_r400();
    through(&bed, form("access_token=")).await.assert_n401();
    through(&bed, form("xaccess_token=A&access_tokenx=B")).await.assert_n401();
}

#[tokio::test]
async fn a_body_over_the_limit_is_passed_on_unsearched() {
    let bed = Bed::new();
    let body = format!("access_token={}&pad={}", bed.token(), "x".repeat(8192));
    let mut request = form(body.clone());
    through(&bed, request).await.assert_n401();
    request = form(body.clone());
    let value = format!("Bearer {}", bed.token()).parse().expect("a field value");
    request.headers_mut().insert("authorization", value);
    let answer = through(&bed, request).await;
    answer.assert_ok();
    assert_eq!(answer.body, body);
}
