//! When the metadata of an issuer is asked for, and how long it is used.
//!
//! Those who need the document wait for it only while there is none. One that has aged is looked up
//! again in the background; one that leads nowhere, since the keys are not where it says, is looked
//! up again by whoever finds that out. A look-up that fails changes nothing: the last good document
//! stays in use, up to a day past its freshness.
//!
//! The mutex of the flight is held while a look-up runs, so that there is one at a time; who waited
//! for it then looks at what the other found. It is a mutex of tokio's: a caller that goes away in
//! the middle leaves it free. Callers are tasks of this crate's own and not requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, Uri};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::document::{self, ServerMetadata};
use crate::clock::Timestamp;
use crate::fetch::{FetchErrorKind, GRACE};
use crate::keys::error::{Failure, MetadataError, RefreshError};
use crate::keys::schedule::{Lifetime, Pace, Reason};
use crate::keys::supplies::Supplies;
use crate::observe::Event;

const ACCEPTED: HeaderValue = HeaderValue::from_static("application/json");
/// How long a document is fresh that does not say so. It changes less often than keys.
const DEFAULT_FRESH: Duration = Duration::from_secs(60 * 60);
/// A document younger than this is not looked up again, wherever it leads.
const SETTLED: Duration = Duration::from_secs(60);

/// The metadata of one issuer, shared by all that need it.
pub(crate) struct MetadataSource {
    supplies: Supplies,
    /// Where the document may be, in the order they are tried.
    candidates: Vec<Uri>,
    /// Whether URLs of the document may be http on loopback.
    plain_loopback: bool,
    loaded: ArcSwapOption<Loaded>,
    flight: Mutex<Flight>,
}

struct Loaded {
    document: Arc<ServerMetadata>,
    lifetime: Lifetime,
}

struct Flight {
    pace: Pace,
    /// How the last look-up ended.
    last: Result<(), MetadataError>,
}

/// What one place answered.
enum Tried {
    Found(Arc<ServerMetadata>, Lifetime),
    /// It has no document: the next place may.
    Absent(StatusCode),
}

/// What a look-up found, and where.
type Outcome<'u> = Result<(Arc<ServerMetadata>, Lifetime, &'u Uri), Failure<MetadataError>>;

impl fmt::Debug for MetadataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataSource")
            .field("candidates", &self.candidates)
            .finish_non_exhaustive()
    }
}

impl MetadataSource {
    pub(crate) fn new(supplies: Supplies, candidates: Vec<Uri>, plain_loopback: bool) -> Self {
        let flight = Mutex::new(Flight { pace: Pace::default(), last: Ok(()) });
        Self { supplies, candidates, plain_loopback, loaded: ArcSwapOption::empty(), flight }
    }

    /// The document, looked up if there is none; for tasks, since that takes as long as a fetch. An
    /// aged one is renewed in the background.
    ///
    /// # Errors
    ///
    /// Why there is none. After a failure that answer stands, without a fetch, until the rest is
    /// over.
    pub(crate) async fn current(
        self: &Arc<Self>,
        now: Timestamp,
    ) -> Result<Arc<ServerMetadata>, RefreshError> {
        let held = self.loaded.load_full();
        let Some(usable) = held.as_ref().filter(|held| held.lifetime.is_usable(now)) else {
            return Ok(self.look_up(held).await?);
        };
        if usable.lifetime.is_due(now) {
            self.renew_in_background(usable);
        }
        Ok(Arc::clone(&usable.document))
    }

    /// The document, if there is one that may be used; nobody is asked for it.
    pub(crate) fn held(&self, now: Timestamp) -> Option<Arc<ServerMetadata>> {
        let loaded = self.loaded.load();
        let usable = loaded.as_ref().filter(|loaded| loaded.lifetime.is_usable(now));
        usable.map(|loaded| Arc::clone(&loaded.document))
    }

    /// Another document than `held`, which leads nowhere. `None` if there is none, or if it was
    /// looked up so lately that the fault must lie elsewhere.
    pub(crate) async fn other_than(
        &self,
        held: &Arc<ServerMetadata>,
        now: Timestamp,
    ) -> Option<Arc<ServerMetadata>> {
        let loaded = self.loaded.load_full()?;
        let settled = loaded.lifetime.loaded.plus(SETTLED);
        if Arc::ptr_eq(&loaded.document, held) {
            // Loaded in the future means that the clock went back.
            if now < settled && now >= loaded.lifetime.loaded {
                return None;
            }
            let found = self.look_up(Some(loaded)).await.ok()?;
            return (found != *held).then_some(found);
        }
        Some(Arc::clone(&loaded.document))
    }

    fn renew_in_background(self: &Arc<Self>, held: &Arc<Loaded>) {
        // While a look-up runs, or rests, another would find nothing to do.
        let idle =
            self.flight.try_lock().is_ok_and(|flight| flight.pace.allows(self.supplies.now()));
        let Some(runtime) = idle.then(tokio::runtime::Handle::try_current).and_then(Result::ok)
        else {
            return;
        };
        let (source, held) = (Arc::clone(self), Arc::clone(held));
        runtime.spawn(async move { source.look_up(Some(held)).await });
    }

    /// The document that comes after `held`, be it another caller who looked it up.
    async fn look_up(
        &self,
        held: Option<Arc<Loaded>>,
    ) -> Result<Arc<ServerMetadata>, MetadataError> {
        let mut flight = self.flight.lock().await;
        let now = self.supplies.now();
        let loaded = self.loaded.load_full();
        if let Some(newer) = loaded.filter(|loaded| !is_same(held.as_ref(), loaded)) {
            return Ok(Arc::clone(&newer.document));
        }
        if let (false, Err(error)) = (flight.pace.allows(now), flight.last) {
            return Err(error);
        }
        let outcome = self.try_all().await;
        self.settle(&mut flight, outcome)
    }

    fn settle(
        &self,
        flight: &mut Flight,
        outcome: Outcome<'_>,
    ) -> Result<Arc<ServerMetadata>, MetadataError> {
        let now = self.supplies.now();
        match outcome {
            Ok((document, lifetime, uri)) => {
                flight.pace.succeeded(Reason::Aged, now);
                flight.last = Ok(());
                Ok(self.install(document, lifetime, uri))
            }
            Err(failure) => {
                flight.pace.failed(Reason::Aged, now);
                flight.last = Err(failure.error);
                self.report_failure(&failure);
                Err(failure.error)
            }
        }
    }

    fn install(
        &self,
        document: Arc<ServerMetadata>,
        lifetime: Lifetime,
        uri: &Uri,
    ) -> Arc<ServerMetadata> {
        let issuer = &*self.supplies.issuer;
        let jwks_uri = document.jwks_uri.as_ref().map(tracing::field::display);
        tracing::info!(target: "tower_resource_server::keys", issuer, %uri, jwks_uri, "metadata refreshed");
        self.loaded.store(Some(Arc::new(Loaded { document: Arc::clone(&document), lifetime })));
        self.supplies.observe(&Event::MetadataRefreshed { issuer });
        document
    }

    /// Tries one place after the other, all of them within the time of one fetch.
    async fn try_all(&self) -> Outcome<'_> {
        let longest = self.supplies.limits.timeout.saturating_add(GRACE);
        let mut place = None;
        let outcome = timeout(longest, self.try_each(&mut place)).await;
        outcome.unwrap_or_else(|_| {
            let late = Failure::from(MetadataError::Fetch(FetchErrorKind::Timeout));
            Err(Failure { uri: place.cloned(), ..late })
        })
    }

    /// `place` is the one that is being tried.
    async fn try_each<'u>(&'u self, place: &mut Option<&'u Uri>) -> Outcome<'u> {
        let mut absent = Vec::new();
        for uri in &self.candidates {
            *place = Some(uri);
            match self.attempt(uri).await.map_err(|failure| failure.at(uri))? {
                Tried::Found(document, lifetime) => return Ok((document, lifetime, uri)),
                Tried::Absent(status) => absent.push(format!("{uri} answered {}", status.as_u16())),
            }
        }
        Err(Failure::with_cause(MetadataError::NotFound, absent.join(", ")))
    }

    async fn attempt(&self, uri: &Uri) -> Result<Tried, Failure<MetadataError>> {
        let answer = self.supplies.get(uri, ACCEPTED, self.supplies.limits).await;
        let answer = answer.map_err(|error| Failure::of_fetch(&error, MetadataError::Fetch))?;
        self.judge(&answer)
    }

    fn judge(&self, answer: &Response<Bytes>) -> Result<Tried, Failure<MetadataError>> {
        let status = answer.status();
        if status.is_client_error() {
            return Ok(Tried::Absent(status));
        }
        if status != StatusCode::OK {
            return Err(Failure::of_status(MetadataError::Status, status));
        }
        let document = document::read(answer, &self.supplies.issuer, self.plain_loopback)?;
        let now = self.supplies.now();
        Ok(Tried::Found(
            Arc::new(document),
            Lifetime::with_default(now, answer.headers(), DEFAULT_FRESH),
        ))
    }

    fn report_failure(&self, failure: &Failure<MetadataError>) {
        let Failure { error, cause, uri, .. } = failure;
        let (issuer, cause) = (&*self.supplies.issuer, cause.as_deref());
        let uri = uri.as_ref().map(tracing::field::display);
        let kept = self.loaded.load().is_some();
        // Another issuer in place of ours is no outage: somebody has to look.
        if *error == MetadataError::OtherIssuer {
            tracing::error!(
                target: "tower_resource_server::keys",
                issuer, uri, %error, cause, old_document_kept = kept, "metadata refresh failed"
            );
        } else {
            tracing::warn!(
                target: "tower_resource_server::keys",
                issuer, uri, %error, cause, old_document_kept = kept, "metadata refresh failed"
            );
        }
        self.supplies.observe(&Event::MetadataRefreshFailed { issuer, error: *error });
    }
}

fn is_same(held: Option<&Arc<Loaded>>, loaded: &Arc<Loaded>) -> bool {
    held.is_some_and(|held| Arc::ptr_eq(held, loaded))
}
