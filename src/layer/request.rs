//! What the layers read from a request and leave in it.

use std::any::type_name;
use std::sync::Arc;

use http::header::Entry;
use http::{HeaderMap, Method, Request, header};

use crate::authorize::{Anonymous, Grant, Label};
use crate::config::Settings;
use crate::credentials::{DPOP, RequestHead};
use crate::grpc::MediaType;
use crate::scheme::SenderConstraint;

/// What the service inside gets to see of the credentials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Credentials {
    /// All, marked as sensitive.
    Hidden,
    /// Nothing.
    Stripped,
}

impl Credentials {
    pub(super) fn prepare<B>(self, request: &mut Request<B>) {
        match self {
            Self::Hidden => hide_credentials(request),
            Self::Stripped => strip_credentials(request.headers_mut()),
        }
    }
}

/// RFC 8707 §3: a token is not for whomever the service inside may call.
fn strip_credentials(headers: &mut HeaderMap) {
    headers.remove(header::AUTHORIZATION);
    headers.remove(DPOP);
}

/// Whoever prints the headers further in must not reveal the token (OAuth 2.1 §1.4).
fn hide_credentials<B>(request: &mut Request<B>) {
    let headers = request.headers_mut();
    if let Some(token) = headers.get_mut(header::AUTHORIZATION) {
        token.set_sensitive(true);
    }
    if let Some(proof) = headers.get_mut(DPOP) {
        proof.set_sensitive(true);
        // Most requests have one line of each field, and then none of these is looked for.
        if headers.len() > headers.keys_len() {
            hide_stray_proofs(headers);
        }
    }
}

/// Beside a bearer token any number of proofs is ignored, and each could be a good one.
fn hide_stray_proofs(headers: &mut HeaderMap) {
    // An entry may make the map grow, so it is asked for only where there are more.
    if headers.get_all(DPOP).iter().nth(1).is_some()
        && let Entry::Occupied(mut proofs) = headers.entry(DPOP)
    {
        proofs.iter_mut().for_each(|proof| proof.set_sensitive(true));
    }
}

/// The grant that a layer of the same server further out has left.
pub(crate) fn own_grant<'r, B>(
    settings: &Arc<Settings>,
    request: &'r Request<B>,
) -> Option<&'r Grant> {
    let grant = request.extensions().get::<Grant>();
    grant.filter(|grant| Arc::ptr_eq(grant.settings(), settings))
}

/// That an optional layer of the same server further out let the request through, with no token.
pub(crate) fn own_anonymous<'r, B>(
    settings: &Arc<Settings>,
    request: &'r Request<B>,
) -> Option<&'r Anonymous> {
    let anonymous = request.extensions().get::<Anonymous>();
    anonymous.filter(|anonymous| Arc::ptr_eq(&anonymous.settings, settings))
}

/// Whether the sender is to be told which fields of the answer it may read: a web page of some
/// origin, where the server does that at all.
pub(super) fn exposes(settings: &Settings, headers: &HeaderMap) -> bool {
    settings.expose_headers && headers.contains_key(header::ORIGIN)
}

/// A CORS preflight carries no credentials by design (Fetch §3.2), and no content either. What
/// announces some is no preflight, but could be a call to a service that ignores the method; so
/// could anything that tonic is to serve.
pub(crate) fn is_preflight<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let announced = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::TRANSFER_ENCODING,
        header::TE,
    ];
    *request.method() == Method::OPTIONS
        && !ignores_methods::<B>()
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && !announced.iter().any(|name| headers.contains_key(name))
        && headers.get(header::CONTENT_LENGTH).is_none_or(|length| length == "0")
}

/// tonic looks at the path alone: it would run a method for whoever sends OPTIONS. Its servers hand
/// requests on with a body of their own type, which other layers may have wrapped.
fn ignores_methods<B>() -> bool {
    type_name::<B>().contains("tonic::body::Body")
}

/// gRPC calls are answered with the status 200, which a client that sent CONNECT would take for a
/// tunnel.
pub(super) fn grpc_type(method: &Method, headers: &HeaderMap) -> Option<MediaType> {
    MediaType::of(headers).filter(|_| *method != Method::CONNECT)
}

/// Method and path as the client sent them, from before any router stripped a prefix.
pub(crate) fn label(settings: &Settings, head: &RequestHead<'_>) -> Label {
    Label {
        method: head.method().clone(),
        target: original_uri(head).path_and_query().cloned(),
        exposes: exposes(settings, head.headers()),
        grpc: grpc_type(head.method(), head.headers()),
        constraint: SenderConstraint::default(),
    }
}

#[cfg(feature = "axum")]
pub(super) fn original_uri<'a>(head: &RequestHead<'a>) -> &'a http::Uri {
    let original = head.extensions().get::<axum::extract::OriginalUri>();
    original.map_or_else(|| head.uri(), |original| &original.0)
}

#[cfg(not(feature = "axum"))]
pub(super) fn original_uri<'a>(head: &RequestHead<'a>) -> &'a http::Uri {
    head.uri()
}
