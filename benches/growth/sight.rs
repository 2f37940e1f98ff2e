//! Tokens at a layer, seen before and for the first time, each in turn with what cannot be spared.

use std::rc::Rc;
use std::time::Duration;

use http::StatusCode;
use tower_layer::Layer;
use tower_resource_server::ResourceServer;
use tower_resource_server::testing::{TestIssuer, TokenBuilder};

use crate::floor::Verifier;
use crate::support::measure::{batch, in_turn};
use crate::support::{Bare, drive, layered, request, taken_apart};

/// Few enough to lie in the processor's cache, as a request does that was just read.
const SEEN: usize = 200;
const FIRST: usize = 20;
/// Room for some fifteen tokens, so that each of many in turn is forgotten before it comes again.
pub(crate) const FORGETFUL: u64 = 16 << 10;

/// Nanoseconds of one request, or of one signature.
pub(crate) struct Cost {
    /// Of what cannot be spared.
    pub(crate) floor: f64,
    /// Of the layer, beyond that.
    pub(crate) over: f64,
}

/// A token, and what verifies its signature.
pub(crate) struct Signed {
    pub(crate) token: String,
    verifier: Rc<Verifier>,
}

/// So many different tokens of one key.
pub(crate) fn signed(
    issuer: &TestIssuer,
    count: usize,
    change: impl Fn(TokenBuilder) -> TokenBuilder,
) -> Vec<Signed> {
    let verifier = Rc::new(Verifier::new(issuer.key()));
    let token = || change(issuer.token().scope("read").expires_in(Duration::from_secs(3600)));
    let signed = |_| Signed { token: token().build(), verifier: Rc::clone(&verifier) };
    (0..count).map(signed).collect()
}

/// Tokens that are remembered, in turn, over the bare service.
pub(crate) fn seen(server: &ResourceServer, samples: &[Signed], rounds: usize) -> Cost {
    assert!(samples.iter().all(|sample| is_accepted(server, &sample.token)), "all are good");
    let mut service = layered(server);
    let mut turn = samples.iter().cycle();
    let mut next = || turn.by_ref().take(SEEN).map(|s| request(Some(&s.token))).collect::<Vec<_>>();
    let mut turn = samples.iter().cycle();
    let mut plain =
        || turn.by_ref().take(SEEN).map(|s| request(Some(&s.token))).collect::<Vec<_>>();
    let [bare, layer] = in_turn(
        rounds,
        [&mut || batch(plain(), |request| drive(&mut Bare, request)), &mut || {
            batch(next(), |request| drive(&mut service, request))
        }],
    );
    Cost { floor: bare.median(), over: layer.over(&bare) }
}

/// Tokens in turn, more than are remembered, over the check of their signatures.
pub(crate) fn first(server: &ResourceServer, samples: &[Signed], rounds: usize) -> Cost {
    assert!(is_accepted(server, &samples[samples.len() - 1].token), "it is good");
    let mut service = layered(server);
    let (mut signatures, mut tokens) = (samples.iter().cycle(), samples.iter().cycle());
    let mut floor = || {
        let parts = signatures.by_ref().take(FIRST);
        let parts = parts.map(|sample| (&sample.verifier, taken_apart(&sample.token)));
        batch(parts.collect(), |(verifier, (message, signature))| {
            verifier.verifies(message.as_bytes(), &signature)
        })
    };
    let mut layer = || {
        let requests = tokens.by_ref().take(FIRST).map(|sample| request(Some(&sample.token)));
        batch(requests.collect(), |request| drive(&mut service, request))
    };
    let [floor, layer] = in_turn(rounds, [&mut floor, &mut layer]);
    Cost { floor: floor.median(), over: layer.over(&floor) }
}

/// Whether a request with that token gets to the service.
pub(crate) fn is_accepted(server: &ResourceServer, token: &str) -> bool {
    let mut service = server.authenticate().layer(Bare);
    drive(&mut service, request(Some(token))).status() == StatusCode::OK
}
