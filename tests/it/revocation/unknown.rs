//! Sources that cannot say whether a token was revoked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tower_resource_server::{
    Event, Observer, RejectionKind, RevocationError, RevocationUnavailable, TokenStatus,
};
use tracing::Level;

use super::{Source, assert_kind};
use crate::observability::Capture;
use crate::support::{Bed, ISSUER};

/// Remembers why it could not be said, and whether requests went on.
#[derive(Clone, Debug, Default)]
struct Unknown(Arc<Mutex<Vec<(RevocationError, bool)>>>);

impl Observer for Unknown {
    fn observe(&self, event: &Event<'_>) {
        if let Event::RevocationUnknown { issuer, error, accepted, .. } = *event {
            assert_eq!(issuer, ISSUER);
            self.0.lock().expect("no panic").push((error, accepted));
        }
    }
}

impl Unknown {
    fn take(&self) -> Vec<(RevocationError, bool)> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

/// A server that asks this source, and what it tells.
fn bed(source: &Source, accepts: bool) -> (Bed, Unknown) {
    let (source, told) = (source.clone(), Unknown::default());
    let observer = told.clone();
    let bed = Bed::with(|builder| {
        let builder = builder.revocation(source).observer(observer);
        if accepts { builder.danger().accept_unknown_status() } else { builder }
    });
    (bed, told)
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_a_failure() {
    let source = Source::new(false);
    let (bed, _) = bed(&source, false);
    source.hang();
    let begun = tokio::time::Instant::now();
    assert_kind(&bed.bearer(&bed.token()).await, RejectionKind::RevocationUnavailable);
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_said_is_told_also_where_it_is_accepted() {
    for accepts in [false, true] {
        for error in [RevocationError::Source, RevocationError::Timeout] {
            let source = Source::new(false);
            let (bed, told) = bed(&source, accepts);
            let token = bed.token();
            match error {
                RevocationError::Timeout => source.hang(),
                _ => source.say(Err(RevocationUnavailable::default())),
            }
            let log = Capture::start();
            let answer = bed.bearer(&token).await;
            match accepts {
                true => answer.assert_ok(),
                false => assert_kind(&answer, RejectionKind::RevocationUnavailable),
            }
            assert_eq!(told.take(), [(error, accepts)]);
            let lines = log.of("tower_resource_server::revocation");
            assert_eq!((lines.len(), lines[0].level), (1, Level::WARN), "{lines:?}");
            assert_eq!(lines[0].get("error"), Some(error.to_string().as_str()));
            assert_eq!(lines[0].get("accepted"), Some(accepts.to_string().as_str()));
            assert_eq!(lines[0].get("issuer"), Some(ISSUER));
            source.say(Ok(TokenStatus::Valid(Duration::ZERO)));
            bed.bearer(&token).await.assert_ok();
            assert_eq!(told.take(), []);
        }
    }
}

#[tokio::test]
async fn the_log_is_told_once_a_second_and_the_observer_each_time() {
    let source = Source::new(true);
    let (bed, told) = bed(&source, true);
    let token = bed.token();
    source.say(Err(RevocationUnavailable::default()));
    let log = Capture::start();
    let told_of = || {
        let lines = log.of("tower_resource_server::revocation");
        lines.iter().map(|line| line.get("requests").map(str::to_owned)).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        bed.bearer(&token).await.assert_ok();
    }
    assert_eq!(told_of(), [Some("1".to_owned())]);
    bed.clock.advance(Duration::from_secs(1));
    bed.bearer(&token).await.assert_ok();
    assert_eq!(told_of(), [Some("1".to_owned()), Some("3".to_owned())]);
    assert_eq!(told.take(), [(RevocationError::Source, true); 4]);
}

#[test]
fn where_nothing_can_be_waited_for_it_is_not_known() {
    let source = Source::new(false);
    let (bed, told) = bed(&source, false);
    let token = bed.token();
    let answer = bed.bearer(&token).now_or_never().expect("nothing to wait for");
    assert_kind(&answer, RejectionKind::RevocationUnavailable);
    let without_timers = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let answer = without_timers.block_on(bed.bearer(&token));
    assert_kind(&answer, RejectionKind::RevocationUnavailable);
    assert_eq!(told.take(), [(RevocationError::Runtime, false); 2]);
}
