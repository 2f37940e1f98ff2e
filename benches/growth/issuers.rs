//! What a token costs must not depend on how many other issuers are trusted.

use tower_resource_server::testing::{SigningKey, TestIssuer};
use tower_resource_server::{Algorithm, ResourceServer};

use crate::figure::{Axis, Figure, Limit, Panel, Series};
use crate::plan::Plan;
use crate::sight::{self, FORGETFUL, Signed};

const COUNTS: [usize; 6] = [1, 2, 5, 10, 20, 50];
/// Enough to remember every token of the sweep.
const REMEMBERING: u64 = 1 << 26;

pub(crate) fn figure(plan: &Plan) -> Figure {
    let mut series = [
        "seen before, of the last issuer",
        "seen before, of all in turn",
        "first sight, of the last issuer",
        "first sight, of all in turn",
    ]
    .map(Series::new);
    let mut floor = 0.0;
    for count in COUNTS {
        let issuers = issuers(count);
        let (of_last, of_all) = (of_last(&issuers, plan), of_all(&issuers, plan));
        for (series, samples) in series.iter_mut().zip([&of_last, &of_all]) {
            let server = server(&issuers, REMEMBERING);
            let few = &samples[..samples.len().min(COUNTS[5])];
            series.push(count, sight::seen(&server, few, plan.pick(201, 51)).over);
        }
        for (series, samples) in series[2..].iter_mut().zip([&of_last, &of_all]) {
            let server = server(&issuers, FORGETFUL);
            let cost = sight::first(&server, samples, plan.pick(201, 31));
            floor = cost.floor;
            series.push(count, cost.over);
        }
    }
    let over = Axis::linear("ns over the bare service, or over the signature");
    let mut panel = Panel::new(Axis::logarithmic("trusted issuers"), over);
    panel.series = series.into();
    panel.limits = limits(floor);
    let note = "Seen before: over the bare service. First sight, ES256: over the check of the \
                signature.";
    Figure { title: "One token, by trusted issuers", note: note.to_owned(), panels: vec![panel] }
}

fn limits(floor: f64) -> Vec<Limit> {
    let seen = Limit::most("budget, seen before", 600.0);
    vec![seen, Limit::most("budget, first sight", floor * 0.04)]
}

fn issuers(count: usize) -> Vec<TestIssuer> {
    let issuer = |number| {
        let key = SigningKey::generate(Algorithm::ES256).with_kid("bench");
        TestIssuer::with_key(format!("https://as-{number}.example.com"), key)
    };
    (0..count).map(issuer).collect()
}

fn server(issuers: &[TestIssuer], cache: u64) -> ResourceServer {
    let builder = ResourceServer::builder("https://api.example.com").token_cache_bytes(cache);
    let builder = issuers.iter().fold(builder, |builder, issuer| builder.issuer(issuer.trusted()));
    builder.build().expect("the bench is configured right")
}

fn of_last(issuers: &[TestIssuer], plan: &Plan) -> Vec<Signed> {
    sight::signed(&issuers[issuers.len() - 1], plan.pick(1_000, 200), |token| token)
}

fn of_all(issuers: &[TestIssuer], plan: &Plan) -> Vec<Signed> {
    let turn = issuers.iter().cycle().take(plan.pick(1_000, 200));
    turn.flat_map(|issuer| sight::signed(issuer, 1, |token| token)).collect()
}
