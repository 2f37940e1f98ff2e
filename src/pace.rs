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
        // A second that began in the future did so before the clock went back.
        let runs = self.begun.is_some_and(|begun| begun <= now && now.since(begun) < SECOND);
        if !runs {
            (self.begun, self.count) = (Some(now), 0);
        }
        let allowed = self.count < self.a_second;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_second_and_no_more() {
        let mut pace = Pace::new(10);
        let mut allowed =
            |millis| (0..1000).filter(|_| pace.allows(Timestamp::from_millis(millis))).count();
        assert_eq!(allowed(5000), 10);
        assert_eq!(allowed(5999), 0);
        assert_eq!(allowed(6000), 10);
        assert_eq!(allowed(5000), 10, "the clock went back");
    }

    #[test]
    fn what_is_taken_back_makes_room_in_its_own_second() {
        let mut pace = Pace::new(1);
        let at = Timestamp::from_millis;
        assert!(pace.allows(at(5000)) && !pace.allows(at(5100)));
        pace.take_back(at(5000));
        assert!(pace.allows(at(5200)) && !pace.allows(at(5300)));
        assert!(pace.allows(at(6000)));
        pace.take_back(at(5200));
        assert!(!pace.allows(at(6001)), "it was counted in another second");
    }
}
