//! An issuer that publishes metadata and keys at scripted URLs, and a server that discovers them.

use std::time::Duration;

use http::Uri;
use serde_json::{Value, json};
use tower_resource_server::testing::{FixedClock, ScriptedFetch, TestIssuer};
use tower_resource_server::{Builder, Issuer, ResourceServer};

use crate::keys::{DAY, Told};
use crate::observability::{Capture, Logged};
use crate::support::let_others_run;
use crate::support::{Answer, ISSUER, NOW, RESOURCE, present};

pub(super) const KEYS: &str = "tower_resource_server::keys";
pub(super) const OAUTH: &str = "https://as.example.com/.well-known/oauth-authorization-server";
pub(super) const OPENID: &str = "https://as.example.com/.well-known/openid-configuration";
pub(super) const JWKS: &str = "https://as.example.com/jwks";

/// Every URL answers 404 that nothing is published at.
pub(super) struct Realm {
    pub(super) issuer: TestIssuer,
    pub(super) clock: FixedClock,
    pub(super) fetch: ScriptedFetch,
    pub(super) told: Told,
    pub(super) server: ResourceServer,
}

impl Realm {
    /// Nothing is published yet.
    pub(super) fn empty() -> Self {
        Self::of(ISSUER, |builder| builder)
    }

    /// The issuer of that identifier, and more settings of the server.
    pub(super) fn of(identifier: &str, change: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = FixedClock::at(NOW);
        let issuer = TestIssuer::new(identifier).clock(clock.clone());
        let (fetch, told) = (ScriptedFetch::new(), Told::default());
        fetch.always(404, "text/plain", "no such page");
        let builder = ResourceServer::builder(RESOURCE).issuer(Issuer::discover(identifier));
        let builder = builder.clock(clock.clone()).fetch(fetch.clone()).observer(told.clone());
        let server = change(builder).build().expect("a valid configuration");
        Self { issuer, clock, fetch, told, server }
    }

    /// Metadata at the first place, keys where it says.
    pub(super) fn up() -> Self {
        let realm = Self::empty();
        realm.fetch.json_at(OAUTH, realm.document());
        realm.publish();
        realm
    }

    /// Up, and everything is loaded.
    pub(super) async fn loaded() -> Self {
        let realm = Self::up();
        realm.server.ready().await.expect("the keys are there");
        assert_eq!(realm.asked(), [OAUTH, JWKS]);
        realm
    }

    /// The metadata of the issuer: its keys are at [`JWKS`].
    pub(super) fn document(&self) -> Value {
        json!({ "issuer": self.issuer.issuer(), "jwks_uri": JWKS })
    }

    /// The metadata, if its keys are elsewhere.
    pub(super) fn document_with(&self, jwks_uri: &str) -> Value {
        json!({ "issuer": self.issuer.issuer(), "jwks_uri": jwks_uri })
    }

    /// The keys of the issuer, at [`JWKS`].
    pub(super) fn publish(&self) {
        self.fetch.json_at(JWKS, self.issuer.jwks_json());
    }

    pub(super) fn asked(&self) -> Vec<Uri> {
        self.fetch.requests()
    }

    pub(super) fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A token that is valid for ten days.
    pub(super) fn token(&self) -> String {
        self.issuer.token().expires_in(10 * DAY).build()
    }

    pub(super) async fn send(&self, token: &str) -> Answer {
        present(&self.server, token).await
    }

    /// A good token is accepted. What it started in the background is over afterwards.
    pub(super) async fn serves(&self) {
        self.send(&self.token()).await.assert_ok();
        let_others_run().await;
    }
}

/// The log events of refreshes that failed.
pub(super) fn failures(log: &Capture) -> Vec<Logged> {
    let failed = |event: &Logged| event.get("message").is_some_and(|text| text.ends_with("failed"));
    log.of(KEYS).into_iter().filter(failed).collect()
}
