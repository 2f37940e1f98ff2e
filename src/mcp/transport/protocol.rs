//! Version, method and session of authenticated requests.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::TransportFuture;
use super::rules::{Outgoing, Refusal, judge};
use super::session::Owner;
use crate::authorize::{Demand, Grant};
use crate::config::Settings;
use crate::credentials::RequestHead;
use crate::error::RejectionKind;
use crate::layer::{ResponseBody, is_preflight, label, own_anonymous, own_grant, take_ready};
use crate::rejection::{Attempt, Rejection};

/// Calls the inner service for requests that keep the rules of the transport; answers the others.
///
/// The inner service finds the [`Revision`](crate::mcp::Revision) that the request names in its
/// extensions; none where the request is from before `MCP-Protocol-Version`, or begins a session.
#[derive(Clone, Debug)]
pub struct ProtocolCheck<S> {
    inner: S,
    settings: Arc<Settings>,
    demand: Arc<Demand>,
}

impl<S> ProtocolCheck<S> {
    pub(super) fn new(inner: S, settings: &Arc<Settings>) -> Self {
        let demand = Arc::new(Demand::default().kept());
        Self { inner, settings: Arc::clone(settings), demand }
    }

    fn admit<B>(&self, request: &mut Request<B>) -> Result<Outgoing, Rejection> {
        let passage = match self.sender(request) {
            Sender::Preflight => return Ok(Outgoing::AsItIs),
            Sender::Unchecked => Err(RejectionKind::MissingAuthentication.into()),
            Sender::Nobody => self.judge(request, Some(Owner::nobody())),
            Sender::Known(grant) => self.judge(request, Owner::of(grant)),
        };
        let passage = passage.map_err(|refusal| self.rejection(request, refusal))?;
        passage.prepare(request);
        Ok(passage.outgoing)
    }

    /// Fails closed: neither a grant nor the word of an optional layer means that nothing was checked,
    /// and what another server checked counts for nothing here.
    fn sender<'r, B>(&self, request: &'r Request<B>) -> Sender<'r> {
        if let Some(grant) = own_grant(&self.settings, request) {
            return Sender::Known(grant);
        }
        if own_anonymous(&self.settings, request).is_none() {
            return Sender::Unchecked;
        }
        let passes = self.settings.preflight_passes && is_preflight(request);
        if passes { Sender::Preflight } else { Sender::Nobody }
    }

    fn judge<B>(
        &self,
        request: &Request<B>,
        owner: Option<Owner>,
    ) -> Result<super::rules::Passage, Refusal> {
        match &self.settings.mcp {
            Some(transport) => judge(transport, request, owner),
            None => Err(RejectionKind::InvalidRequirement.into()),
        }
    }

    fn rejection<B>(&self, request: &Request<B>, refusal: Refusal) -> Rejection {
        let attempt = match own_grant(&self.settings, request) {
            Some(grant) => Attempt::of(grant),
            None => Attempt::unclear(label(&RequestHead::of(request))),
        };
        let Refusal { kind, members } = refusal;
        Rejection::with_members(kind, &self.settings, &self.demand, attempt, members)
    }
}

/// Whose request it is, by the word of the authenticate layer around.
enum Sender<'r> {
    Known(&'r Grant),
    Nobody,
    Preflight,
    Unchecked,
}

impl<S, B, R> Service<Request<B>> for ProtocolCheck<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = TransportFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.admit(&mut request) {
            Ok(outgoing) => TransportFuture::calling(self.inner.call(request), outgoing),
            Err(rejection) => {
                // Gives back what readiness reserved, such as a permit: the inner is not called.
                drop(take_ready(&mut self.inner));
                TransportFuture::refused(&rejection)
            }
        }
    }
}
