use std::collections::HashSet;
use std::time::UNIX_EPOCH;

use proptest::prelude::*;

use super::*;

const API: &str = "https://api.example.com";
const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

fn nonces() -> SealedNonces {
    SealedNonces::with_secret(&OLD).expect("long enough")
}

/// So many milliseconds into a day in 2023.
fn at(millis: i64) -> SystemTime {
    let moment = Timestamp::from_millis(1_700_000_000_000 + millis);
    moment.to_system_time().expect("within the range of the clock")
}

#[test]
fn nonces_are_unique_and_not_in_a_row() {
    let nonces = nonces();
    let issued: Vec<_> = (0..100_000).map(|_| nonces.issue(API, at(0))).collect();
    let is_nqchar = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(issued.iter().all(|nonce| nonce.len() == 40 && nonce.bytes().all(is_nqchar)));
    assert_eq!(issued.iter().collect::<HashSet<_>>().len(), 100_000);

    // Past the eight characters of the time, neighbours differ nearly everywhere and rise as often
    // as they fall.
    let neighbours = || issued.iter().zip(&issued[1..]).map(|(a, b)| (&a[8..], &b[8..]));
    let rises = neighbours().filter(|(a, b)| a < b).count();
    assert!((49_000..51_000).contains(&rises), "{rises}");
    let same = |(a, b): (&str, &str)| a.bytes().zip(b.bytes()).filter(|(a, b)| a == b).count();
    let shared = neighbours().map(same).sum::<usize>();
    assert!(shared < 100_000, "half a character of 32 on average, not {shared} in all");
}

#[test]
fn nodes_with_one_secret_issue_different_nonces_and_accept_each_others() {
    let (one, other) = (nonces(), nonces());
    let (first, second) = (one.issue(API, at(0)), other.issue(API, at(0)));
    assert_ne!(first, second);
    assert!(one.check(&second, API, at(0)).is_some());
    assert!(other.check(&first, API, at(0)).is_some());
}

#[test]
fn a_changed_nonce_is_refused() {
    let nonces = nonces();
    let nonce = nonces.issue(API, at(0));
    assert!(nonces.check(&nonce, API, at(0)).is_some());
    let bytes = base64_decoded(&nonce);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let text = base64_encoded(&flipped);
        assert!(nonces.check(&text, API, at(0)).is_none(), "bit {bit}");
    }
    for at_byte in 0..nonce.len() {
        for other in ["A", "B", "=", "+", "/", " ", "\"", "%"] {
            let mut text = nonce.clone();
            text.replace_range(at_byte..=at_byte, other);
            assert_eq!(nonces.check(&text, API, at(0)).is_some(), text == nonce, "{text}");
        }
    }
    for text in ["", &nonce[1..], &nonce[..39], &format!("{nonce}A"), &format!("{nonce}=")] {
        assert!(nonces.check(text, API, at(0)).is_none(), "{text}");
    }
}

fn base64_decoded(text: &str) -> Vec<u8> {
    crate::base64url::decode(text).expect("base64url")
}

fn base64_encoded(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_nonce_is_for_one_resource_and_one_secret() {
    let nonces = nonces();
    let nonce = nonces.issue(API, at(0));
    for other in
        ["", "https://api.example.co", "https://api.example.com/", "HTTPS://api.example.com"]
    {
        assert!(nonces.check(&nonce, other, at(0)).is_none(), "{other}");
    }
    let stranger = SealedNonces::with_secret(&NEW).expect("long enough");
    assert!(stranger.check(&nonce, API, at(0)).is_none());
    let process = SealedNonces::random();
    assert!(process.check(&nonce, API, at(0)).is_none());
    assert!(SealedNonces::random().check(&process.issue(API, at(0)), API, at(0)).is_none());
    assert!(process.check(&process.issue(API, at(0)), API, at(0)).is_some());
}

#[test]
fn a_nonce_is_renewed_from_half_of_its_life_and_good_to_its_last_moment() {
    let nonces = nonces();
    let nonce = nonces.issue(API, at(0));
    for (now, renew) in [
        (-2001, None),
        (-2000, Some(false)),
        (0, Some(false)),
        (149_999, Some(false)),
        (150_000, Some(true)),
        (300_000, Some(true)),
        (300_001, None),
        (i64::from(i32::MAX), None),
    ] {
        let accepted = nonces.check(&nonce, API, at(now));
        let expected = renew.map(|renew| AcceptedNonce::new(at(0), at(300_000), renew));
        assert_eq!(accepted, expected, "{now} ms");
    }
    let brief = nonces.clone().lifetime(Duration::from_secs(10));
    assert!(brief.check(&nonce, API, at(10_000)).is_some());
    assert!(brief.check(&nonce, API, at(10_001)).is_none());
}

#[test]
fn clocks_that_are_far_off_do_no_harm() {
    let nonces = nonces();
    let nonce = nonces.issue(API, at(0));
    let an_hour = 3_600_000;
    assert!(nonces.check(&nonce, API, at(-an_hour)).is_none());
    assert!(nonces.check(&nonce, API, at(an_hour)).is_none());

    let (second, far) = (Duration::from_secs(1), Duration::from_secs(1 << 40));
    let extremes = [UNIX_EPOCH, UNIX_EPOCH - second, UNIX_EPOCH - far, UNIX_EPOCH + far];
    for now in extremes {
        let odd = nonces.issue(API, now);
        assert_eq!(odd.len(), 40);
        assert!(nonces.check(&odd, API, at(0)).is_none());
        assert!(nonces.check(&nonce, API, now).is_none());
    }
    let endless = nonces.lifetime(Duration::MAX);
    assert!(endless.check(&nonce, API, at(0)).is_none(), "no end that could be told");
}

#[test]
fn the_previous_secret_is_accepted_and_the_one_before_it_is_not() {
    let nonces = nonces();
    let shared = nonces.clone();
    let first = nonces.issue(API, at(0));
    nonces.rotate(&NEW).expect("long enough");
    let second = shared.issue(API, at(0));
    let old = shared.check(&first, API, at(0)).expect("of the previous secret");
    assert!(old.renew(), "the client is given one of the new secret");
    assert!(!nonces.check(&second, API, at(0)).expect("of the current secret").renew());
    assert!(SealedNonces::with_secret(&NEW).expect("long").check(&second, API, at(0)).is_some());

    nonces.rotate(&[3; 32]).expect("long enough");
    assert!(shared.check(&first, API, at(0)).is_none());
    assert!(shared.check(&second, API, at(0)).is_some());
}

#[test]
fn nodes_change_their_secret_in_two_steps() {
    let node = |current: &[u8], previous: &[u8]| {
        SealedNonces::with_secret(current).and_then(|node| node.previous_secret(previous))
    };
    let old = nonces();
    let step = node(&OLD, &NEW).expect("long enough");
    let done = node(&NEW, &OLD).expect("long enough");
    for (issuing, checking) in [(&old, &step), (&step, &old), (&step, &done), (&done, &step)] {
        assert!(checking.check(&issuing.issue(API, at(0)), API, at(0)).is_some());
    }
    assert!(old.check(&done.issue(API, at(0)), API, at(0)).is_none(), "hence the step");
}

#[test]
fn short_secrets_are_refused_and_change_nothing() {
    let short = [1; 31];
    let too_short = NonceSecretError::TooShort;
    assert_eq!(SealedNonces::with_secret(&short).err(), Some(too_short));
    assert_eq!(nonces().previous_secret(&short).err(), Some(too_short));
    let nonces = nonces();
    let nonce = nonces.issue(API, at(0));
    assert_eq!(nonces.rotate(&short), Err(too_short));
    assert!(!nonces.check(&nonce, API, at(0)).expect("still current").renew());
    assert!(too_short.to_string().contains("32 bytes"));
}

#[test]
fn nothing_secret_is_printed() {
    assert_eq!(format!("{:?}", nonces()), "SealedNonces { lifetime: 300s, .. }");
}

proptest! {
    #[test]
    fn any_text_is_survived_and_refused(text in any::<String>(), now: i32) {
        prop_assert!(nonces().check(&text, API, at(now.into())).is_none());
    }

    #[test]
    fn forty_characters_are_not_enough(text in "[A-Za-z0-9_-]{40}") {
        prop_assert!(nonces().check(&text, API, at(0)).is_none());
    }
}
