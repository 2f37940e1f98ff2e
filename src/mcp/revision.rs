//! The revisions of the protocol, and where their rules differ.

use std::fmt;

use serde_json::{Map, Value};

/// A revision of the Model Context Protocol whose rules this crate knows.
///
/// They are ordered by age: `Revision::V2025_06_18 < Revision::LATEST`.
///
/// ```
/// use tower_resource_server::mcp::Revision;
///
/// assert_eq!(Revision::V2025_11_25.as_str(), "2025-11-25");
/// assert_eq!(Revision::from_name("2026-07-28"), Some(Revision::LATEST));
/// assert_eq!(Revision::from_name("2025-11-25 "), None);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Revision {
    /// `2025-06-18`: the first with resource servers and the `MCP-Protocol-Version` field.
    V2025_06_18,
    /// `2025-11-25`: scopes in challenges, URL elicitation by error −32042.
    V2025_11_25,
    /// `2026-07-28`: no sessions, method and tool name in header fields.
    V2026_07_28,
}

impl Revision {
    /// All of them, the oldest first.
    pub const ALL: &'static [Self] = &[Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// The newest that this crate knows.
    pub const LATEST: Self = Self::V2026_07_28;

    /// Its name, as it stands in `MCP-Protocol-Version`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of exactly that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|revision| revision.as_str() == name)
    }

    /// Whether it has sessions, `Mcp-Session-Id` and the methods GET and DELETE.
    #[must_use]
    pub const fn has_sessions(self) -> bool {
        !matches!(self, Self::V2026_07_28)
    }

    /// Whether requests carry their method and the name of their tool in `Mcp-Method` and
    /// `Mcp-Name`.
    #[must_use]
    pub const fn has_message_fields(self) -> bool {
        matches!(self, Self::V2026_07_28)
    }
}

/// `data` of the error by which a client finds a version that both speak (2026-07-28).
pub(super) fn negotiation(supported: &[Revision], requested: Option<&str>) -> Map<String, Value> {
    let supported = supported.iter().map(|revision| revision.as_str()).collect();
    let requested = requested.map(|requested| ("requested".to_owned(), requested.into()));
    [("supported".to_owned(), supported)].into_iter().chain(requested).collect()
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
