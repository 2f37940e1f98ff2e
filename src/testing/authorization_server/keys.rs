//! Which keys it publishes, and which one signs.

use super::TestAuthorizationServer;
use crate::testing::SigningKey;

#[expect(
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "the clone returned is a convenience; the server is changed either way"
)]
impl TestAuthorizationServer {
    /// Signs with `key` from now on, and publishes it alone.
    pub fn rotate(&self, key: SigningKey) -> Self {
        self.change(|state| {
            state.published = vec![key.clone()];
            state.issuer.rotate(key);
        })
    }

    /// Signs with `key` from now on, and publishes it beside the keys before it.
    pub fn rotate_keeping(&self, key: SigningKey) -> Self {
        self.change(|state| {
            state.published.push(key.clone());
            state.issuer.rotate(key);
        })
    }

    /// Publishes `key` as well, and does not sign with it yet.
    pub fn publish(&self, key: SigningKey) -> Self {
        self.change(|state| state.published.push(key))
    }

    /// Publishes the key that signs, and no other.
    pub fn retire_old_keys(&self) -> Self {
        self.change(|state| state.published = vec![state.issuer.key().clone()])
    }

    /// Publishes no key at all.
    pub fn publish_nothing(&self) -> Self {
        self.change(|state| state.published.clear())
    }
}
