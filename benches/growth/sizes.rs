//! What the length of a token costs.

use sha2::{Digest, Sha256};
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Algorithm, ResourceServer};

use crate::figure::{Axis, Figure, Panel, Series};
use crate::plan::Plan;
use crate::sight::{self, Signed};
use crate::support::measure::{batch, in_turn};
use crate::support::{issuer, server};

/// In KiB.
const SIZES: [f64; 6] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
const TOKENS: usize = 400;

pub(crate) fn figure(plan: &Plan) -> Figure {
    let mut series = vec![Series::reference("one SHA-256 of the token")];
    for algorithm in [Algorithm::ES256, Algorithm::RS256] {
        let issuer = issuer(algorithm);
        let [mut seen, mut first] = names(algorithm).map(Series::new);
        for size in SIZES {
            let Some(samples) = tokens(&issuer, size, plan.pick(TOKENS, 100)) else { continue };
            let few = &samples[..16];
            if algorithm == Algorithm::ES256 {
                series[0].points.push((size, hashed(few, plan.pick(101, 21)) / 1e3));
            }
            let cost = sight::seen(&remembering(&issuer), few, plan.pick(101, 21));
            seen.points.push((size, cost.over / 1e3));
            let cost = sight::first(&forgetful(&issuer, size), &samples, plan.pick(151, 31));
            first.points.push((size, cost.over / 1e3));
        }
        series.extend([seen, first]);
    }
    let note = "Seen before: over the bare service. First sight: over the check of the signature, \
                which hashes the token as well.";
    let panels = vec![absolute(&series), by_byte(series)];
    Figure { title: "One token, by its size", note: note.to_owned(), panels }
}

fn names(algorithm: Algorithm) -> [&'static str; 2] {
    match algorithm {
        Algorithm::ES256 => ["seen before, ES256", "first sight, ES256"],
        _ => ["seen before, RS256", "first sight, RS256"],
    }
}

/// Different tokens of that size, with as many groups as fit; `None` if it is too small for any.
fn tokens(issuer: &TestIssuer, size: f64, count: usize) -> Option<Vec<Signed>> {
    let bytes = (size * 1024.0) as usize;
    let length = |groups| {
        let one = sight::signed(issuer, 1, |token| token.claim("groups", self::groups(groups)));
        one[0].token.len()
    };
    let (none, ten) = (length(0), length(10));
    let groups = bytes.checked_sub(none)? * 10 / (ten - none);
    let groups = self::groups(groups);
    Some(sight::signed(issuer, count, |token| token.claim("groups", groups.clone())))
}

/// Group identifiers of 36 characters, as large tokens are made of.
fn groups(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("7f3c1a52-94d0-4e1b-8a6e-{number:012x}")).collect()
}

fn remembering(issuer: &TestIssuer) -> ResourceServer {
    server(issuer, |builder| builder.max_token_bytes(32 << 10))
}

/// Remembers some fifteen tokens of that size.
fn forgetful(issuer: &TestIssuer, size: f64) -> ResourceServer {
    let bytes = 16 * (512 + (size * 1.5 * 1024.0) as u64);
    server(issuer, |builder| builder.max_token_bytes(32 << 10).token_cache_bytes(bytes))
}

/// Nanoseconds of what the cache needs of every token.
fn hashed(samples: &[Signed], rounds: usize) -> f64 {
    let tokens = || samples.iter().map(|sample| sample.token.as_bytes()).cycle().take(200);
    let [hash] = in_turn(rounds, [&mut || batch(tokens().collect(), Sha256::digest)]);
    hash.median()
}

fn absolute(series: &[Series]) -> Panel {
    let (x, y) =
        (Axis::logarithmic("size of the token, KiB"), Axis::logarithmic("µs over the floor"));
    let mut panel = Panel::new(x, y);
    panel.series =
        series.iter().map(|series| Series { points: series.points.clone(), ..*series }).collect();
    panel
}

fn by_byte(mut series: Vec<Series>) -> Panel {
    let (x, y) = (Axis::logarithmic("size of the token, KiB"), Axis::linear("ns a byte"));
    for (size, micros) in series.iter_mut().flat_map(|series| &mut series.points) {
        *micros *= 1e3 / (*size * 1024.0);
    }
    let mut panel = Panel::new(x, y);
    panel.series = series;
    panel
}
