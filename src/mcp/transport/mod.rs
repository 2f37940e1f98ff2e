//! The rules of the transport, *Streamable HTTP*: who may call, in which version, in which session.
//!
//! They are judged from the head of a request alone. The order is that of
//! [`McpLayer`](super::McpLayer): the origin before anything else, since a web page must not even
//! learn whether its user has a token; the token next; then version, method and session, which are
//! nobody's business without one.

mod future;
mod layer;
mod origin;
mod protocol;
mod rules;
mod session;
mod version;

pub use self::future::ProtocolFuture;
pub use self::layer::{McpLayer, McpService};
pub use self::origin::OriginCheck;
pub(crate) use self::origin::Origins;
pub use self::protocol::ProtocolCheck;
pub use self::session::{SealedSessions, SessionSecretError};
pub(crate) use self::version::{PROTOCOL_VERSION, Versions};

/// The rules of one server.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) versions: Versions,
    pub(crate) origins: Origins,
    /// `None`: that is the application's affair.
    pub(crate) sessions: Option<SealedSessions>,
    pub(crate) demands_session: bool,
}
