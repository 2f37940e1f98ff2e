//! dpop-verifier: the proof alone, in a service written here after its documentation.
//!
//! The crate checks no access token: whoever uses it adds that, and the comparison of the key with
//! the token's `cnf`. Neither is done here, so that its figures are for less work.

use std::convert::Infallible;
use std::sync::Arc;

use dpop_verifier::{DpopVerifier, VerifiedDpop};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use tokio::runtime::Runtime;
use tower::service_fn;
use tower_service::Service;

use super::Demand;
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};
use crate::replay::Used;
use crate::{Body, RESOURCE};

/// The service. The key of the authorization server is of no use to it.
#[must_use]
pub fn build(_: &Authority, _: &Runtime, demand: Demand) -> Option<Box<dyn Contestant>> {
    if demand == Demand::Scope {
        return None;
    }
    let verifier = Arc::new(DpopVerifier::new());
    let used = Used::default();
    let service = service_fn(move |request| serve(Arc::clone(&verifier), used.clone(), request));
    Some(Box::new(Served(service)))
}

async fn serve(
    verifier: Arc<DpopVerifier>,
    used: Used<[u8; 32]>,
    mut request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    match verify(&verifier, used, &request).await {
        Some(verified) => {
            request.extensions_mut().insert(Arc::new(verified));
            Bare::new().call(request).await
        }
        None => Ok(refusal()),
    }
}

async fn verify(
    verifier: &DpopVerifier,
    mut used: Used<[u8; 32]>,
    request: &Request<Body>,
) -> Option<VerifiedDpop> {
    let token = field(request, &AUTHORIZATION)?.strip_prefix("DPoP ")?;
    let proof = field(request, &HeaderName::from_static("dpop"))?;
    let htu = format!("{RESOURCE}{}", request.uri().path());
    let htm = request.method().as_str();
    verifier.verify(&mut used, proof, &htu, htm, Some(token)).await.ok()
}

fn field<'a>(request: &'a Request<Body>, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

fn refusal() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let challenge = HeaderValue::from_static(r#"DPoP error="invalid_dpop_proof""#);
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}
