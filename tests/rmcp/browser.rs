//! The browser: it opens URLs and says where it was sent. What the user does there, the mocks do.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// Where the authorization server sends the user back to. Nobody has to listen there.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:7777/callback";

/// The URL that the user comes back with from the authorization endpoint.
pub(crate) async fn authorizes(url: &str) -> String {
    let response = open(url).await;
    let location = response.headers().get(header::LOCATION).expect("a redirect");
    let location = location.to_str().expect("a URL").to_owned();
    assert!(location.starts_with(REDIRECT_URI), "{location}");
    location
}

/// Opens a page and agrees to what stands there.
pub(crate) async fn visits(url: &str) {
    assert_eq!(open(url).await.status(), StatusCode::OK, "{url}");
}

/// Sends a form, and gives the status of the answer.
pub(crate) async fn posts(url: &str, form: String) -> StatusCode {
    let kind = "application/x-www-form-urlencoded";
    let request = Request::post(url).header(header::CONTENT_TYPE, kind).body(Full::from(form));
    send(request.expect("a URL")).await.status()
}

async fn open(url: &str) -> http::Response<Bytes> {
    send(Request::get(url).body(Full::default()).expect("a URL")).await
}

async fn send(request: Request<Full<Bytes>>) -> http::Response<Bytes> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let (head, body) = client.request(request).await.expect("an answer").into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    http::Response::from_parts(head, body)
}
