//! A task that many wait for: a fetch, a look-up, a call.
//!
//! Whoever needs what it brings joins the one that runs, or begins it. The task belongs to no
//! request: a client that disconnects stops nothing. It [lands](fly) even if it panics, or if its
//! runtime is shut down, and whoever lands it puts things in order before those who wait go on.
//!
//! A runtime may also stop to drive its tasks without a word. So a flight has a time at which it is
//! overdue: then nobody waits for it any longer, and it may be begun anew.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::clock::{Clock, Timestamp};
use crate::fetch::GRACE;
use crate::timer;

/// A flight, for those who might join it.
pub(crate) struct Flight<T> {
    landed: watch::Receiver<Option<T>>,
    overdue: Instant,
}

/// For the one who lands it: what came of it is told here. Dropped, it tells that nothing did.
pub(crate) struct Report<T>(watch::Sender<Option<T>>);

impl<T> Flight<T> {
    /// `longest` is the limit that the task has of itself.
    pub(crate) fn begin(longest: Duration) -> (Self, Report<T>) {
        let (sender, landed) = watch::channel(None);
        let overdue = Instant::now() + longest.saturating_add(GRACE);
        (Self { landed, overdue }, Report(sender))
    }

    pub(crate) fn wait(&self) -> Waiting<T> {
        Waiting { landed: self.landed.clone(), overdue: self.overdue }
    }

    /// Its runtime does not drive it any more.
    pub(crate) fn is_overdue(&self) -> bool {
        Instant::now() >= self.overdue
    }

    /// Whether it is the flight of that report, and not one that was begun anew.
    pub(crate) fn is_of(&self, report: &Report<T>) -> bool {
        self.landed.same_channel(&report.0.subscribe())
    }
}

/// Flights of several names, one for each.
pub(crate) struct Flights<K, T>(HashMap<K, Flight<T>>);

impl<K: Eq + Hash, T> Flights<K, T> {
    pub(crate) fn new() -> Self {
        Self(HashMap::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The one of that name, unless it is overdue.
    pub(crate) fn join<Q>(&self, name: &Q) -> Option<Waiting<T>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.0.get(name).filter(|flight| !flight.is_overdue()).map(Flight::wait)
    }

    /// In place of the one of that name, if there was one.
    pub(crate) fn begin(&mut self, name: K, longest: Duration) -> (Waiting<T>, Report<T>) {
        let (flight, report) = Flight::begin(longest);
        let waiting = flight.wait();
        self.0.insert(name, flight);
        (waiting, report)
    }

    /// One that was begun anew meanwhile goes on.
    pub(crate) fn end<Q>(&mut self, name: &Q, report: &Report<T>)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if self.0.get(name).is_some_and(|flight| flight.is_of(report)) {
            self.0.remove(name);
        }
    }

    /// Whether the one of that name is overdue. It is forgotten, so that this is told once.
    pub(crate) fn is_lost(&mut self, name: &K) -> bool {
        let lost = self.0.get(name).is_some_and(Flight::is_overdue);
        lost && self.0.remove(name).is_some()
    }

    pub(crate) fn forget_overdue(&mut self) {
        self.0.retain(|_, flight| !flight.is_overdue());
    }
}

impl<T> Report<T> {
    pub(crate) fn tell(self, outcome: T) {
        self.0.send_replace(Some(outcome));
    }
}

/// A flight to wait for.
pub(crate) struct Waiting<T> {
    landed: watch::Receiver<Option<T>>,
    overdue: Instant,
}

impl<T: Clone> Waiting<T> {
    /// What came of it; `None` if nothing did, if it is overdue, or where there is no timer that would
    /// say so.
    pub(crate) async fn ended(mut self) -> Option<T> {
        if !timer::is_there() {
            return None;
        }
        let landed = timeout_at(self.overdue, self.landed.wait_for(Option::is_some)).await;
        landed.ok().and_then(Result::ok).and_then(|landed| (*landed).clone())
    }
}

/// Runs `task`, and then `land` with what came of it: `None` if that ended before its time.
pub(crate) fn fly<T: Send + 'static>(
    runtime: &Handle,
    task: impl Future<Output = T> + Send + 'static,
    land: impl FnOnce(Option<T>) + Send + 'static,
) {
    let mut landing = Landing { outcome: None, land: Some(land) };
    runtime.spawn(async move { landing.ended(task.await) });
}

struct Landing<T, L: FnOnce(Option<T>)> {
    outcome: Option<T>,
    land: Option<L>,
}

impl<T, L: FnOnce(Option<T>)> Landing<T, L> {
    fn ended(&mut self, outcome: T) {
        self.outcome = Some(outcome);
    }
}

impl<T, L: FnOnce(Option<T>)> Drop for Landing<T, L> {
    fn drop(&mut self) {
        if let Some(land) = self.land.take() {
            land(self.outcome.take());
        }
    }
}

/// The time of a landing; that of the start where the clock panics. A second panic, while a first
/// one ends the task, would end the process.
pub(crate) fn time_of_landing(clock: &Arc<dyn Clock>, began: Timestamp) -> Timestamp {
    catch_unwind(AssertUnwindSafe(|| clock.now().into())).unwrap_or(began)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const LONGEST: Duration = Duration::from_secs(5);

    type Seen = Arc<Mutex<Vec<Option<u8>>>>;

    fn landed() -> (Seen, impl FnOnce(Option<u8>) + Send + 'static) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        (seen, move |outcome| sink.lock().expect("nobody panicked").push(outcome))
    }

    #[tokio::test]
    async fn everybody_learns_what_came_of_it_after_it_was_settled() {
        let (flight, report) = Flight::begin(LONGEST);
        let settled = Arc::new(AtomicBool::new(false));
        let settle = Arc::clone(&settled);
        let waiting = [flight.wait(), flight.wait()];
        fly(&Handle::current(), async { 7_u8 }, move |outcome| {
            settle.store(true, Ordering::SeqCst);
            report.tell(outcome.expect("it ended"));
        });
        for waiting in waiting {
            assert_eq!(waiting.ended().await, Some(7));
            assert!(settled.load(Ordering::SeqCst));
        }
        assert_eq!(flight.wait().ended().await, Some(7), "one who comes late");
    }

    #[tokio::test]
    async fn a_task_that_panics_lands() {
        let (flight, report) = Flight::<u8>::begin(LONGEST);
        let (seen, note) = landed();
        fly(&Handle::current(), async { panic!("on purpose") }, move |outcome| {
            note(outcome);
            drop(report);
        });
        assert_eq!(flight.wait().ended().await, None);
        assert_eq!(*seen.lock().expect("nobody panicked"), [None]);
    }

    #[test]
    fn a_task_of_a_runtime_that_is_shut_down_lands() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (seen, note) = landed();
        fly(runtime.handle(), std::future::pending::<u8>(), note);
        assert!(seen.lock().expect("nobody panicked").is_empty());
        drop(runtime);
        assert_eq!(*seen.lock().expect("nobody panicked"), [None]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_one_that_is_overdue() {
        let (flight, _report) = Flight::<u8>::begin(LONGEST);
        let begun = Instant::now();
        assert!(!flight.is_overdue());
        assert_eq!(flight.wait().ended().await, None);
        assert_eq!(begun.elapsed(), LONGEST + GRACE);
        assert!(flight.is_overdue());
    }

    #[test]
    fn without_timers_nobody_waits() {
        let (flight, _report) = Flight::<u8>::begin(LONGEST);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        assert_eq!(runtime.block_on(flight.wait().ended()), None);
    }

    #[test]
    fn a_flight_knows_its_own_report() {
        let (flight, report) = Flight::<u8>::begin(LONGEST);
        let (other, _) = Flight::<u8>::begin(LONGEST);
        assert!(flight.is_of(&report) && !other.is_of(&report));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_begun_anew_outlives_the_landing_of_the_other() {
        let mut flights = Flights::new();
        let (_, first) = flights.begin("a", LONGEST);
        assert!(flights.join("a").is_some() && flights.join("b").is_none());
        tokio::time::advance(LONGEST + GRACE).await;
        assert!(flights.join("a").is_none(), "nobody joins one that is overdue");
        let (waiting, second) = flights.begin("a", LONGEST);
        flights.end("a", &first);
        second.tell(7_u8);
        assert_eq!(waiting.ended().await, Some(7));
        assert_eq!(flights.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_overdue_is_lost_once() {
        let mut flights = Flights::<_, u8>::new();
        let reports = ["a", "b"].map(|name| flights.begin(name, LONGEST));
        assert!(!flights.is_lost(&"a"));
        tokio::time::advance(LONGEST + GRACE).await;
        assert!(flights.is_lost(&"a") && !flights.is_lost(&"a"));
        flights.forget_overdue();
        assert_eq!(flights.len(), 0);
        drop(reports);
    }

    #[tokio::test]
    async fn a_clock_that_panics_while_a_task_ends_by_a_panic_ends_no_process() {
        #[derive(Debug)]
        struct Broken;
        impl Clock for Broken {
            fn now(&self) -> std::time::SystemTime {
                panic!("on purpose")
            }
        }
        let clock: Arc<dyn Clock> = Arc::new(Broken);
        let (flight, report) = Flight::begin(LONGEST);
        fly(&Handle::current(), async { panic!("on purpose") }, move |_: Option<()>| {
            report.tell(time_of_landing(&clock, Timestamp::from_seconds(3)));
        });
        let time = flight.wait().ended().await.map(Timestamp::millis);
        assert_eq!(time, Some(3000));
    }
}
