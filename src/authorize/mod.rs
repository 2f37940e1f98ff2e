//! Stage 4: whether what a token grants is enough for what is asked.
//!
//! Two things are kept apart. A [`Grant`] says what the caller holds; it exists only for tokens
//! that passed every check. A [`Requirement`] says what an operation needs; it exists before any
//! request and can be checked for faults then. Putting one to the other yields a shortfall, from
//! which the refusal and its challenge are made.

mod alternatives;
mod caller;
mod demand;
mod details;
mod grant;
mod hierarchy;
mod requirement;
mod scopes;
mod step_up;

pub(crate) use self::caller::Caller;
pub(crate) use self::demand::Demand;
pub use self::details::AuthorizationDetails;
pub(crate) use self::grant::{Anonymous, Label};
pub use self::grant::{ClaimsError, Grant};
pub(crate) use self::hierarchy::ScopeHierarchy;
pub(crate) use self::requirement::{OFFLINE_ACCESS, Shortfall};
pub use self::requirement::{Predicate, Requirement};
pub use self::scopes::Scopes;
pub use self::step_up::StepUp;
