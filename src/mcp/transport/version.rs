//! `MCP-Protocol-Version`: which revision a request is of.

use http::{HeaderMap, HeaderName};

use super::rules::Refusal;
use crate::error::RejectionKind;
use crate::field::{self, Repeated};
use crate::mcp::{Revision, negotiation};

pub(crate) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// What a request without the field is of, and the name that some clients give it.
const OLDER: &str = "2025-03-26";

/// The longest name that is looked at, and given back.
const LONGEST: usize = 32;

/// The revisions that a server speaks, the newest first.
#[derive(Debug)]
pub(crate) struct Versions(Vec<Revision>);

impl Versions {
    pub(crate) fn new(mut revisions: Vec<Revision>) -> Self {
        revisions.sort_unstable_by(|one, other| other.cmp(one));
        revisions.dedup();
        Self(revisions)
    }

    /// Clients from before the field, and the first request of a session, do not have it.
    fn have_sessions(&self) -> bool {
        self.0.iter().any(|revision| revision.has_sessions())
    }

    /// `None` for a request of a revision from before the field, or one that begins a session.
    pub(super) fn of(&self, headers: &HeaderMap) -> Result<Option<Revision>, Refusal> {
        let malformed = || self.refuse(RejectionKind::MalformedProtocolVersion, None);
        let name =
            match field::single(headers, &PROTOCOL_VERSION).map_err(|Repeated| malformed())? {
                Some(line) => word(line.as_bytes()).ok_or_else(malformed)?,
                None if self.have_sessions() => return Ok(None),
                None => return Err(self.refuse(RejectionKind::MissingProtocolVersion, None)),
            };
        match Revision::from_name(name).filter(|revision| self.0.contains(revision)) {
            Some(revision) => Ok(Some(revision)),
            None if name == OLDER && self.have_sessions() => Ok(None),
            None => Err(self.refuse(RejectionKind::UnsupportedProtocolVersion, Some(name))),
        }
    }

    /// With the list, by which a client finds a version that both speak.
    fn refuse(&self, kind: RejectionKind, requested: Option<&str>) -> Refusal {
        Refusal { kind, members: Some(negotiation(&self.0, requested)) }
    }
}

/// One word of visible ASCII, short enough to be given back.
fn word(bytes: &[u8]) -> Option<&str> {
    let fits = !bytes.is_empty() && bytes.len() <= LONGEST;
    let visible = bytes.iter().all(u8::is_ascii_graphic);
    if fits && visible { std::str::from_utf8(bytes).ok() } else { None }
}
