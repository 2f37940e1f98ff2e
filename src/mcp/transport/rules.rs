//! What the head of a request says of version, method and session, and what follows from it.

use http::header::Entry;
use http::{HeaderMap, HeaderValue, Method, Request};
use serde_json::{Map, Value};

use super::Transport;
use super::session::{Owner, SESSION_ID, SealedSessions};
use crate::error::RejectionKind;
use crate::field::{self, Repeated};
use crate::mcp::Revision;

/// Why a request does not pass, and what there is to say besides.
pub(super) struct Refusal {
    pub(super) kind: RejectionKind,
    pub(super) members: Option<Map<String, Value>>,
}

impl From<RejectionKind> for Refusal {
    fn from(kind: RejectionKind) -> Self {
        Self { kind, members: None }
    }
}

/// How a request passes.
pub(super) struct Passage {
    /// `None`: it is of a revision from before `MCP-Protocol-Version`, or begins a session.
    revision: Option<Revision>,
    incoming: Incoming,
    pub(super) outgoing: Outgoing,
}

/// What becomes of the `Mcp-Session-Id` of a request.
enum Incoming {
    AsItIs,
    Without,
    Opened(HeaderValue),
}

/// What becomes of the `Mcp-Session-Id` of a response.
pub(super) enum Outgoing {
    AsItIs,
    Without,
    /// `None`: whoever it was cannot have a session.
    Sealed(SealedSessions, Option<Owner>),
}

/// `owner`: the principal of the request.
pub(super) fn judge<B>(
    transport: &Transport,
    request: &Request<B>,
    owner: Option<Owner>,
) -> Result<Passage, Refusal> {
    let revision = transport.versions.of(request.headers())?;
    if revision.is_some_and(|revision| !revision.has_sessions()) {
        return stateless(revision, request.method());
    }
    let (incoming, outgoing) = transport.session(request.method(), request.headers(), owner)?;
    Ok(Passage { revision, incoming, outgoing })
}

/// 2026-07-28: POST alone, and no sessions; an id is to be ignored.
fn stateless(revision: Option<Revision>, method: &Method) -> Result<Passage, Refusal> {
    if *method == Method::POST {
        Ok(Passage { revision, incoming: Incoming::Without, outgoing: Outgoing::Without })
    } else {
        Err(RejectionKind::MethodNotAllowed.into())
    }
}

impl Transport {
    /// Whether a request that passed should have named a session, if it does not begin one.
    pub(crate) fn lacks_session<B>(&self, request: &Request<B>) -> bool {
        let revision = request.extensions().get::<Revision>();
        self.demands_session
            && revision.is_none_or(|revision| revision.has_sessions())
            && !request.headers().contains_key(SESSION_ID)
    }

    fn session(
        &self,
        method: &Method,
        headers: &HeaderMap,
        owner: Option<Owner>,
    ) -> Result<(Incoming, Outgoing), Refusal> {
        // Which POST begins a session, the body says.
        let needs_one = [Method::GET, Method::DELETE].contains(method);
        if needs_one && self.demands_session && !headers.contains_key(SESSION_ID) {
            return Err(RejectionKind::MissingSession.into());
        }
        let Some(sessions) = &self.sessions else {
            return Ok((Incoming::AsItIs, Outgoing::AsItIs));
        };
        let unknown = || Refusal::from(RejectionKind::UnknownSession);
        let incoming = match field::single(headers, &SESSION_ID).map_err(|Repeated| unknown())? {
            None => Incoming::AsItIs,
            Some(sealed) => {
                let id = owner.and_then(|owner| sessions.open(sealed, owner));
                Incoming::Opened(id.ok_or_else(unknown)?)
            }
        };
        Ok((incoming, Outgoing::Sealed(sessions.clone(), owner)))
    }
}

impl Passage {
    /// What the service inside gets to see.
    pub(super) fn prepare<B>(&self, request: &mut Request<B>) {
        match self.revision {
            Some(revision) => request.extensions_mut().insert(revision),
            None => request.extensions_mut().remove::<Revision>(),
        };
        match &self.incoming {
            Incoming::AsItIs => {}
            Incoming::Without => {
                request.headers_mut().remove(SESSION_ID);
            }
            Incoming::Opened(id) => {
                request.headers_mut().insert(SESSION_ID, id.clone());
            }
        }
    }
}

impl Outgoing {
    /// What the client gets to see.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        match self {
            Self::AsItIs => {}
            Self::Without => {
                headers.remove(SESSION_ID);
            }
            Self::Sealed(sessions, owner) => {
                if let Entry::Occupied(id) = headers.entry(SESSION_ID) {
                    let sealed = owner.and_then(|owner| sessions.seal(id.get(), owner));
                    settle(id, sealed);
                }
            }
        }
    }
}

/// An id that cannot be sealed would be refused when it comes back.
fn settle(mut id: http::header::OccupiedEntry<'_, HeaderValue>, sealed: Option<HeaderValue>) {
    match sealed {
        Some(sealed) => {
            id.insert(sealed);
        }
        None => {
            id.remove();
            tracing::error!(target: "tower_resource_server::mcp", "the id of a session cannot be tied to a principal and was taken out of the response");
        }
    }
}
