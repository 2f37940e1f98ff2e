//! Opaque tokens: one that is valid, and those that nobody has heard of.

use tower_resource_server::{
    ClientAuthentication, Introspection, IntrospectionError, RejectionKind,
};

use super::clients::assert_kind;
use super::life::{Life, Lived};
use super::phases::Phase;
use super::told;
use crate::support::present;

const STRANGERS: usize = 5000;
/// How many calls about tokens that nobody knows may be under way: three quarters of 64.
const MAX_CALLS: usize = 48;

/// One call for each stranger, as far as they may be under way together, and those of the token that
/// is valid.
fn assert_calls(phase: Phase, lived: &Lived, strangers: usize, own: usize) {
    let crowd = phase.span().crowd;
    let calls = strangers / crowd * crowd.min(MAX_CALLS) + own;
    let failures = &lived.failures.introspection;
    let (busy, failed): (Vec<_>, Vec<_>) =
        failures.iter().copied().partition(|error| *error == IntrospectionError::Busy);
    assert_eq!(busy.len(), strangers + own - calls, "{phase:?}");
    told::all_are(phase.introspection_error(), &failed, phase);
    assert!(failed.is_empty() || failed.len() == calls, "{phase:?}: {}", failed.len());
    // Without metadata nobody knows where to ask.
    let arrived = if phase == Phase::DownAtStart { 0 } else { calls };
    assert_eq!(lived.calls, arrived, "{phase:?}");
}

/// Nobody asks for a key that is not there but the first token of each new one. So fetches of keys, as
/// look-ups of metadata, are begun by age, and their first rests are short.
fn assert_rate(phase: Phase, lived: &Lived) {
    let most = lived.most(true);
    assert!(lived.keys <= most, "{phase:?}: {} fetches of keys in {:?}", lived.keys, lived.lasted);
    assert!(lived.metadata <= most, "{phase:?}: {} look-ups in {:?}", lived.metadata, lived.lasted);
    // Each is fresh for a minute.
    assert!(lived.metadata > 0, "{phase:?}: no look-up in {:?}", lived.lasted);
    assert!(lived.keys > 0 || phase == Phase::DownAtStart, "{phase:?}");
}

#[tokio::test(start_paused = true)]
async fn opaque_tokens_go_through_the_same() {
    let authentication = ClientAuthentication::client_secret_basic("api", "secret");
    let mut life = Life::of_opaque_tokens(Introspection::discovered(authentication));
    let own_calls = |life: &Life| life.opaque.as_ref().expect("there is one").calls;
    for phase in Phase::all() {
        let (strangers, own) = (life.seen, own_calls(&life));
        let lived = life.live_through(phase).await;
        assert_calls(phase, &lived, life.seen - strangers, own_calls(&life) - own);
        assert_rate(phase, &lived);
    }
    assert!(life.seen >= STRANGERS, "{}", life.seen);

    let token = life.opaque.take().expect("there is one").token;
    present(&life.server, &token).await.assert_ok();
    life.authorization_server.revoke(&token);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    // R7662-4-3: a revoked token is refused when the answer has had its time.
    assert_kind(&present(&life.server, &token).await, RejectionKind::InactiveToken);
}
