//! The form of gRPC: the HTTP status 200, and the outcome in header fields that are all there is
//! (*Trailers-Only*), so that one HEADERS frame ends the stream.
//!
//! A gRPC client reads an HTTP status only where `grpc-status` is missing, and then coarsely. The
//! form is a property of the request, whatever the envelope. Its hooks for header fields run, since
//! those are metadata here; that for the body does not, for there is none.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};

use super::envelope::{NO_STORE, append_challenges};
use super::plan::Plan;
use crate::cors::DPOP_NONCE;
use crate::grpc::{self, MediaType};
use crate::rejection::Rejection;

/// Makes the answer to a call of what the hooks have made.
pub(super) fn shape(plan: &Plan<'_>, media_type: MediaType, response: &mut Response<Bytes>) {
    let headers = response.headers_mut();
    remove_outcome(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type.name()));
    insert_outcome(plan.rejection, headers);
}

/// What hooks have no say in. Details that are not Base64 make clients panic.
fn remove_outcome(headers: &mut HeaderMap) {
    let own = |name: &&HeaderName| name.as_str().starts_with("grpc-");
    let names: Vec<_> = headers.keys().filter(own).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// `grpc-status`, in decimal, and `grpc-message`.
fn insert_outcome(rejection: &Rejection, headers: &mut HeaderMap) {
    headers.insert(grpc::STATUS, status(rejection));
    // Percent-encoded, so it is a field value.
    if let Ok(message) = message(rejection) {
        headers.insert(grpc::MESSAGE, message);
    }
}

fn status(rejection: &Rejection) -> HeaderValue {
    match rejection.grpc_code() {
        7 => HeaderValue::from_static("7"),
        16 => HeaderValue::from_static("16"),
        code => HeaderValue::from(u16::from(code)),
    }
}

/// The texts of the kinds are sent from where they stand.
fn message(rejection: &Rejection) -> Result<HeaderValue, InvalidHeaderValue> {
    let fixed = rejection.kind().description();
    match grpc::encode(rejection.description()) {
        Cow::Borrowed(text) if text == fixed => {
            HeaderValue::from_maybe_shared(Bytes::from_static(fixed.as_bytes()))
        }
        text => HeaderValue::from_str(&text),
    }
}

/// How a response ends whose token expires while it is streamed.
pub(crate) enum Ending {
    Nothing,
    Data(Bytes),
    Trailers(HeaderMap),
}

pub(super) fn end(plan: &Plan<'_>, media_type: MediaType) -> Ending {
    let mut trailers = HeaderMap::new();
    insert_outcome(plan.rejection, &mut trailers);
    append_challenges(&plan.challenges, &mut trailers);
    if let Some(nonce) = plan.nonce {
        trailers.insert(DPOP_NONCE, nonce.clone());
    }
    match media_type {
        MediaType::Grpc | MediaType::GrpcProto | MediaType::GrpcJson => Ending::Trailers(trailers),
        MediaType::Web | MediaType::WebProto => Ending::Data(web_frame(&trailers).into()),
        MediaType::WebText | MediaType::WebTextProto => {
            Ending::Data(STANDARD.encode(web_frame(&trailers)).into())
        }
    }
}

/// gRPC-Web has its trailers in the body: a frame with the highest bit of its flags set, and
/// HTTP/1.1 field lines in it.
fn web_frame(trailers: &HeaderMap) -> Vec<u8> {
    let lines = trailers.iter().flat_map(|(name, value)| {
        [name.as_str().as_bytes(), b":", value.as_bytes(), b"\r\n"].concat()
    });
    let lines: Vec<u8> = lines.collect();
    let length = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    [&[0x80], &length.to_be_bytes()[..], &lines].concat()
}

/// The answer of tonic's router to a call of a method that does not exist, which is how a method
/// conceals itself. It has no `Cache-Control` either; what is no POST, and so might be kept by a
/// cache, is no call.
pub(super) fn unimplemented(
    rejection: &Rejection,
    media_type: MediaType,
    method: &Method,
) -> Response<Bytes> {
    let media_type = match media_type {
        MediaType::GrpcProto | MediaType::GrpcJson => MediaType::Grpc,
        other => other,
    };
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type.name()));
    headers.insert(grpc::STATUS, status(rejection));
    if *method != Method::POST {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
    response
}
