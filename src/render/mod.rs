//! Stage 5: from a refusal to a response.

mod challenge;
mod empty;
mod envelope;
mod hooks;
mod json_rpc;
mod oauth;
mod plan;
mod problem;
mod report;
mod restore;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Response};

pub(crate) use self::challenge::ChallengeSettings;
pub use self::challenge::Challenges;
pub use self::empty::Empty;
pub use self::envelope::{Envelope, ErrorBody, ErrorResponse};
pub(crate) use self::hooks::Hooks;
pub use self::json_rpc::JsonRpc;
pub use self::oauth::OAuthJson;
use self::plan::Plan;
pub use self::problem::ProblemJson;
use crate::rejection::Rejection;

/// The response of a refusal, through the hooks of its server; logged and counted here, once.
pub(crate) fn respond(rejection: &Rejection) -> Response<Bytes> {
    let hooks = &rejection.details().settings.hooks;
    let plan = Plan::of(rejection);
    // A hook that panics must cost neither the connection nor the challenge.
    let mut response = catch_unwind(AssertUnwindSafe(|| hooks.run(&plan))).unwrap_or_else(|_| {
        restore::warn_of_panic();
        Hooks::default().run(&plan)
    });
    restore::restore(&plan, &mut response);
    if rejection.details().label.method == Method::HEAD {
        empty_for_head(&mut response);
    }
    response.extensions_mut().insert(rejection.clone());
    report::report(rejection);
    response
}

/// HEAD has the header fields of GET and no body (RFC 9110 §9.3.2). Where GET has none either,
/// whether a length of zero is announced is the server's to say, for both alike.
fn empty_for_head(response: &mut Response<Bytes>) {
    let length = std::mem::take(response.body_mut()).len();
    if length > 0 {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}
