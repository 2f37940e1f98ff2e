//! The requests that are timed and counted.

use http::StatusCode;
use tokio::runtime::Runtime;
use tower_resource_server::Algorithm;
use tower_resource_server::testing::{Flaw, SigningKey, TokenBuilder};

use crate::authority::Authority;
use crate::contestant::Contestant;
use crate::contestants::Demand;
use crate::requests::{Template, anonymous, bearer, dpop, proof, sent};
use crate::roster::{Entry, Kind};

/// How many tokens come in turn.
pub const TOKENS: usize = 10_000;

/// Requests of one kind.
pub struct Path {
    /// Heads the column.
    pub name: &'static str,
    /// What all have to answer.
    pub expected: StatusCode,
    /// Whether each round starts with empty caches, but with the keys loaded.
    pub fresh: bool,
    /// Whether the signature of the token has to be verified.
    pub first_sight: bool,
    /// Sent beforehand.
    warm: Vec<Template>,
    /// The round's requests, so many.
    batch: Box<dyn Fn(usize, usize) -> Vec<Template>>,
}

impl Path {
    fn new(name: &'static str, expected: StatusCode, warm: Vec<Template>) -> Self {
        let again = warm[warm.len() - 1].clone();
        let batch = Box::new(move |_, size| vec![again.clone(); size]);
        Self { name, expected, fresh: false, first_sight: false, warm, batch }
    }

    fn batches(mut self, batch: impl Fn(usize, usize) -> Vec<Template> + 'static) -> Self {
        self.batch = Box::new(batch);
        self
    }

    /// That many requests for that round.
    #[must_use]
    pub fn batch(&self, round: usize, size: usize) -> Vec<Template> {
        (self.batch)(round, size)
    }

    /// Whether the entry takes part: a signature alone does where one is verified, the bare service
    /// where all are let through.
    #[must_use]
    pub fn is_for(&self, entry: &Entry) -> bool {
        match entry.kind {
            Kind::Layer => true,
            Kind::Bare => self.expected == StatusCode::OK,
            Kind::Signature => self.first_sight,
        }
    }

    /// A contestant that is warm.
    ///
    /// # Panics
    ///
    /// If it refuses to be built without a demand.
    #[must_use]
    pub fn ready(
        &self,
        entry: &Entry,
        authority: &Authority,
        runtime: &Runtime,
    ) -> Box<dyn Contestant> {
        let contestant = (entry.build)(authority, runtime, Demand::Valid);
        let mut contestant = contestant.expect("only demands may be unknown to it");
        contestant.run(runtime, self.warm.iter().map(sent).collect());
        contestant
    }

    /// A contestant that is warm and answers as it should.
    ///
    /// # Errors
    ///
    /// What it answers instead.
    pub fn checked(
        &self,
        entry: &Entry,
        authority: &Authority,
        runtime: &Runtime,
    ) -> Result<Box<dyn Contestant>, StatusCode> {
        let mut contestant = self.ready(entry, authority, runtime);
        match contestant.answer(runtime, sent(&self.batch(0, 1)[0])).status() {
            status if status != self.expected => Err(status),
            _ if self.fresh => Ok(self.ready(entry, authority, runtime)),
            _ => Ok(contestant),
        }
    }
}

/// With Bearer tokens.
#[must_use]
pub fn with_bearer(authority: &Authority) -> Vec<Path> {
    let token = || bearer(&authority.token().build());
    let tokens: Vec<_> = (0..TOKENS).map(|_| token()).collect();
    let refuse = |name, template| Path::new(name, StatusCode::UNAUTHORIZED, vec![template]);
    let once = token();
    let expired = bearer(&authority.token().flaw(Flaw::Expired).build());
    vec![
        Path::new("seen before", StatusCode::OK, vec![once.clone()]),
        in_turn(tokens.clone()),
        never_seen(once, tokens),
        refuse("no credentials", anonymous()),
        refuse("garbage", bearer("garbage")),
        refuse("expired", expired),
    ]
}

/// All were seen before, and come again one after the other.
fn in_turn(tokens: Vec<Template>) -> Path {
    Path::new("seen before, 10,000 in turn", StatusCode::OK, tokens.clone()).batches(
        move |round, size| {
            tokens.iter().cycle().skip(round * size % TOKENS).take(size).cloned().collect()
        },
    )
}

/// None was seen before. Another one was, so that the keys are there.
fn never_seen(other: Template, tokens: Vec<Template>) -> Path {
    let path = Path::new("never seen", StatusCode::OK, vec![other]);
    let path = path.batches(move |_, size| tokens[..size].to_vec());
    Path { fresh: true, first_sight: true, ..path }
}

/// With DPoP: a token bound to a key, and proofs made with that key.
#[must_use]
pub fn with_dpop(authority: &Authority) -> Vec<Path> {
    let client = Client::new(&authority.token());
    let used = client.request();
    let again = client.request();
    let issuer = authority.token();
    let new = move || Client::new(&issuer).request();
    vec![
        Path::new("token seen before, proof new", StatusCode::OK, vec![again])
            .batches(move |_, size| (0..size).map(|_| client.request()).collect()),
        Path::new("both new", StatusCode::OK, vec![new()])
            .batches(move |_, size| (0..size).map(|_| new()).collect()),
        Path::new("proof used before", StatusCode::UNAUTHORIZED, vec![used]),
    ]
}

/// A client with a key and a token.
struct Client {
    key: SigningKey,
    token: String,
}

impl Client {
    fn new(token: &TokenBuilder) -> Self {
        let key = SigningKey::generate(Algorithm::ES256);
        let token = token.clone().bound_to(&key).build();
        Self { key, token }
    }

    /// Each with a proof of its own.
    fn request(&self) -> Template {
        dpop(&self.token, &proof(&self.key, &self.token))
    }
}
