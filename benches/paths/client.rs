//! What clients send.

use std::cell::Cell;
use std::sync::Arc;

use http::Request;

use crate::support::Body;

/// Few enough to lie in the processor's cache, as a request does that was just read.
pub(crate) const BATCH: usize = 50;
/// So many go before a batch, untimed: what all of it needs is in the processor's cache then.
pub(crate) const PRELUDE: usize = 4;

/// Sends the same requests over and over, in turn.
#[derive(Clone)]
pub(crate) struct Client {
    requests: Arc<[Request<Body>]>,
    next: Cell<usize>,
}

/// What a client sends at once.
pub(crate) struct Sent {
    requests: Arc<[Request<Body>]>,
    from: usize,
    count: usize,
}

impl Client {
    pub(crate) fn new(requests: impl IntoIterator<Item = Request<Body>>) -> Self {
        Self { requests: requests.into_iter().collect(), next: Cell::new(0) }
    }

    pub(crate) fn send(&self, count: usize) -> Sent {
        let from = self.next.get();
        self.next.set((from + count) % self.requests.len());
        Sent { requests: Arc::clone(&self.requests), from, count }
    }
}

impl Sent {
    /// Made on the thread that serves them, as a server's are.
    pub(crate) fn requests(&self) -> Vec<Request<Body>> {
        self.requests.iter().cycle().skip(self.from).take(self.count).cloned().collect()
    }
}
