//! Tokens seen before, among ever more that are remembered.

use std::time::Duration;

use tower_layer::Layer;
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Algorithm, ResourceServer};

use crate::figure::{Axis, Figure, Limit, Panel, Series};
use crate::plan::Plan;
use crate::sight;
use crate::support::measure::{batch, in_turn};
use crate::support::spread;
use crate::support::{Bare, drive, issuer, layered, request, server};

/// Few enough to lie in the processor's cache, as a request does that was just read.
const BATCH: usize = 500;
/// Longer than a run takes.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn figure(plan: &Plan) -> Figure {
    // Of the algorithms it is the one whose tokens are made and checked the fastest.
    let issuer = issuer(Algorithm::Ed25519);
    let server = server(&issuer, |builder| builder.token_cache_bytes(1 << 32));
    let mut tokens = Vec::new();
    let mut hot = Series::new("one token");
    let mut all = Series::new("all of them, in random order");
    for count in plan.powers(0, 6, 4) {
        tokens.extend(remembered(&issuer, &server, count - tokens.len()));
        let over_bare = measure(&server, &tokens, plan.pick(201, 51));
        hot.push(count, over_bare[0]);
        all.push(count, over_bare[1]);
    }
    let axes = (Axis::logarithmic("tokens in the cache"), Axis::linear("ns over the bare service"));
    let mut panel = Panel::new(axes.0, axes.1);
    panel.series = vec![hot, all];
    panel.limits = vec![Limit::most("budget, 600 ns", 600.0)];
    let note = format!("Bearer tokens of {} bytes or so, each verified before.", tokens[0].len());
    Figure { title: "A token seen before, by tokens in the cache", note, panels: vec![panel] }
}

/// So many new tokens, each verified by the layer. All cores share the work.
fn remembered(issuer: &TestIssuer, server: &ResourceServer, count: usize) -> Vec<Box<str>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = |thread| (0..count).skip(thread).step_by(threads).map(|_| accepted(issuer, server));
    std::thread::scope(|scope| {
        let share = &share;
        let run = move |thread| scope.spawn(move || share(thread).collect::<Vec<_>>());
        let running: Vec<_> = (0..threads).map(run).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    })
}

fn accepted(issuer: &TestIssuer, server: &ResourceServer) -> Box<str> {
    let token = issuer.token().scope("read").expires_in(LIFETIME).build();
    assert!(sight::is_accepted(server, &token), "the token is good");
    token.into()
}

/// The first token again and again, and others as they come; both over the bare service.
fn measure(server: &ResourceServer, tokens: &[Box<str>], rounds: usize) -> [f64; 2] {
    let (mut hot, mut any) = (layered(server), server.authenticate().layer(Bare));
    let same = || vec![request(Some(&tokens[0])); BATCH];
    let mut picks = (0..).map(spread::word).map(|word| &tokens[word as usize % tokens.len()]);
    let mut others = || picks.by_ref().take(BATCH).map(|t| request(Some(t))).collect::<Vec<_>>();
    let [bare, hot, any] = in_turn(
        rounds,
        [
            &mut || batch(same(), |request| drive(&mut Bare, request)),
            &mut || batch(same(), |request| drive(&mut hot, request)),
            &mut || batch(others(), |request| drive(&mut any, request)),
        ],
    );
    [hot.over(&bare), any.over(&bare)]
}
