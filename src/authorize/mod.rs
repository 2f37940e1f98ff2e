//! Stage 4: whether what a token grants is enough for what is asked.

mod demand;
mod grant;
mod hierarchy;
mod requirement;
mod scopes;
mod step_up;

pub(crate) use self::demand::Demand;
pub(crate) use self::grant::{Anonymous, Label};
pub use self::grant::{ClaimsError, Grant};
pub(crate) use self::hierarchy::ScopeHierarchy;
pub(crate) use self::requirement::{OFFLINE_ACCESS, Shortfall};
pub use self::requirement::{Predicate, Requirement};
pub use self::scopes::Scopes;
pub use self::step_up::StepUp;
