//! Version, method and session of authenticated requests.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::ProtocolFuture;
use super::rules::{Outgoing, Refusal, judge};
use super::session::Owner;
use crate::authorize::{Caller, Demand};
use crate::config::Settings;
use crate::error::RejectionKind;
use crate::layer::{RequireFuture, ResponseBody, caller, fault, is_preflight};
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
        let caller = caller(&self.settings, &self.demand, request)?;
        let owner = match caller {
            Caller::Granted(grant) => Owner::of(grant),
            Caller::Anonymous(_) if self.settings.preflight_passes && is_preflight(request) => {
                return Ok(Outgoing::AsItIs);
            }
            Caller::Anonymous(_) => Some(Owner::nobody()),
        };
        let Some(transport) = &self.settings.mcp else {
            let kind = RejectionKind::InvalidRequirement;
            return Err(fault(kind, &self.settings, &self.demand, request));
        };
        let passage = judge(transport, request, owner);
        let passage = passage.map_err(|refusal| self.rejection(caller, refusal))?;
        passage.prepare(request);
        Ok(passage.outgoing)
    }

    fn rejection(&self, caller: Caller<'_>, refusal: Refusal) -> Rejection {
        let Refusal { kind, members } = refusal;
        Rejection::with_members(kind, &self.settings, &self.demand, Attempt::by(caller), members)
    }
}

impl<S, B, R> Service<Request<B>> for ProtocolCheck<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ProtocolFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (verdict, outgoing) = match self.admit(&mut request) {
            Ok(outgoing) => (Ok(()), outgoing),
            Err(rejection) => (Err(rejection), Outgoing::AsItIs),
        };
        ProtocolFuture::new(RequireFuture::start(verdict, &mut self.inner, request), outgoing)
    }
}
