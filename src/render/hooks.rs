//! The hooks of one server: an envelope, and closures that take the place of single methods.
//!
//! A closure given to the builder wins over the method of the envelope, in whichever order the two
//! were set. All are shared by the server's clones and called from many threads at once.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use super::challenge::Challenges;
use super::envelope::Envelope;
use super::error_body::{ErrorBody, ErrorResponse};
use super::oauth::OAuthJson;
use super::plan::Plan;
use crate::cors::DPOP_NONCE;

type SendError = dyn Fn(StatusCode, &ErrorBody<'_>, &mut ErrorResponse) + Send + Sync;
type WwwAuthenticate = dyn Fn(&Challenges, &mut HeaderMap) + Send + Sync;
type NoStore = dyn Fn(&mut HeaderMap) + Send + Sync;

#[derive(Clone, Default)]
pub(crate) struct Hooks {
    /// [`OAuthJson`] where none was chosen.
    pub(crate) envelope: Option<Arc<dyn Envelope>>,
    pub(crate) send_error: Option<Arc<SendError>>,
    pub(crate) www_authenticate: Option<Arc<WwwAuthenticate>>,
    pub(crate) no_store: Option<Arc<NoStore>>,
}

impl Hooks {
    fn envelope(&self) -> &dyn Envelope {
        self.envelope.as_deref().unwrap_or(&OAuthJson)
    }

    pub(super) fn run(&self, plan: &Plan<'_>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = plan.status;
        if let Some(nonce) = plan.nonce {
            response.headers_mut().insert(DPOP_NONCE, nonce.clone());
        }
        self.no_store(response.headers_mut());
        if !plan.challenges.is_empty() {
            self.www_authenticate(&plan.challenges, response.headers_mut());
        }
        if plan.has_body {
            self.send_error(plan.status, &ErrorBody::new(plan), &mut response);
        }
        response
    }

    fn no_store(&self, headers: &mut HeaderMap) {
        match &self.no_store {
            Some(hook) => hook(headers),
            None => self.envelope().no_store(headers),
        }
    }

    fn www_authenticate(&self, challenges: &Challenges, headers: &mut HeaderMap) {
        match &self.www_authenticate {
            Some(hook) => hook(challenges, headers),
            None => self.envelope().www_authenticate(challenges, headers),
        }
    }

    fn send_error(&self, status: StatusCode, body: &ErrorBody<'_>, response: &mut ErrorResponse) {
        match &self.send_error {
            Some(hook) => hook(status, body, response),
            None => self.envelope().send_error(status, body, response),
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}
