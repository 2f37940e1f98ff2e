//! Whether whom the layer around has let through may go on.

use std::sync::Arc;

use http::Request;

use super::request::{is_preflight, label, own_anonymous, own_grant};
use crate::authorize::{Caller, Demand, Grant};
use crate::config::Settings;
use crate::credentials::RequestHead;
use crate::error::RejectionKind;
use crate::rejection::{Attempt, Rejection};

/// Whether the caller meets what a layer demands.
pub(crate) fn demanded<B>(
    settings: &Arc<Settings>,
    demand: &Arc<Demand>,
    request: &Request<B>,
) -> Result<(), Rejection> {
    if demand.unusable {
        return Err(fault(RejectionKind::InvalidRequirement, settings, demand, request));
    }
    match caller(settings, demand, request)? {
        Caller::Granted(grant) => met(demand, grant),
        Caller::Anonymous(_) if settings.preflight_passes && is_preflight(request) => Ok(()),
        Caller::Anonymous(anonymous) => Err(Rejection::missing(anonymous, demand)),
    }
}

/// Fails closed: neither a grant nor the word of an optional layer means that nothing was checked,
/// and what another server checked counts for nothing here (RFC 9700 §2.3).
pub(crate) fn caller<'r, B>(
    settings: &Arc<Settings>,
    demand: &Arc<Demand>,
    request: &'r Request<B>,
) -> Result<Caller<'r>, Rejection> {
    let granted = own_grant(settings, request).map(Caller::Granted);
    let anonymous = || own_anonymous(settings, request).map(Caller::Anonymous);
    granted
        .or_else(anonymous)
        .ok_or_else(|| fault(RejectionKind::MissingAuthentication, settings, demand, request))
}

pub(super) fn met(demand: &Arc<Demand>, grant: &Grant) -> Result<(), Rejection> {
    if let Some(constraint) = demand.constraint.filter(|own| !grant.is_tied_by(*own)) {
        return Err(Rejection::unconstrained(grant, demand, constraint));
    }
    demand.check(grant).map_err(|short| short.into_rejection(grant, demand))
}

/// A refusal for a reason that is none of the token's.
#[cfg(feature = "mcp")]
pub(crate) fn refusal<B>(
    settings: &Arc<Settings>,
    demand: &Arc<Demand>,
    request: &Request<B>,
    kind: RejectionKind,
) -> Rejection {
    match caller(settings, demand, request) {
        Ok(caller) => Rejection::new(kind, settings, demand, Attempt::by(caller)),
        Err(rejection) => rejection,
    }
}

/// The server is set up wrong, or what is wrong with the request are not its credentials.
pub(crate) fn fault<B>(
    kind: RejectionKind,
    settings: &Arc<Settings>,
    demand: &Arc<Demand>,
    request: &Request<B>,
) -> Rejection {
    let attempt = Attempt::unclear(label(settings, &RequestHead::of(request)));
    Rejection::new(kind, settings, demand, attempt)
}
