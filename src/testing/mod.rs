//! The kit for tests: an issuer, its tokens sound and flawed, a clock, scripted fetches.
//!
//! Nothing here opens a socket or sleeps. The kit signs with its own code, so it works with
//! whichever signature backend the crate is built with and turns none on.
//!
//! ```
//! use tower_resource_server::testing::{Flaw, TestIssuer};
//!
//! let issuer = TestIssuer::new("https://as.example.com");
//! let request = issuer.token().scope("read write").authorize(http::Request::new(()));
//! assert!(request.headers()["authorization"].to_str().unwrap().starts_with("Bearer ey"));
//!
//! // One thing wrong with each of these; a resource server refuses them all.
//! for flaw in Flaw::ALL {
//!     println!("{flaw:?}: {}", issuer.token().flaw(flaw).build());
//! }
//! ```
//!
//! Trust no key of this module outside tests: the RSA keys are published with the crate.

mod clock;
mod damage;
mod draft;
mod fetch;
mod flaw;
mod issuer;
mod key;
mod private;
mod proof_use;
mod rsa;
mod script;
mod server;
mod token;

pub use self::clock::FixedClock;
pub use self::fetch::{Hold, ScriptedFetch};
pub use self::flaw::Flaw;
pub use self::issuer::TestIssuer;
pub use self::key::SigningKey;
pub use self::proof_use::proof_use;
pub use self::token::TokenBuilder;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
