//! The requests that have arrived.

use bytes::Bytes;
use http::{Request, Uri};
use tokio::sync::watch;

/// Remembers requests in the order they arrived, and wakes whoever waits for them.
#[derive(Debug)]
pub(super) struct Arrivals {
    seen: watch::Sender<Vec<Request<Bytes>>>,
}

impl Arrivals {
    pub(super) fn new() -> Self {
        Self { seen: watch::Sender::new(Vec::new()) }
    }

    pub(super) fn record(&self, request: Request<Bytes>) {
        self.seen.send_modify(|seen| seen.push(request));
    }

    /// What `look` makes of all that has arrived.
    pub(super) fn look<R>(&self, look: impl FnOnce(&[Request<Bytes>]) -> R) -> R {
        look(&self.seen.borrow())
    }

    /// How many have arrived whose URI is one of `those`.
    pub(super) fn count(&self, those: impl Fn(&Uri) -> bool) -> usize {
        self.look(|seen| count(seen, &those))
    }

    /// Waits until that many have arrived whose URI is one of `those`.
    pub(super) async fn until(&self, least: usize, those: impl Fn(&Uri) -> bool) {
        let mut seen = self.seen.subscribe();
        // Cannot fail: the sender lives as long as `self`.
        drop(seen.wait_for(|seen| count(seen, &those) >= least).await);
    }
}

fn count(seen: &[Request<Bytes>], those: impl Fn(&Uri) -> bool) -> usize {
    seen.iter().filter(|request| those(request.uri())).count()
}
