//! Look-ups of names under way, one for each host.
//!
//! The system's resolver blocks a thread for each look-up, and nothing stops it: while the name
//! servers are silent, these threads outlive the fetches that wanted to know. A runtime has 512 of
//! them, for everything. So fetches share a look-up, and one that hangs costs a thread now and then
//! rather than one a fetch.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::flight::{self, Flights, Report, Waiting};

/// What a host resolves to.
pub(super) type Found = Result<Arc<[SocketAddr]>, Arc<io::Error>>;

type Running = Flights<String, Found>;

#[derive(Clone)]
pub(super) struct Lookups {
    running: Arc<Mutex<Running>>,
    /// How long one is waited for.
    longest: Duration,
}

impl Lookups {
    pub(super) fn new(longest: Duration) -> Self {
        Self { running: Arc::new(Mutex::new(Flights::new())), longest }
    }

    /// Joins the look-up of `host` that is under way, or begins it.
    pub(super) async fn find<F, A>(&self, host: &str, begin: impl FnOnce() -> F) -> Found
    where
        F: Future<Output = io::Result<A>> + Send + 'static,
        A: Iterator<Item = SocketAddr>,
    {
        let ended = self.board(host, begin)?.ended().await;
        ended.unwrap_or_else(|| Err(Arc::new(io::ErrorKind::TimedOut.into())))
    }

    fn board<F, A>(
        &self,
        host: &str,
        begin: impl FnOnce() -> F,
    ) -> Result<Waiting<Found>, Arc<io::Error>>
    where
        F: Future<Output = io::Result<A>> + Send + 'static,
        A: Iterator<Item = SocketAddr>,
    {
        let mut running = self.lock();
        if let Some(waiting) = running.join(host) {
            return Ok(waiting);
        }
        let runtime = Handle::try_current().map_err(|error| Arc::new(io::Error::other(error)))?;
        let (waiting, report) = running.begin(host.to_owned(), self.longest);
        drop(running);
        let (lookups, host, lookup) = (self.clone(), host.to_owned(), begin());
        let task = async move { lookup.await.map(Iterator::collect).map_err(Arc::new) };
        flight::fly(&runtime, task, move |found| lookups.land(&host, report, found));
        Ok(waiting)
    }

    fn land(&self, host: &str, report: Report<Found>, found: Option<Found>) {
        self.lock().end(host, &report);
        if let Some(found) = found {
            report.tell(found);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::Instant;

    use super::*;
    use crate::fetch::GRACE;

    const LONGEST: Duration = Duration::from_secs(5);

    fn address() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 0))
    }

    fn found() -> std::vec::IntoIter<SocketAddr> {
        vec![address()].into_iter()
    }

    #[tokio::test]
    async fn those_who_ask_at_once_share_one_and_those_who_come_later_do_not() {
        let (lookups, begun) = (Lookups::new(LONGEST), AtomicUsize::new(0));
        let find = |host| {
            lookups.find(host, || {
                begun.fetch_add(1, Ordering::SeqCst);
                async {
                    tokio::task::yield_now().await;
                    Ok(found())
                }
            })
        };
        let asked = (find("as.example"), find("as.example"), find("other.example"));
        let found = tokio::join!(asked.0, asked.1, asked.2);
        for found in [found.0, found.1, found.2] {
            assert_eq!(*found.expect("an address"), [address()]);
        }
        assert_eq!(begun.load(Ordering::SeqCst), 2, "one for each host");
        find("as.example").await.expect("an address");
        assert_eq!(begun.load(Ordering::SeqCst), 3);
        assert!(lookups.lock().len() == 0, "nothing is remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_is_begun_anew_when_it_is_overdue() {
        let (lookups, begun) = (Lookups::new(LONGEST), AtomicUsize::new(0));
        let find = || {
            lookups.find("as.example", || {
                begun.fetch_add(1, Ordering::SeqCst);
                pending::<io::Result<std::vec::IntoIter<SocketAddr>>>()
            })
        };
        let started = Instant::now();
        for round in 1..=2 {
            let (one, other) = tokio::join!(find(), find());
            for found in [one, other] {
                let error = found.expect_err("it hangs");
                assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            }
            assert_eq!(begun.load(Ordering::SeqCst), round);
        }
        assert_eq!(started.elapsed(), (LONGEST + GRACE) * 2);
    }

    #[tokio::test]
    async fn a_failure_is_told_and_not_remembered() {
        let lookups = Lookups::new(LONGEST);
        let failed = || ready(Err::<std::vec::IntoIter<_>, _>(io::ErrorKind::NotFound.into()));
        let error = lookups.find("as.example", failed).await.expect_err("it failed");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        lookups.find("as.example", || ready(Ok(found()))).await.expect("an address");
    }
}
