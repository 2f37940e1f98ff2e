//! Keeping requests waiting.

use tokio::sync::watch;

/// Keeps requests of a [`ScriptedFetch`](super::ScriptedFetch) or a
/// [`TestAuthorizationServer`](super::TestAuthorizationServer) waiting until it is released or
/// dropped.
#[derive(Debug)]
#[must_use = "a hold that is dropped holds nothing"]
pub struct Hold {
    gate: watch::Sender<bool>,
}

impl Hold {
    pub(super) fn new() -> (Self, Gate) {
        let (gate, open) = watch::channel(false);
        (Self { gate }, Gate { open })
    }

    /// Lets the requests that wait go on, and later ones pass.
    pub fn release(self) {
        self.gate.send_replace(true);
    }
}

/// The side of a [`Hold`] where requests wait.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    open: watch::Receiver<bool>,
}

impl Gate {
    pub(super) async fn passed(mut self) {
        // An error means that the hold was dropped, which releases as well.
        drop(self.open.wait_for(|open| *open).await);
    }
}
