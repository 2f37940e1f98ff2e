//! The body of a request on its way, frame by frame, and how long is waited for an answer to it.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::watch;

/// Who has to do something next.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Turn {
    /// More of the body is wanted.
    Client,
    /// All there was has been handed on.
    Upstream,
}

pub(crate) struct Upload<B> {
    body: B,
    turn: watch::Sender<Turn>,
}

impl<B> Upload<B> {
    pub(crate) fn new(body: B) -> (Self, Progress) {
        let (turn, watched) = watch::channel(Turn::Upstream);
        (Self { body, turn }, Progress(watched))
    }
}

impl<B: Body + Unpin> Body for Upload<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        match &frame {
            // Each frame begins the wait anew.
            Poll::Ready(_) => drop(self.turn.send_replace(Turn::Upstream)),
            Poll::Pending => drop(self.turn.send_if_modified(|turn| {
                let before = std::mem::replace(turn, Turn::Client);
                before != Turn::Client
            })),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Tells how the upload goes on.
pub(crate) struct Progress(watch::Receiver<Turn>);

impl Progress {
    /// Waits for the answer as long as something moves, and so long besides. An upload may take as
    /// long as it likes, if it does not stop.
    pub(crate) async fn wait<T>(
        mut self,
        sent: impl Future<Output = T>,
        patience: Duration,
    ) -> Result<T, StatusCode> {
        let mut sent = pin!(sent);
        loop {
            tokio::select! {
                answer = sent.as_mut() => return Ok(answer),
                Ok(()) = self.0.changed() => {}
                () = tokio::time::sleep(patience) => return Err(self.at_fault()),
            }
        }
    }

    fn at_fault(&self) -> StatusCode {
        match *self.0.borrow() {
            Turn::Client => StatusCode::REQUEST_TIMEOUT,
            Turn::Upstream => {
                tracing::warn!("the server behind gives no answer in time");
                StatusCode::GATEWAY_TIMEOUT
            }
        }
    }
}
