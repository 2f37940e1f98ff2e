//! Replay stores for the two crates that take one from the application and bring none.
//!
//! They forget nothing and are as fast as a locked hash table is, which flatters both crates: a
//! store in production also has to expire and to stay bounded.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use dpop_verifier::{DpopError, ReplayContext, ReplayStore};
use huskarl_resource_server::core::Error;
use huskarl_resource_server::core::jwt::JtiUniquenessChecker;
use huskarl_resource_server::core::platform::MaybeSendBoxFuture;

/// What was used.
#[derive(Clone, Debug, Default)]
pub struct Used<T>(Arc<Mutex<HashSet<T>>>);

impl<T: Eq + std::hash::Hash> Used<T> {
    /// Whether it was used for the first time.
    fn claim(&self, value: T) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(value)
    }
}

impl JtiUniquenessChecker for Used<String> {
    fn check_and_mark_seen(&self, jti: &str) -> MaybeSendBoxFuture<'_, Result<bool, Error>> {
        let seen = !self.claim(jti.to_owned());
        Box::pin(std::future::ready(Ok(seen)))
    }
}

#[async_trait::async_trait]
impl ReplayStore for Used<[u8; 32]> {
    async fn insert_once(
        &mut self,
        jti_hash: [u8; 32],
        _: ReplayContext<'_>,
    ) -> Result<bool, DpopError> {
        Ok(self.claim(jti_hash))
    }
}
