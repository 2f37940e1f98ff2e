//! When the metadata of an issuer is asked for, and how long it is used.
//!
//! Those who need the document wait for it only while there is none. One that has aged is looked up
//! again in the background; one that leads nowhere, since the keys are not where it says, is looked
//! up again by whoever finds that out. A look-up that fails changes nothing: the last good document
//! stays in use, up to a day past its freshness.
//!
//! There is one look-up at a time, a [flight](crate::flight) that others join; who waited for it then
//! looks at what it found. Those who wait are tasks of this crate's own and not requests.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, Uri};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::document::{self, ServerMetadata};
use crate::clock::Timestamp;
use crate::fetch::{FetchErrorKind, GRACE};
use crate::flight::{self, Flight, Report, Waiting};
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
    looking: Mutex<Looking>,
}

struct Loaded {
    document: Arc<ServerMetadata>,
    lifetime: Lifetime,
}

/// How looking it up has gone and goes.
struct Looking {
    pace: Pace,
    /// How the last look-up ended.
    last: Result<(), MetadataError>,
    running: Option<Flight<()>>,
}

/// What one place answered.
enum Tried {
    Found(Arc<ServerMetadata>, Lifetime),
    /// It has no document: the next place may.
    Absent(StatusCode),
}

/// What a look-up found, and where.
type Outcome = Result<(Arc<ServerMetadata>, Lifetime, Uri), Failure<MetadataError>>;

impl Looking {
    /// A look-up that strangers cause starts no rest of its own: the fetch of keys does.
    fn succeeded(&mut self, now: Timestamp) {
        self.pace.succeeded(Reason::Aged, now);
        self.last = Ok(());
    }

    fn failed(&mut self, error: MetadataError, now: Timestamp) {
        self.pace.failed(Reason::Aged, now);
        self.last = Err(error);
    }
}

impl fmt::Debug for MetadataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataSource")
            .field("candidates", &self.candidates)
            .finish_non_exhaustive()
    }
}

impl MetadataSource {
    pub(crate) fn new(supplies: Supplies, candidates: Vec<Uri>, plain_loopback: bool) -> Self {
        let looking = Looking { pace: Pace::default(), last: Ok(()), running: None };
        let (loaded, looking) = (ArcSwapOption::empty(), Mutex::new(looking));
        Self { supplies, candidates, plain_loopback, loaded, looking }
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
            return Ok(self.look_up(held.as_ref()).await?);
        };
        if usable.lifetime.is_due(now) {
            self.join(Some(usable));
        }
        Ok(Arc::clone(&usable.document))
    }

    /// The document, if there is one that may be used; nobody is asked for it.
    pub(crate) fn held(&self, now: Timestamp) -> Option<Arc<ServerMetadata>> {
        let loaded = self.loaded.load();
        let usable = loaded.as_ref().filter(|loaded| loaded.lifetime.is_usable(now));
        usable.map(|loaded| Arc::clone(&loaded.document))
    }

    /// Has an aged document looked up again in the background.
    pub(crate) fn renew(self: &Arc<Self>, now: Timestamp) {
        let held = self.loaded.load_full();
        if held.as_ref().is_some_and(|held| held.lifetime.is_due(now)) {
            self.join(held.as_ref());
        }
    }

    /// Another document than `held`, which leads nowhere. `None` if there is none, or if it was
    /// looked up so lately that the fault must lie elsewhere.
    pub(crate) async fn other_than(
        self: &Arc<Self>,
        held: &Arc<ServerMetadata>,
    ) -> Option<Arc<ServerMetadata>> {
        let now = self.supplies.now();
        let loaded = self.loaded.load_full()?;
        let settled = loaded.lifetime.loaded.plus(SETTLED);
        if Arc::ptr_eq(&loaded.document, held) {
            // Loaded in the future means that the clock went back.
            if now < settled && now >= loaded.lifetime.loaded {
                return None;
            }
            let found = self.look_up(Some(&loaded)).await.ok()?;
            return (found != *held).then_some(found);
        }
        Some(Arc::clone(&loaded.document))
    }

    /// The document that comes after `held`, be it another caller who had it looked up.
    async fn look_up(
        self: &Arc<Self>,
        held: Option<&Arc<Loaded>>,
    ) -> Result<Arc<ServerMetadata>, MetadataError> {
        if let Some(waiting) = self.join(held) {
            waiting.ended().await;
        }
        if let Some(newer) = self.newer_than(held) {
            return Ok(Arc::clone(&newer.document));
        }
        Err(self.looking().last.err().unwrap_or(MetadataError::Runtime))
    }

    fn newer_than(&self, held: Option<&Arc<Loaded>>) -> Option<Arc<Loaded>> {
        let same = |loaded: &Arc<Loaded>| held.is_some_and(|held| Arc::ptr_eq(held, loaded));
        self.loaded.load_full().filter(|loaded| !same(loaded))
    }

    /// Joins the running look-up, or starts one if nothing newer is there and the pace allows.
    fn join(self: &Arc<Self>, held: Option<&Arc<Loaded>>) -> Option<Waiting<()>> {
        let now = self.supplies.now();
        let mut looking = self.looking();
        if looking.running.take_if(|running| running.is_overdue()).is_some() {
            self.lost(looking, now);
            return None;
        }
        if let Some(running) = &looking.running {
            return Some(running.wait());
        }
        if self.newer_than(held).is_some() || !looking.pace.allows(now) {
            return None;
        }
        let Ok(runtime) = Handle::try_current() else {
            self.lost(looking, now);
            return None;
        };
        let (running, report) = Flight::begin(self.longest());
        let waiting = running.wait();
        looking.running = Some(running);
        drop(looking);
        let (flier, lander) = (Arc::clone(self), Arc::clone(self));
        let land = move |outcome| lander.land(outcome, now, report);
        flight::fly(&runtime, async move { flier.try_all().await }, land);
        Some(waiting)
    }

    /// No runtime drives a look-up.
    fn lost(&self, mut looking: MutexGuard<'_, Looking>, now: Timestamp) {
        looking.failed(MetadataError::Runtime, now);
        drop(looking);
        self.report_failure(&MetadataError::Runtime.into(), now);
    }

    fn looking(&self) -> MutexGuard<'_, Looking> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn land(&self, outcome: Option<Outcome>, began: Timestamp, report: Report<()>) {
        let outcome = outcome.unwrap_or_else(|| Err(MetadataError::Runtime.into()));
        let now = flight::time_of_landing(&self.supplies.clock, began);
        if let Ok((document, lifetime, uri)) = &outcome {
            self.install(Arc::clone(document), *lifetime, uri);
        }
        let mut looking = self.looking();
        looking.running.take_if(|running| running.is_of(&report));
        match &outcome {
            Ok(_) => looking.succeeded(now),
            Err(failure) => looking.failed(failure.error, now),
        }
        drop(looking);
        if let Err(failure) = &outcome {
            self.report_failure(failure, now);
        }
        report.tell(());
    }

    fn install(&self, document: Arc<ServerMetadata>, lifetime: Lifetime, uri: &Uri) {
        let issuer = &*self.supplies.issuer;
        let shown = |uri: &Option<Uri>| uri.clone().map(tracing::field::display);
        let jwks_uri = shown(&document.jwks_uri);
        let introspection_endpoint = shown(&document.introspection_endpoint);
        tracing::info!(
            target: "tower_resource_server::keys",
            issuer, %uri, jwks_uri, introspection_endpoint, "metadata refreshed"
        );
        self.loaded.store(Some(Arc::new(Loaded { document, lifetime })));
        self.supplies.observe(&Event::MetadataRefreshed { issuer });
    }

    fn longest(&self) -> Duration {
        self.supplies.limits.timeout.saturating_add(GRACE)
    }

    /// Tries one place after the other, all of them within the time of one fetch.
    async fn try_all(&self) -> Outcome {
        let mut place = None;
        let outcome = timeout(self.longest(), self.try_each(&mut place)).await;
        outcome.unwrap_or_else(|_| {
            let late = Failure::from(MetadataError::Fetch(FetchErrorKind::Timeout));
            Err(Failure { uri: place.cloned(), ..late })
        })
    }

    /// `place` is the one that is being tried. Of those without a document, one in trouble is what
    /// is told, since the document may well be there.
    async fn try_each<'u>(&'u self, place: &mut Option<&'u Uri>) -> Outcome {
        let (mut absent, mut trouble) = (Vec::new(), None);
        for uri in &self.candidates {
            *place = Some(uri);
            match self.attempt(uri).await.map_err(|failure| failure.at(uri))? {
                Tried::Found(document, lifetime) => return Ok((document, lifetime, uri.clone())),
                Tried::Absent(status) => {
                    absent.push(format!("{uri} answered {}", status.as_u16()));
                    if !status.is_client_error() {
                        trouble.get_or_insert(MetadataError::Status);
                    }
                }
            }
        }
        Err(Failure::with_cause(trouble.unwrap_or(MetadataError::NotFound), absent.join(", ")))
    }

    async fn attempt(&self, uri: &Uri) -> Result<Tried, Failure<MetadataError>> {
        let answer = self.supplies.get(uri, ACCEPTED, self.supplies.limits).await;
        let answer = answer.map_err(|error| Failure::of_fetch(&error, MetadataError::Fetch))?;
        self.judge(&answer)
    }

    fn judge(&self, answer: &Response<Bytes>) -> Result<Tried, Failure<MetadataError>> {
        let status = answer.status();
        if status != StatusCode::OK {
            return Ok(Tried::Absent(status));
        }
        let document = document::read(answer, &self.supplies.issuer, self.plain_loopback)?;
        let now = self.supplies.now();
        Ok(Tried::Found(
            Arc::new(document),
            Lifetime::with_default(now, answer.headers(), DEFAULT_FRESH),
        ))
    }

    fn report_failure(&self, failure: &Failure<MetadataError>, now: Timestamp) {
        let Failure { error, cause, uri, .. } = failure;
        let (issuer, cause) = (&*self.supplies.issuer, cause.as_deref());
        let uri = uri.as_ref().map(tracing::field::display);
        let loaded = self.loaded.load();
        let kept = loaded.as_ref().is_some_and(|loaded| loaded.lifetime.is_usable(now));
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
