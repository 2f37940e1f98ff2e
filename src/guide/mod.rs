//! Guides: how to use the crate, and why it is as it is.
#[doc = include_str!("quickstart.md")]
pub mod quickstart {}
#[doc = include_str!("envelopes.md")]
pub mod envelopes {}
#[doc = include_str!("scopes.md")]
pub mod scopes {}
#[doc = include_str!("keys_and_outages.md")]
pub mod keys_and_outages {}
#[doc = include_str!("error_catalogue.md")]
pub mod error_catalogue {}
#[doc = include_str!("threat_model.md")]
pub mod threat_model {}
#[doc = include_str!("testing.md")]
pub mod testing {}
