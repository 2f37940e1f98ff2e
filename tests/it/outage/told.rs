//! What operators are told: an event and a line in the log for each failure, and nothing else.

use std::fmt::Display;
use std::sync::{Arc, Mutex};

use tower_resource_server::{Event, IntrospectionError, MetadataError, Observer, RefreshError};
use tracing::Level;

use super::phases::Phase;
use crate::observability::{Capture, Logged};
use crate::support::ISSUER;

/// Why refreshes, look-ups and calls have failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures {
    pub(super) keys: Vec<RefreshError>,
    pub(super) metadata: Vec<MetadataError>,
    pub(super) introspection: Vec<IntrospectionError>,
}

/// Remembers failures.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Arc<Mutex<Failures>>);

impl Told {
    /// Those since the last time.
    pub(super) fn take(&self) -> Failures {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

impl Observer for Told {
    fn observe(&self, event: &Event<'_>) {
        let mut failures = self.0.lock().expect("no panic");
        match *event {
            Event::KeyRefreshFailed { error, .. } => failures.keys.push(error),
            Event::MetadataRefreshFailed { error, .. } => failures.metadata.push(error),
            Event::IntrospectionFailed { error, .. } => failures.introspection.push(error),
            _ => {}
        }
    }
}

impl Failures {
    /// Each that the phase has, in the log as in the events, and no other.
    pub(super) fn assert_of(&self, phase: Phase, log: &Capture) {
        let keys = log.of("tower_resource_server::keys");
        let metadata = lines(&keys, "metadata refresh failed");
        let keys = lines(&keys, "key refresh failed");
        all_are(phase.metadata_error(), &self.metadata, phase);
        assert_lines(&metadata, &self.metadata);
        all_are(phase.key_error(), &self.keys, phase);
        match phase.key_error() {
            // The line about the metadata tells of it.
            Some(RefreshError::Metadata(_)) => assert!(keys.is_empty(), "{keys:?}"),
            _ => assert_lines(&keys, &self.keys),
        }
        for line in metadata.iter().chain(&keys) {
            assert!(line.get("uri").is_some_and(|uri| uri.starts_with(ISSUER)), "{line:?}");
        }
        let calls = lines(&log.of("tower_resource_server::introspection"), "introspection failed");
        self.assert_calls(&calls);
    }

    /// Requests that find too many calls are told together, those of a second in a line.
    fn assert_calls(&self, lines: &[Logged]) {
        let busy = |line: &Logged| line.get("requests").is_some();
        let (crowds, failed): (Vec<_>, Vec<_>) = lines.iter().cloned().partition(busy);
        let (turned_away, errors): (Vec<_>, Vec<_>) = self
            .introspection
            .iter()
            .copied()
            .partition(|error| *error == IntrospectionError::Busy);
        assert_lines(&failed, &errors);
        assert_eq!(crowds.is_empty(), turned_away.is_empty(), "{crowds:?}");
        let counts = crowds.iter().filter_map(|line| line.get("requests")?.parse::<usize>().ok());
        let told: usize = counts.sum();
        assert!(crowds.len() <= told && told <= turned_away.len(), "{crowds:?}");
    }
}

/// The events of that message.
fn lines(events: &[Logged], message: &str) -> Vec<Logged> {
    events.iter().filter(|event| event.get("message") == Some(message)).cloned().collect()
}

fn assert_lines<E: Display>(lines: &[Logged], errors: &[E]) {
    assert_eq!(lines.len(), errors.len(), "{lines:?}");
    for (line, error) in lines.iter().zip(errors) {
        assert_eq!(line.level, Level::WARN, "{line:?}");
        assert_eq!(line.get("issuer"), Some(ISSUER));
        assert_eq!(line.get("error"), Some(&*error.to_string()));
    }
}

/// There are some where the script has one, and each is that; else there are none.
pub(super) fn all_are<E>(expected: Option<E>, errors: &[E], phase: Phase)
where
    E: Copy + PartialEq + std::fmt::Debug,
{
    assert_eq!(errors.is_empty(), expected.is_none(), "{phase:?}: {errors:?}");
    assert!(errors.iter().all(|error| Some(*error) == expected), "{phase:?}: {errors:?}");
}
