//! What a refresh does, and what of an answer is believed.
//!
//! An answer counts if its status is 200, its content type is that of JSON or absent, its size
//! within the limit, and its body a JWK Set. If none of its keys is usable although it has some,
//! the old set stays: that is an accident. An empty list is obeyed: that is a decision.
//!
//! With metadata, the set is where that says. When it is not there, or when it is fetched for a key
//! that it lacked, the metadata is looked up once more: the set may have moved.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};

use super::{Loaded, Location, RemoteKeys};
use crate::keys::discovery::{MetadataSource, ServerMetadata};
use crate::keys::error::{Failure, MetadataError, RefreshError};
use crate::keys::lookup::KeySet;
use crate::keys::schedule::{Lifetime, Reason};
use crate::keys::set::JwkSet;
use crate::media_type;
use crate::observe::Event;

const ACCEPTED: HeaderValue =
    HeaderValue::from_static("application/jwk-set+json, application/json");

impl RemoteKeys {
    pub(super) async fn refresh(&self, reason: Reason) -> Result<(), Failure<RefreshError>> {
        match &self.settings.location {
            Location::Uri(uri) => self.load(uri).await,
            Location::Metadata(source) => self.discover(source, reason).await,
        }
    }

    async fn discover(
        &self,
        source: &Arc<MetadataSource>,
        reason: Reason,
    ) -> Result<(), Failure<RefreshError>> {
        let metadata = source.current(self.now()).await;
        let metadata = metadata.map_err(|error| Failure::from(error).told())?;
        if reason == Reason::Unverified {
            let newest = source.other_than(&metadata).await.unwrap_or(metadata);
            return self.load_of(&newest).await;
        }
        let Err(failure) = self.load_of(&metadata).await else { return Ok(()) };
        match source.other_than(&metadata).await {
            Some(newer) if newer.jwks_uri != metadata.jwks_uri => self.load_of(&newer).await,
            _ => Err(failure),
        }
    }

    async fn load_of(&self, metadata: &ServerMetadata) -> Result<(), Failure<RefreshError>> {
        let missing = || Failure::with_cause(MetadataError::JwksUri.into(), "there is none");
        let uri = metadata.jwks_uri.as_ref().ok_or_else(missing)?;
        self.load(uri).await
    }

    async fn load(&self, uri: &Uri) -> Result<(), Failure<RefreshError>> {
        let supplies = &self.settings.supplies;
        let answer = supplies.get(uri, ACCEPTED, supplies.limits).await;
        answer
            .map_err(|error| Failure::of_fetch(&error, RefreshError::Fetch))
            .and_then(|answer| self.install(&answer))
            .map_err(|failure| failure.at(uri))
    }

    fn install(&self, answer: &Response<Bytes>) -> Result<(), Failure<RefreshError>> {
        check_head(answer)?;
        let set = JwkSet::from_json(answer.body()).map_err(|_| RefreshError::NotAKeySet)?;
        let keys = KeySet::new(&set, &self.settings.allowed, self.settings.backend);
        // A set emptied on purpose is obeyed; one with nothing but unusable keys is an accident.
        if keys.len() == 0 && !keys.passed_over().is_empty() {
            let cause = format!("passed over: {:?}", keys.passed_over());
            return Err(Failure::with_cause(RefreshError::NoUsableKey, cause));
        }
        let lifetime = Lifetime::new(self.now(), answer.headers());
        let keys = Arc::new(keys);
        // Counted first: whoever still sees the old set then knows that there is another.
        let generation = self.generation.fetch_add(1, Ordering::Release) + 1;
        let loaded = Loaded { keys: Arc::clone(&keys), lifetime, generation };
        self.loaded.store(Some(Arc::new(loaded)));
        self.keep_quiet(lifetime.loaded, lifetime.due);
        self.report_success(&keys);
        Ok(())
    }

    fn report_success(&self, keys: &KeySet) {
        let issuer = &*self.settings.supplies.issuer;
        let (usable, passed_over) = (keys.len(), keys.passed_over());
        tracing::info!(
            target: "tower_resource_server::keys",
            issuer,
            usable,
            skipped = ?passed_over,
            "keys refreshed"
        );
        let skipped = passed_over.values().sum();
        self.settings.supplies.observe(&Event::KeysRefreshed { issuer, usable, skipped });
    }
}

fn check_head(answer: &Response<Bytes>) -> Result<(), Failure<RefreshError>> {
    if answer.status() != StatusCode::OK {
        return Err(Failure::of_status(RefreshError::Status, answer.status()));
    }
    if !is_json(answer.headers()) {
        return Err(RefreshError::ContentType.into());
    }
    Ok(())
}

/// RFC 7517 §8.5 names the first type; servers use the second as often. Absent is tolerated.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    ["application/jwk-set+json", "application/json"]
        .iter()
        .any(|accepted| media_type::is(value, accepted))
}
