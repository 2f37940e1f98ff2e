use std::time::Duration;

use super::*;

/// What is there is asked for by number; an entry weighs one.
struct Numbers(Expiring<u64>);

const CAPACITY: u64 = 64 * ENTRIES;

impl Numbers {
    fn new() -> Self {
        Self(Expiring::new(CAPACITY, 1))
    }

    fn add(&self, number: u64, until: i64, now: i64) {
        self.0.insert(digest(number), number, 1, at(until), at(now));
    }

    fn has(&self, number: u64) -> bool {
        self.0.get(&digest(number)) == Some(number)
    }

    fn parts(&self) -> u64 {
        self.0.parts.len() as u64
    }

    fn bytes(&self) -> u64 {
        self.0.parts.iter().map(|locked| locked.read().bytes() as u64).sum()
    }
}

fn digest(number: u64) -> Digest {
    Digest::of(&number.to_string())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

#[test]
fn what_ended_goes_with_as_many_additions_as_there_are_parts() {
    let numbers = Numbers::new();
    let count = CAPACITY / 2;
    (0..count).for_each(|number| numbers.add(number, 300, 0));
    assert_eq!(numbers.0.len() as u64, count);
    assert!(numbers.bytes() >= 64 * count);
    let later = count..count + numbers.parts();
    later.clone().for_each(|number| numbers.add(number, 900, 600));
    assert_eq!(numbers.0.len() as u64, numbers.parts(), "none of the first is left");
    assert!(later.clone().all(|number| numbers.has(number)), "those that go on are there");
    assert!(numbers.bytes() <= 1024 * numbers.parts(), "the room is given back");
}

#[test]
fn nothing_is_dropped_before_its_end_nor_without_an_addition() {
    let numbers = Numbers::new();
    (0..1000).for_each(|number| numbers.add(number, 300, 0));
    (1000..2000).for_each(|number| numbers.add(number, 300, 299));
    assert_eq!(numbers.0.len(), 2000);
    assert!((0..2000).all(|number| numbers.has(number)), "asking does not drop");
}

#[test]
fn what_goes_on_survives_what_ended() {
    let numbers = Numbers::new();
    (0..2000).for_each(|number| numbers.add(number, if number % 2 == 0 { 300 } else { 900 }, 0));
    (2000..2000 + numbers.parts()).for_each(|number| numbers.add(number, 900, 300));
    assert!((0..2000).all(|number| numbers.has(number) == (number % 2 == 1)));
}

#[test]
fn one_addition_drops_no_more_than_a_part() {
    let numbers = Numbers::new();
    (0..CAPACITY / 2).for_each(|number| numbers.add(number, 300, 0));
    for number in CAPACITY..CAPACITY + numbers.parts() {
        let before = numbers.0.len();
        numbers.add(number, 900, 600);
        assert!(before.saturating_sub(numbers.0.len()) <= ENTRIES as usize);
    }
}

#[test]
fn a_part_is_looked_at_again_when_a_quarter_of_it_has_ended() {
    let due = Due::never();
    let mut part = Part::new(1000, 1000);
    for number in 1..=100 {
        let entry = Entry { value: number, until: at(number as i64), weight: 1 };
        part.insert(digest(number), entry, &due);
    }
    assert!(due.is_by(at(1)) && !due.is_by(at(0)));
    assert_eq!(part.drop_ended(at(20), &due).len(), 20);
    assert!(!due.is_by(at(39)) && due.is_by(at(40)), "80 are left");
    // An earlier end is not overlooked.
    part.insert(digest(500), Entry { value: 500, until: at(25), weight: 1 }, &due);
    assert!(due.is_by(at(25)));
    assert_eq!(part.drop_ended(at(200), &due).len(), 81);
    assert!(!due.is_by(at(1_000_000)), "nothing is left");
    assert_eq!(part.bytes(), 0);
}

#[test]
fn there_is_never_more_than_may_be() {
    let numbers = Numbers::new();
    (0..3 * CAPACITY).for_each(|number| numbers.add(number, 300, 0));
    let count = numbers.0.len() as u64;
    assert!((CAPACITY / 4 * 3..=CAPACITY).contains(&count), "{count}");
    let heavy = digest(u64::MAX);
    numbers.0.insert(heavy, 0, ENTRIES as u32 + 1, at(300), at(0));
    assert_eq!(numbers.0.get(&heavy), None, "it weighs more than a part may");
    assert_eq!(numbers.0.len() as u64, count, "and has pushed nothing out");
}

#[test]
fn a_clock_that_jumps_drops_at_most_what_ended() {
    let numbers = Numbers::new();
    (0..1000).for_each(|number| numbers.add(number, 300, 0));
    (1000..1000 + numbers.parts()).for_each(|number| numbers.add(number, 9000, 8000));
    assert!((0..1000).all(|number| !numbers.has(number)));
    (5000..6000).for_each(|number| numbers.add(number, 300, 0));
    assert!((5000..6000).all(|number| numbers.has(number)));
    assert!((1000..1000 + numbers.parts()).all(|number| numbers.has(number)));
    let far = Timestamp::from_millis(i64::MAX).plus(Duration::MAX);
    numbers.0.insert(digest(1), 1, 1, far, far);
}

#[test]
fn threads_may_add_and_drop_at_once() {
    let numbers = Numbers::new();
    let goes_on = |number: u64| number.is_multiple_of(2);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let numbers = &numbers;
            scope.spawn(move || {
                for step in 0..2000 {
                    let (number, now) = (thread * 2000 + step, step as i64);
                    numbers.add(number, if goes_on(number) { 9000 } else { now + 10 }, now);
                    assert!(!goes_on(number) || numbers.has(number));
                }
            });
        }
    });
    assert!((0..8000).filter(|number| goes_on(*number)).all(|number| numbers.has(number)));
    let later = 8000..8000 + numbers.parts();
    later.for_each(|number| numbers.add(number, 20_000, 10_000));
    assert_eq!(numbers.0.len() as u64, numbers.parts(), "all of them have ended");
}
