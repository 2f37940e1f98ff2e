//! How often strangers may cause a look-up.

use std::time::Duration;

use crate::clock::Timestamp;

const A_SECOND: u32 = 10;
const SECOND: Duration = Duration::from_secs(1);

/// Ten look-ups a second, counted from the first.
#[derive(Debug, Default)]
pub(super) struct Pace {
    begun: Option<Timestamp>,
    count: u32,
}

impl Pace {
    pub(super) fn allows(&mut self, now: Timestamp) -> bool {
        // A second that began in the future did so before the clock went back.
        let runs = self.begun.is_some_and(|begun| begun <= now && now.since(begun) < SECOND);
        if !runs {
            *self = Self { begun: Some(now), count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_second_and_no_more() {
        let mut pace = Pace::default();
        let allowed = |pace: &mut Pace, millis| {
            (0..1000).filter(|_| pace.allows(Timestamp::from_millis(millis))).count()
        };
        assert_eq!(allowed(&mut pace, 5000), 10);
        assert_eq!(allowed(&mut pace, 5999), 0);
        assert_eq!(allowed(&mut pace, 6000), 10);
        assert_eq!(allowed(&mut pace, 5000), 10, "the clock went back");
    }
}
