//! Requests over plain HTTP, and what is shown of them: never a token, a proof or a nonce.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

const SHOWN: [header::HeaderName; 2] = [header::WWW_AUTHENTICATE, header::RETRY_AFTER];

pub(crate) struct Http(Client<HttpConnector, Full<Bytes>>);

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Http {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, Box<dyn Error>> {
        show_request(&request);
        let (head, body) = self.0.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let answer = Answer { status: head.status, headers: head.headers, body };
        answer.show();
        Ok(answer)
    }
}

impl Answer {
    /// The `error` of the challenge of the scheme `DPoP`, if it is this one.
    ///
    /// The search for a piece of text does for servers like the one beside; challenges in general
    /// take a parser (RFC 9110 §11.6.1).
    pub(crate) fn has_dpop_error(&self, code: &str) -> bool {
        let values = self.headers.get_all(header::WWW_AUTHENTICATE).iter();
        let mut challenges = values.filter_map(|value| value.to_str().ok());
        let error = format!("error=\"{code}\"");
        self.status == StatusCode::UNAUTHORIZED
            && challenges.any(|value| value.starts_with("DPoP ") && value.contains(&error))
    }

    /// Any response may bring a nonce, for the requests after it (RFC 9449 §8.2).
    pub(crate) fn nonce(&self) -> Option<String> {
        let nonce = self.headers.get("dpop-nonce")?.to_str().ok()?;
        Some(nonce.to_owned())
    }

    fn show(&self) {
        println!("< {}", self.status);
        for name in SHOWN {
            for value in self.headers.get_all(&name) {
                println!("< {name}: {}", value.to_str().unwrap_or("(unreadable)"));
            }
        }
        if self.headers.contains_key("dpop-nonce") {
            println!("< dpop-nonce: (a nonce)");
        }
    }
}

fn show_request(request: &Request<Full<Bytes>>) {
    println!("> {} {}", request.method(), request.uri());
    let scheme = request.headers().get(header::AUTHORIZATION).and_then(|field| {
        let (scheme, _) = field.to_str().ok()?.split_once(' ')?;
        Some(scheme)
    });
    if let Some(scheme) = scheme {
        println!("> authorization: {scheme} (the token)");
    }
    if request.headers().contains_key("dpop") {
        println!("> dpop: (a proof)");
    }
}
