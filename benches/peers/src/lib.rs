//! The same requests through this crate and through the crates people use today.
//!
//! Three benches share what is here. `checks` sends each contestant requests that are wrong in one
//! way and tells what became of them, `times` times the paths that servers meet, `allocations`
//! counts the heap allocations on the same paths (in a program of its own, since counting slows
//! every allocation of the program it is in).
//!
//! All have the same tokens, the same keys, and the same service inside: one that answers 200 at
//! once, with an empty body. Layers that ask for axum's body types get them and no router, so that
//! none pays for one.

pub mod authority;
pub mod backend;
pub mod bare;
pub mod checks;
pub mod contestant;
pub mod contestants;
pub mod figures;
pub mod floor;
pub mod markdown;
pub mod paths;
pub mod replay;
pub mod requests;
pub mod roster;
pub mod timing;

/// What the services around which the layers lie are called.
pub const RESOURCE: &str = "https://api.example.com";

/// Who issues the tokens.
pub const ISSUER: &str = "https://as.example.com";

/// The request body of all.
pub type Body = axum::body::Body;
