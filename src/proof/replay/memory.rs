use super::*;
use std::collections::HashMap;
use std::sync::Mutex;
/// temp
#[derive(Default, Debug)]
pub struct MemoryReplayStore(Mutex<HashMap<[u8; 32], i64>>);
impl ReplayStore for MemoryReplayStore {
    fn claim(&self, proof: &ProofUse) -> Claim {
        let (_, until, now) = proof.millis();
        let mut m = self.0.lock().unwrap();
        m.retain(|_, u| *u >= now);
        Claim::Done(Ok(if m.insert(*proof.key(), until).is_some() {
            ClaimOutcome::Replay
        } else {
            ClaimOutcome::First
        }))
    }
}
