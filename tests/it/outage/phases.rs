//! The script: what becomes of the authorization server, one phase after the other.

use std::time::Duration;

use tower_resource_server::fetch::FetchErrorKind;
use tower_resource_server::testing::{Condition, Endpoint, Garbage};
use tower_resource_server::{IntrospectionError, MetadataError, RefreshError};

/// The endpoints that a resource server asks.
pub(super) const ENDPOINTS: [Endpoint; 3] =
    [Endpoint::Jwks, Endpoint::Metadata, Endpoint::Introspection];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// Nobody has ever listened.
    DownAtStart,
    Up,
    /// It signs with another key, and still publishes the old one.
    Rotated,
    /// Nobody listens, for an hour.
    Away,
    /// Its answers take 20 s: more than a fetch may.
    TooSlow,
    /// It never answers, and a crowd is waiting.
    Silent,
    /// Its answers take 2 s.
    Slow,
    /// That endpoint answers garbage.
    Garbage(Garbage, Endpoint),
    /// It has other keys, and the old ones are gone.
    Renewed,
}

/// How long a phase lasts, and how many strangers come at each of its steps.
pub(super) struct Span {
    pub(super) length: Duration,
    pub(super) step: Duration,
    pub(super) crowd: usize,
}

impl Phase {
    pub(super) fn all() -> Vec<Self> {
        use Phase::{Away, DownAtStart, Renewed, Rotated, Silent, Slow, TooSlow, Up};
        let garbage = Garbage::ALL.into_iter().flat_map(|garbage| {
            ENDPOINTS.into_iter().map(move |endpoint| Self::Garbage(garbage, endpoint))
        });
        let healthy = [DownAtStart, Up, Rotated, Away, TooSlow, Silent, Slow];
        healthy.into_iter().chain(garbage).chain([Renewed]).collect()
    }

    pub(super) const fn span(self) -> Span {
        let (length, step, crowd) = match self {
            Self::DownAtStart => (60, 1, 4),
            Self::Up | Self::Rotated | Self::Renewed => (120, 5, 16),
            Self::Away => (3600, 3, 2),
            Self::TooSlow | Self::Slow => (120, 5, 10),
            Self::Silent => (60, 20, 200),
            Self::Garbage(..) => (100, 10, 10),
        };
        let (length, step) = (Duration::from_secs(length), Duration::from_secs(step));
        Span { length, step, crowd }
    }

    pub(super) const fn condition(self, endpoint: Endpoint) -> Condition {
        match self {
            Self::DownAtStart | Self::Away => Condition::Down,
            Self::TooSlow => Condition::Slow(Duration::from_secs(20)),
            Self::Silent => Condition::Silent,
            Self::Slow => Condition::Slow(Duration::from_secs(2)),
            Self::Garbage(garbage, at) if at as usize == endpoint as usize => {
                Condition::Garbage(garbage)
            }
            Self::Up | Self::Rotated | Self::Renewed | Self::Garbage(..) => Condition::Up,
        }
    }

    /// Whether nothing useful comes from that endpoint.
    pub(super) fn loses(self, endpoint: Endpoint) -> bool {
        match self.condition(endpoint) {
            Condition::Slow(_) => self == Self::TooSlow,
            condition => condition != Condition::Up,
        }
    }

    /// Whether its answers, or the want of them, keep requests waiting.
    pub(super) const fn delays(self) -> bool {
        matches!(self, Self::TooSlow | Self::Silent | Self::Slow)
    }

    /// Why fetches fail that bring nothing at all.
    const fn failure(self) -> Option<FetchErrorKind> {
        match self {
            Self::DownAtStart | Self::Away => Some(FetchErrorKind::Transport),
            Self::TooSlow | Self::Silent => Some(FetchErrorKind::Timeout),
            _ => None,
        }
    }

    /// Why each refresh of the keys fails, if any does.
    pub(super) fn key_error(self) -> Option<RefreshError> {
        if self == Self::DownAtStart {
            return self.metadata_error().map(RefreshError::Metadata);
        }
        match self {
            Self::Garbage(garbage, Endpoint::Jwks) => Some(match flaw(garbage) {
                Flaw::ContentType => RefreshError::ContentType,
                Flaw::Form => RefreshError::NotAKeySet,
                Flaw::Size => RefreshError::Fetch(FetchErrorKind::TooLarge),
            }),
            _ => self.failure().map(RefreshError::Fetch),
        }
    }

    /// Why each look-up of the metadata fails, if any does.
    pub(super) fn metadata_error(self) -> Option<MetadataError> {
        match self {
            Self::Garbage(garbage, Endpoint::Metadata) => Some(match flaw(garbage) {
                Flaw::ContentType => MetadataError::ContentType,
                Flaw::Form => MetadataError::NotMetadata,
                Flaw::Size => MetadataError::Fetch(FetchErrorKind::TooLarge),
            }),
            _ => self.failure().map(MetadataError::Fetch),
        }
    }

    /// Why each call in which a token is asked about fails, if any does.
    pub(super) fn introspection_error(self) -> Option<IntrospectionError> {
        match self {
            Self::DownAtStart => Some(IntrospectionError::Metadata),
            Self::Garbage(garbage, Endpoint::Introspection) => Some(match flaw(garbage) {
                Flaw::ContentType => IntrospectionError::ContentType,
                Flaw::Form => IntrospectionError::Malformed,
                Flaw::Size => IntrospectionError::Fetch(FetchErrorKind::TooLarge),
            }),
            _ => self.failure().map(IntrospectionError::Fetch),
        }
    }
}

/// By what garbage is known.
enum Flaw {
    ContentType,
    Form,
    Size,
}

fn flaw(garbage: Garbage) -> Flaw {
    match garbage {
        Garbage::Html | Garbage::PlainText => Flaw::ContentType,
        Garbage::Oversized => Flaw::Size,
        Garbage::Array | Garbage::Empty | Garbage::HtmlAsJson | Garbage::Truncated => Flaw::Form,
        other => panic!("what is wrong with {other:?}?"),
    }
}
