//! JWTs: of known keys, and of keys that nobody has heard of.

use super::life::{Life, Lived};
use super::phases::Phase;

const STRANGERS: usize = 5000;

/// While nothing is loaded the rests are short at first; later each fetch is asked for by a stranger.
/// Each looks the metadata up once at most.
fn assert_rate(phase: Phase, lived: &Lived) {
    let most = lived.most(phase == Phase::DownAtStart);
    assert!(lived.keys <= most, "{phase:?}: {} fetches of keys in {:?}", lived.keys, lived.lasted);
    assert!(lived.metadata <= most, "{phase:?}: {} look-ups in {:?}", lived.metadata, lived.lasted);
    // Strangers come all the while, so there is one in a minute at least, also when fetches take long.
    // Without metadata there is no place to fetch keys from.
    let asked = if phase == Phase::DownAtStart { lived.metadata } else { lived.keys };
    let least = usize::try_from(lived.lasted.as_secs() / 60).expect("few");
    assert!(asked >= least, "{phase:?}: {asked} fetches in {:?}", lived.lasted);
    assert_eq!(lived.calls, 0);
}

#[tokio::test(start_paused = true)]
async fn valid_tokens_of_known_keys_are_refused_never() {
    let mut life = Life::of_jwts();
    for phase in Phase::all() {
        let lived = life.live_through(phase).await;
        assert_rate(phase, &lived);
        assert!(lived.failures.introspection.is_empty());
    }
    assert!(life.seen >= STRANGERS, "{}", life.seen);
}
