//! Each crate, configured as its documentation recommends, around the bare service.

pub mod axum_oidc_layer;
pub mod dpop_verifier;
pub mod huskarl;
pub mod jwt_authorizer;
pub mod oauth_resource_server;
pub mod ours;
pub mod skyauth;
pub mod tower_oauth2;
pub mod turbomcp;

use tokio::runtime::Runtime;

use crate::authority::Authority;
use crate::contestant::Contestant;

/// The scope that no token of the benches has.
pub const MISSING: &str = "admin";

/// Builds a contestant with caches that are empty; `None` where the crate has no such demand.
pub type Build = fn(&Authority, &Runtime, Demand) -> Option<Box<dyn Contestant>>;

/// What is asked of a token beside its being valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Demand {
    /// Nothing.
    Valid,
    /// The scope [`MISSING`].
    Scope,
}
