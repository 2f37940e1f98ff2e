//! The Tower skin: layers, services and the one future that sequences the stages.

mod authenticate;
mod body;
mod form;
mod future;
mod require;
mod reshape;

pub use self::authenticate::{Authenticate, AuthenticateLayer};
pub use self::body::ResponseBody;
pub use self::form::{FormBody, FormTokenFuture, FormTokenLayer, FormTokens};
pub use self::future::ResponseFuture;
pub use self::require::{Require, RequireFuture, RequireLayer};
