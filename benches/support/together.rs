//! Two threads that work at the same time.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Prepares, waits for the start, and returns what one item took.
pub(crate) type Job = Box<dyn FnOnce(&Start) -> Duration + Send>;

/// Lets all go on as soon as all are there. They spin, since to be woken takes longer than a batch.
pub(crate) struct Start(AtomicUsize);

impl Start {
    pub(crate) const fn of(threads: usize) -> Self {
        Self(AtomicUsize::new(threads))
    }

    pub(crate) fn wait(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
        while self.0.load(Ordering::Acquire) > 0 {
            spin_loop();
        }
    }
}

/// Does a job on this thread alone.
pub(crate) fn alone(job: Job) -> Duration {
    job(&Start::of(1))
}

/// A second thread. It lives on from job to job, as that of a server does, since what a thread frees
/// goes into a store of its own that has to fill first.
pub(crate) struct Partner {
    jobs: Sender<(Job, Arc<Start>)>,
    times: Receiver<Duration>,
}

impl Partner {
    pub(crate) fn new() -> Self {
        let (jobs, given) = channel::<(Job, Arc<Start>)>();
        let (done, times) = channel();
        thread::spawn(move || {
            for (job, start) in given {
                if done.send(job(&start)).is_err() {
                    return;
                }
            }
        });
        Self { jobs, times }
    }

    /// What one item takes of two jobs done at once: at 100 ns, the two together do as many as one
    /// thread that needs 100 ns for each.
    pub(crate) fn together(&self, mine: Job, theirs: Job) -> Duration {
        let start = Arc::new(Start::of(2));
        self.jobs.send((theirs, Arc::clone(&start))).expect("the partner waits for jobs");
        let mine = mine(&start).as_secs_f64();
        let theirs = self.times.recv().expect("no job panics").as_secs_f64();
        Duration::from_secs_f64(1.0 / (1.0 / mine + 1.0 / theirs))
    }
}
