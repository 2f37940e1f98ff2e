//! Errors that tools raise.
//!
//! The types hold what is to be said. How it is said, by revision and by what the client can do, is
//! in `form.rs` and in each type's `Describe`. Nothing here depends on an SDK: the forms are plain
//! JSON and HTTP.

mod answer;
mod authorization_required;
mod call;
mod client;
mod configuration;
mod elicitation;
mod flow_id;
mod form;
mod grant;
mod internal;
mod refused;
mod session;
mod text;
mod tool_error;
mod url;

pub use self::answer::Answer;
pub use self::authorization_required::{AuthorizationRequired, SessionMode};
pub use self::call::Call;
pub use self::client::{MissingClientCapability, UnsupportedClientVersion};
pub use self::configuration::ConfigurationError;
pub use self::elicitation::{Elicitation, UrlElicitationRequired};
pub use self::flow_id::{FlowId, FlowIdError};
pub use self::grant::grant;
pub use self::internal::InternalError;
pub use self::refused::Unauthorized;
pub use self::session::SessionMissing;
pub use self::tool_error::ToolError;
pub use self::url::{ElicitationUrl, ElicitationUrlError};
