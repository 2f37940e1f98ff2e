use super::*;
use crate::token::cache::tests::answer;

fn memory() -> Memory {
    let spans = Memories {
        active_for: Duration::from_secs(60),
        refusals_for: Duration::from_secs(10),
        bytes: 1024 * 1024,
    };
    Memory::new(spans).expect("the operating system gives random bytes")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// An active token that counts until then.
fn active(until: Timestamp) -> Result<Arc<Vouched>, RejectionKind> {
    Ok(answer(r#"{"active":true,"sub":"user-1"}"#, until))
}

const INACTIVE: Result<Arc<Vouched>, RejectionKind> = Err(RejectionKind::InactiveToken);

fn verdict(memory: &Memory, key: &Key, now: i64) -> Option<Result<(), RejectionKind>> {
    memory.find(key, at(now)).map(|outcome| outcome.map(|_| ()))
}

#[test]
fn what_stands_for_a_token_is_nothing_a_thief_can_compare_with() {
    let token = Digest::of("2YotnFZFEjr1zCsicMWpAA");
    let (one, other) = (memory(), memory());
    // R9700-4.9-1: an HMAC under a key of this process in place of the token, or of its hash.
    let key = one.key(&token);
    assert!(key == one.key(&token) && key != token && key != other.key(&token));
    one.keep(key, &active(at(60)), at(0));
    assert!(verdict(&one, &key, 1).is_some());
    assert!(verdict(&one, &token, 1).is_none());
}

#[test]
fn answers_count_for_their_time_and_not_beyond_the_token() {
    let memory = memory();
    assert_eq!(memory.until(None, at(0)), at(60));
    assert_eq!(memory.until(Some(at(300)), at(0)), at(60));
    assert_eq!(memory.until(Some(at(20)), at(0)), at(20));
    let key = memory.key(&Digest::of("a"));
    memory.keep(key, &active(at(20)), at(0));
    assert_eq!(verdict(&memory, &key, 19), Some(Ok(())));
    assert_eq!(verdict(&memory, &key, 20), None);
    // Gone for good, also if the clock should go back by a second.
    assert_eq!(verdict(&memory, &key, 19), None);
    memory.keep(key, &active(at(20)), at(20));
    assert_eq!(verdict(&memory, &key, 19), None);
}

#[test]
fn refusals_count_for_a_shorter_time() {
    let memory = memory();
    let key = memory.key(&Digest::of("a"));
    memory.keep(key, &INACTIVE, at(0));
    assert_eq!(verdict(&memory, &key, 9), Some(Err(RejectionKind::InactiveToken)));
    assert_eq!(verdict(&memory, &key, 10), None);
}

#[test]
fn the_last_answer_counts() {
    let memory = memory();
    let key = memory.key(&Digest::of("a"));
    memory.keep(key, &INACTIVE, at(0));
    memory.keep(key, &active(at(60)), at(0));
    assert_eq!(verdict(&memory, &key, 1), Some(Ok(())));
    memory.keep(key, &INACTIVE, at(2));
    assert_eq!(verdict(&memory, &key, 3), Some(Err(RejectionKind::InactiveToken)));
}

#[test]
fn a_clock_that_went_back_makes_no_answer_last_longer() {
    let memory = memory();
    let [good, bad] = ["good", "bad"].map(|token| memory.key(&Digest::of(token)));
    memory.keep(good, &active(at(1060)), at(1000));
    memory.keep(bad, &INACTIVE, at(1000));
    assert_eq!(verdict(&memory, &good, 900), None);
    assert_eq!(verdict(&memory, &bad, 900), None);
}

#[test]
fn a_request_that_began_before_an_answer_came_finds_it() {
    let memory = memory();
    let [good, bad] = ["good", "bad"].map(|token| memory.key(&Digest::of(token)));
    let landed = Timestamp::from_millis(1_000_001);
    memory.keep(good, &active(memory.until(None, landed)), landed);
    memory.keep(bad, &INACTIVE, landed);
    for _ in 0..2 {
        assert_eq!(verdict(&memory, &good, 1000), Some(Ok(())));
        assert_eq!(verdict(&memory, &bad, 1000), Some(Err(RejectionKind::InactiveToken)));
    }
}

#[test]
fn tokens_of_strangers_fill_a_room_of_their_own() {
    let memory = memory();
    let good = memory.key(&Digest::of("good"));
    memory.keep(good, &active(at(60)), at(0));
    for number in 0..2 * REFUSALS {
        let key = memory.key(&Digest::of(&number.to_string()));
        memory.keep(key, &INACTIVE, at(0));
    }
    assert!(memory.refusals.len() as u64 <= REFUSALS);
    assert_eq!(verdict(&memory, &good, 1), Some(Ok(())));
}

#[test]
fn nothing_is_remembered_where_nothing_is_to_be() {
    let none = Memories { active_for: Duration::ZERO, refusals_for: Duration::ZERO, bytes: 1024 };
    let memory = Memory::new(none).expect("random bytes");
    let key = memory.key(&Digest::of("a"));
    for outcome in [active(memory.until(None, at(0))), INACTIVE] {
        memory.keep(key, &outcome, at(0));
        assert_eq!(verdict(&memory, &key, 0), None);
    }
}

#[test]
fn answers_whose_time_is_over_are_dropped_as_others_come() {
    let memory = memory();
    let key = |number: u64| memory.key(&Digest::of(&number.to_string()));
    for number in 0..200 {
        memory.keep(key(number), &active(at(60)), at(0));
        memory.keep(key(200 + number), &INACTIVE, at(0));
    }
    assert_eq!((memory.active.len(), memory.refusals.len()), (200, 200));
    for number in 0..64 {
        memory.keep(key(400 + number), &active(at(120)), at(60));
        memory.keep(key(600 + number), &INACTIVE, at(60));
    }
    assert_eq!((memory.active.len(), memory.refusals.len()), (64, 64));
}
