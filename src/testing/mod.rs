//! The kit for tests: an issuer, its tokens and their proofs sound and flawed, a client that proves
//! possession of its key, a clock, an authorization server in memory, scripted fetches.
//!
//! Nothing here opens a socket, and nothing waits unless it is told to. The kit signs with its own
//! code, so it works with whichever signature backend the crate is built with and turns none on.
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
//! A token bound to a key goes with a proof of that key for each request (DPoP, RFC 9449).
//! [`DpopClient`] makes them and follows nonces; [`ProofBuilder`] makes single ones, and spoils them
//! in the ways of [`ProofFlaw`]:
//!
//! ```
//! use tower_resource_server::Algorithm;
//! use tower_resource_server::testing::{DpopClient, ProofFlaw, SigningKey, TestIssuer};
//!
//! let issuer = TestIssuer::new("https://as.example.com");
//! let key = SigningKey::generate(Algorithm::ES256);
//! let client = DpopClient::new(key.clone(), issuer.token().bound_to(&key).build());
//!
//! let request = http::Request::get("/r").body(()).unwrap();
//! let flawed = client.proof(&request).flaw(ProofFlaw::HtuOtherHost).authorize(request);
//! assert!(flawed.headers().contains_key("dpop"));
//! ```
//!
//! [`TestAuthorizationServer`] is what a resource server speaks with over the network, without the
//! network: metadata, key set, introspection, their outages and rotations. [`ScriptedFetch`] answers
//! by a script instead, whatever it is asked. [`TestCertificate`] stands for the client certificate
//! that a token may be bound to as well.
//!
//! Trust no key of this module outside tests: the RSA keys are published with the crate.

mod arrivals;
mod authorization_server;
mod certificate;
mod challenge;
mod clock;
mod damage;
mod dpop_client;
mod draft;
mod fetch;
mod flaw;
mod forgery;
mod hold;
mod issuer;
mod jws;
mod key;
mod private;
mod proof;
mod proof_claims;
mod proof_damage;
mod proof_flaw;
mod proof_key;
mod proof_use;
mod rsa;
mod script;
mod server;
mod target;
mod thumbprint;
mod token;

pub use self::authorization_server::{
    Condition, Endpoint, Garbage, MetadataLocation, TestAuthorizationServer,
};
pub use self::certificate::TestCertificate;
pub use self::clock::FixedClock;
pub use self::dpop_client::DpopClient;
pub use self::fetch::ScriptedFetch;
pub use self::flaw::Flaw;
pub use self::hold::Hold;
pub use self::issuer::TestIssuer;
pub use self::key::SigningKey;
pub use self::proof::ProofBuilder;
pub use self::proof_flaw::ProofFlaw;
pub use self::proof_use::proof_use;
pub use self::token::TokenBuilder;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A field value that is not shown, and not indexed by HTTP/2.
fn sensitive(text: String) -> HeaderValue {
    let mut value = HeaderValue::try_from(text).expect("tokens and proofs are visible ASCII");
    value.set_sensitive(true);
    value
}
