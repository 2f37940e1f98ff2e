//! What can be wrong with an authorization server.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

use super::Endpoint;
use crate::fetch::FetchErrorKind;
use crate::testing::fetch::answer;
use crate::testing::script::Step;

const PAGE: &str = "<!doctype html><title>Sign in</title><p>Please sign in to the network.";

/// How a [`TestAuthorizationServer`](super::TestAuthorizationServer) is, as a whole or at one
/// [`Endpoint`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// Nobody listens: requests fail with
    /// [`FetchErrorKind::Transport`](crate::fetch::FetchErrorKind::Transport).
    Down,
    /// It answers 200, and not with what was asked for.
    Garbage(Garbage),
    /// It accepts requests and never answers them.
    Silent,
    /// It answers rightly after that time of Tokio's clock, which tests can pause
    /// (`tokio::time::pause`).
    Slow(Duration),
    /// It answers each request with that status and no body.
    Status(StatusCode),
    /// It answers rightly.
    #[default]
    Up,
}

impl Condition {
    /// What becomes of the right answer.
    pub(super) fn step(self, right: Response<Bytes>) -> Step {
        match self {
            Self::Down => Step::Fail(FetchErrorKind::Transport),
            Self::Garbage(garbage) => Step::Answer(garbage.spoil(right)),
            Self::Silent => Step::Hang,
            Self::Status(status) => {
                let mut refusal = Response::new(Bytes::new());
                *refusal.status_mut() = status;
                Step::Answer(refusal)
            }
            Self::Slow(_) | Self::Up => Step::Answer(right),
        }
    }

    /// How long the answer takes.
    pub(super) const fn delay(self) -> Option<Duration> {
        match self {
            Self::Slow(delay) => Some(delay),
            _ => None,
        }
    }
}

/// What an answer holds that is none; its status is 200.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Garbage {
    /// The right body within an array.
    Array,
    /// No body.
    Empty,
    /// A page for people, as the portal of a network puts in the way.
    Html,
    /// Such a page that says it is JSON.
    HtmlAsJson,
    /// The right body after a mebibyte of spaces.
    Oversized,
    /// The right body, called plain text.
    PlainText,
    /// The first half of the right body.
    Truncated,
}

impl Garbage {
    /// All of them, for loops.
    pub const ALL: [Self; 7] = [
        Self::Array,
        Self::Empty,
        Self::Html,
        Self::HtmlAsJson,
        Self::Oversized,
        Self::PlainText,
        Self::Truncated,
    ];

    fn spoil(self, right: Response<Bytes>) -> Response<Bytes> {
        let body = right.body();
        let body = match self {
            Self::Array => [b"[", &body[..], b"]"].concat().into(),
            Self::Empty => Bytes::new(),
            Self::Html => return answer(200, "text/html", Bytes::from_static(PAGE.as_bytes())),
            Self::HtmlAsJson => Bytes::from_static(PAGE.as_bytes()),
            Self::Oversized => [&[b' '; 1024 * 1024], &body[..]].concat().into(),
            Self::PlainText => body.clone(),
            Self::Truncated => body.slice(..body.len() / 2),
        };
        let mut spoiled = right.map(|_| body);
        *spoiled.status_mut() = StatusCode::OK;
        if self == Self::PlainText {
            let plain = HeaderValue::from_static("text/plain");
            spoiled.headers_mut().insert(CONTENT_TYPE, plain);
        }
        spoiled
    }
}

/// The condition of each endpoint.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    of: [Condition; Endpoint::COUNT],
}

impl Conditions {
    pub(super) const fn at(&self, endpoint: Endpoint) -> Condition {
        self.of[endpoint as usize]
    }

    pub(super) const fn set(&mut self, endpoint: Endpoint, condition: Condition) {
        self.of[endpoint as usize] = condition;
    }

    pub(super) const fn set_all(&mut self, condition: Condition) {
        self.of = [condition; Endpoint::COUNT];
    }
}
