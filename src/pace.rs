//! How many of a kind may be begun in a second.

use std::time::Duration;

use crate::clock::Timestamp;

const SECOND: Duration = Duration::from_secs(1);

/// So many a second, counted from the first.
#[derive(Debug)]
pub(crate) struct Pace {
    a_second: u32,
    begun: Option<Timestamp>,
    count: u32,
}

impl Pace {
    pub(crate) const fn new(a_second: u32) -> Self {
        Self { a_second, begun: None, count: 0 }
    }

    /// Counts one more, if it may be begun.
    pub(crate) fn allows(&mut self, now: Timestamp) -> bool {
        self.allows_leaving(0, now)
    }

    /// The same for one that has to leave so many of the second to others.
    pub(crate) fn allows_leaving(&mut self, reserve: u32, now: Timestamp) -> bool {
        if !self.begun.is_some_and(|begun| is_within(begun, now)) {
            (self.begun, self.count) = (Some(now), 0);
        }
        let allowed = self.count < self.a_second.saturating_sub(reserve);
        self.count += u32::from(allowed);
        allowed
    }

    /// Takes back what was counted at that time, if its second still runs.
    pub(crate) fn take_back(&mut self, counted: Timestamp) {
        let same = |begun: Timestamp| begun <= counted && counted.since(begun) < SECOND;
        if self.begun.is_some_and(same) {
            self.count = self.count.saturating_sub(1);
        }
    }
}

/// Lines of the log about something that anybody can cause as often as they like: one a second, for
/// all that came since the last.
#[derive(Debug)]
pub(crate) struct Lines {
    pace: Pace,
    untold: u64,
}

impl Lines {
    pub(crate) const fn new() -> Self {
        Self { pace: Pace::new(1), untold: 0 }
    }

    /// It has happened once more: of how many times the log is to tell now.
    pub(crate) fn tell(&mut self, now: Timestamp) -> Option<u64> {
        self.untold = self.untold.saturating_add(1);
        self.pace.allows(now).then(|| std::mem::take(&mut self.untold))
    }
}

/// A second that began in the future did so before the clock went back. A moment is no sign of that:
/// somebody else may have asked for the time a little later, and come here first.
fn is_within(begun: Timestamp, now: Timestamp) -> bool {
    now.since(begun) < SECOND && begun.since(now) < SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn so_many_a_second_and_no_more() {
        let mut pace = Pace::new(10);
        let mut allowed = |millis| (0..1000).filter(|_| pace.allows(at(millis))).count();
        assert_eq!(allowed(5000), 10);
        assert_eq!(allowed(5999), 0);
        assert_eq!(allowed(6000), 10);
        assert_eq!(allowed(5999), 0, "who asked for the time a little earlier");
        assert_eq!(allowed(5000), 10, "the clock went back");
    }

    #[test]
    fn a_part_of_the_second_can_be_left_to_others() {
        let mut pace = Pace::new(10);
        let mut allowed =
            |reserve| (0..1000).filter(|_| pace.allows_leaving(reserve, at(5000))).count();
        assert_eq!(allowed(3), 7);
        assert_eq!(allowed(0), 3);
        assert_eq!(allowed(0), 0);
        assert!(!Pace::new(1).allows_leaving(2, at(0)));
    }

    #[test]
    fn what_is_taken_back_makes_room_in_its_own_second() {
        let mut pace = Pace::new(1);
        assert!(pace.allows(at(5000)) && !pace.allows(at(5100)));
        pace.take_back(at(5000));
        assert!(pace.allows(at(5200)) && !pace.allows(at(5300)));
        assert!(pace.allows(at(6000)));
        pace.take_back(at(5200));
        assert!(!pace.allows(at(6001)), "it was counted in another second");
    }
}
