//! Tokens at first sight, by the number of keys that their issuer publishes.

use serde_json::json;
use tower_resource_server::testing::{SigningKey, TestIssuer};
use tower_resource_server::{Algorithm, Issuer, JwkSet, ResourceServer};

use crate::figure::{Axis, Figure, Limit, Panel, Series};
use crate::plan::Plan;
use crate::sight::{self, Cost, FORGETFUL, Signed};

const ISSUER: &str = "https://as.example.com";
/// A token without `kid` is tried with so many keys of its algorithm, and refused if there are more.
const MOST_WITHOUT_KID: usize = 4;
const TOKENS: usize = 1_000;

pub(crate) fn figure(plan: &Plan) -> Figure {
    let counts = plan.powers(0, 4, 3);
    let most = counts[counts.len() - 1];
    let keys = keys(Algorithm::ES256, most);
    let others = self::keys(Algorithm::Ed25519, most);
    let mut sweep =
        Sweep { rounds: plan.pick(151, 31), tokens: plan.pick(TOKENS, 200), floor: 0.0 };
    let mut series = Vec::from(
        ["kid of the last key", "kids of all keys in turn", "no kid, the last of its algorithm"]
            .map(Series::new),
    );
    series.push(Series::new("no kid, the only key of its algorithm"));
    for &count in &counts {
        series[0].push(count, sweep.last(&keys[..count]));
        series[1].push(count, sweep.in_turn(&keys[..count]));
        series[3].push(count, sweep.only_of_its_kind(&others[..count - 1]));
    }
    for count in 1..=MOST_WITHOUT_KID {
        series[2].push(count, sweep.unnamed(count));
    }
    let over = Axis::logarithmic("µs over one check of the signature");
    let mut panel = Panel::new(Axis::logarithmic("keys in the set"), over);
    panel.series = series;
    panel.limits = vec![Limit::most("budget, 4 % of that check", sweep.floor * 0.04)];
    let note = "ES256. A set that is fetched ends at 512 KiB, some 2,500 keys; of keys given to the \
                server there is no bound.";
    let title = "A token seen for the first time, by keys of its issuer";
    Figure { title, note: note.to_owned(), panels: vec![panel] }
}

fn keys(algorithm: Algorithm, count: usize) -> Vec<SigningKey> {
    let key = |number| SigningKey::generate(algorithm).with_kid(format!("key-{number}"));
    (0..count).map(key).collect()
}

fn server<'k>(keys: impl Iterator<Item = &'k SigningKey>) -> ResourceServer {
    let jwks: Vec<_> = keys.map(SigningKey::public_jwk).collect();
    let set = JwkSet::from_json(json!({ "keys": jwks }).to_string().as_bytes());
    let issuer = Issuer::jwks(ISSUER, set.expect("a key set"));
    let builder = ResourceServer::builder("https://api.example.com").issuer(issuer);
    builder.token_cache_bytes(FORGETFUL).build().expect("the bench is configured right")
}

/// So many tokens of that key.
fn tokens(key: &SigningKey, count: usize) -> Vec<Signed> {
    let issuer = TestIssuer::with_key(ISSUER, key.clone());
    sight::signed(&issuer, count, |token| token)
}

/// Each measurement is in microseconds over the floor.
struct Sweep {
    rounds: usize,
    tokens: usize,
    /// Microseconds of the latest floor.
    floor: f64,
}

impl Sweep {
    fn measure(&mut self, server: &ResourceServer, samples: &[Signed]) -> f64 {
        let Cost { floor, over } = sight::first(server, samples, self.rounds);
        self.floor = floor / 1e3;
        over / 1e3
    }

    fn last(&mut self, keys: &[SigningKey]) -> f64 {
        let samples = tokens(&keys[keys.len() - 1], self.tokens);
        self.measure(&server(keys.iter()), &samples)
    }

    /// Where there are few keys each has several tokens, so that none is remembered.
    fn in_turn(&mut self, keys: &[SigningKey]) -> f64 {
        let turn = keys.iter().cycle().take(self.tokens.max(keys.len()));
        let samples: Vec<_> = turn.flat_map(|key| tokens(key, 1)).collect();
        self.measure(&server(keys.iter()), &samples)
    }

    /// Every key is tried before the one that fits.
    fn unnamed(&mut self, count: usize) -> f64 {
        let keys: Vec<_> = (0..count).map(|_| SigningKey::generate(Algorithm::ES256)).collect();
        let samples = tokens(&keys[count - 1], self.tokens);
        self.measure(&server(keys.iter()), &samples)
    }

    fn only_of_its_kind(&mut self, others: &[SigningKey]) -> f64 {
        let key = SigningKey::generate(Algorithm::ES256);
        let samples = tokens(&key, self.tokens);
        self.measure(&server(others.iter().chain([&key])), &samples)
    }
}
