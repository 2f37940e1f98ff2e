//! The end of a token, for streams that are not to outlive it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use tokio::time::Sleep;

use crate::authorize::{Demand, Grant};
use crate::clock::Timestamp;
use crate::rejection::Rejection;
use crate::render::{self, Ending};
use crate::timer;

/// When the token of a stream expires, and for whom.
///
/// The clock of the server is asked at each frame. Between frames Tokio's timer wakes the stream; it
/// is set once, by that clock, and what it says then counts as well.
pub(super) struct Expiry {
    at: Timestamp,
    grant: Grant,
    demand: Arc<Demand>,
    timer: Option<Pin<Box<Sleep>>>,
    is_over: bool,
    /// Whether a frame went out after that.
    has_overrun: bool,
}

impl Expiry {
    /// `None` for a token that does not expire.
    pub(super) fn of(grant: &Grant, demand: &Arc<Demand>) -> Option<Self> {
        let at = grant.token().ends(grant.settings().tokens.leeway)?;
        Some(Self {
            at,
            grant: grant.clone(),
            demand: Arc::clone(demand),
            timer: None,
            is_over: false,
            has_overrun: false,
        })
    }

    /// Whether the token has expired.
    pub(super) fn is_over(&mut self) -> bool {
        self.is_over = self.is_over || self.grant.settings().now() >= self.at;
        self.is_over
    }

    /// The same; not before the next frame or that moment, if it lies ahead.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_over() {
            return Poll::Ready(());
        }
        // Where there is no timer, the clock is still asked at each frame.
        if self.timer.is_none() && timer::is_there() {
            let left = self.at.since(self.grant.settings().now());
            self.timer = Some(Box::pin(tokio::time::sleep(left)));
        }
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        timer.as_mut().poll(cx).map(|()| self.is_over = true)
    }

    /// Whether a frame that is ready still goes out. The first does, and whatever ends the stream:
    /// the answer to a call that was begun in time is whole.
    pub(super) fn lets_through<E>(&mut self, frame: Option<&Result<Frame<Bytes>, E>>) -> bool {
        if !self.is_over() || !is_data(frame) {
            return true;
        }
        !std::mem::replace(&mut self.has_overrun, true)
    }

    /// What is sent in place of the rest; logged and counted as a refusal.
    pub(super) fn ending(&self) -> Ending {
        render::end(&Rejection::expired(&self.grant, &self.demand))
    }
}

/// Whether more frames follow.
pub(super) fn is_data<E>(frame: Option<&Result<Frame<Bytes>, E>>) -> bool {
    matches!(frame, Some(Ok(frame)) if frame.is_data())
}

impl fmt::Debug for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expiry").field("at", &self.at).finish_non_exhaustive()
    }
}
