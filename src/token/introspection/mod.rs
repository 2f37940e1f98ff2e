//! Stage 2 for tokens that say nothing by themselves: their issuer is asked (RFC 7662).
//!
//! A token is sent in the body of a POST request, to the one endpoint of the one issuer that its
//! shape tells (`route`). What comes back is either a verdict on the token or a failure of somebody
//! else, and the two are never mixed: a verdict is remembered for a while (`memory`), a failure is
//! not. Many requests with one token make one call (`flight`).

mod answer;
mod assertion;
mod credentials;
mod flight;
mod form;
mod memory;
mod route;
mod signed;
mod trouble;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};

use self::answer::Negative;
pub(crate) use self::assertion::Assertion;
pub(crate) use self::credentials::{Credentials, TokenSource};
use self::flight::{Boarding, Flights, Outcome};
use self::form::Form;
use self::memory::Key;
pub(crate) use self::memory::{Memories, Memory};
pub(crate) use self::route::{Routes, Shapes};
pub(crate) use self::signed::SignedAnswers;
use self::trouble::Record;
use super::{Digest, TrustedIssuer, Vouched};
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::fetch::{GRACE, bounded};
use crate::keys::{IntrospectionError, MetadataSource, ServerMetadata, Supplies, Trouble};
use crate::observe::Event;

/// What an introspector is made of.
pub(crate) struct IntrospectorSettings {
    pub(crate) supplies: Supplies,
    pub(crate) location: Location,
    pub(crate) credentials: Credentials,
    pub(crate) shapes: Shapes,
    /// Whether to say that the token is an access token.
    pub(crate) hint: bool,
    pub(crate) audience_required: bool,
    pub(crate) signed: Option<SignedAnswers>,
    /// How many calls may be under way.
    pub(crate) concurrent: usize,
    /// How many may be begun in a second.
    pub(crate) a_second: u32,
}

/// Where the endpoint is.
#[derive(Debug)]
pub(crate) enum Location {
    At(Uri),
    /// Where the issuer's metadata says.
    Metadata(Arc<MetadataSource>),
}

/// Asks one issuer about tokens, as one client of it, for one server.
pub(crate) struct Introspector {
    settings: IntrospectorSettings,
    /// What is remembered holds its issuer, which holds this. So the memory belongs to the list of
    /// issuers, or neither would ever be dropped.
    memory: Weak<Memory>,
    flights: Flights,
    record: Record,
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IntrospectorSettings { location, credentials, .. } = &self.settings;
        f.debug_struct("Introspector")
            .field("location", location)
            .field("credentials", credentials)
            .finish_non_exhaustive()
    }
}

/// An answer to wait for.
pub(crate) type Asking = Pin<Box<dyn Future<Output = Outcome> + Send>>;

impl Introspector {
    pub(crate) fn new(settings: IntrospectorSettings, memory: &Arc<Memory>) -> Self {
        let (flights, record) = (Flights::new(settings.a_second), Record::default());
        Self { settings, memory: Arc::downgrade(memory), flights, record }
    }

    pub(crate) const fn shapes(&self) -> &Shapes {
        &self.settings.shapes
    }

    /// How the calls went of late.
    pub(crate) fn trouble(&self) -> Trouble {
        self.record.look()
    }

    /// From memory: an active token, or a refusal.
    pub(crate) fn known(&self, digest: &Digest, now: Timestamp) -> Option<Outcome> {
        let memory = self.memory.upgrade()?;
        memory.find(&memory.key(digest), now)
    }

    /// Asks the endpoint, or joins those who already ask about the same token. Never blocks.
    pub(crate) fn ask(
        self: &Arc<Self>,
        issuer: &Arc<TrustedIssuer>,
        token: &str,
        digest: Digest,
        now: Timestamp,
    ) -> Asking {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return self.unavailable(IntrospectionError::Runtime);
        };
        let Some(memory) = self.memory.upgrade() else {
            return self.unavailable(IntrospectionError::Runtime);
        };
        let key = memory.key(&digest);
        let waiting = match self.flights.board(self, key, now, || memory.find(&key, now)) {
            Boarding::Known(outcome) => return Box::pin(std::future::ready(outcome)),
            Boarding::Full => return self.unavailable(IntrospectionError::Busy),
            Boarding::Joined(waiting) => waiting,
            Boarding::First(landing, waiting) => {
                landing.fly(&runtime, Arc::clone(issuer), token.to_owned());
                waiting
            }
        };
        Box::pin(async move {
            waiting.ended().await.unwrap_or(Err(RejectionKind::IntrospectionUnavailable))
        })
    }

    fn unavailable(&self, error: IntrospectionError) -> Asking {
        self.report(error);
        Box::pin(std::future::ready(Err(RejectionKind::IntrospectionUnavailable)))
    }

    /// The longest a call takes: the fetch; where the endpoint is found by metadata, one of that, and
    /// both once more if it has moved; where the answer is signed, those that keys may take.
    fn longest(&self) -> Duration {
        let fetch = self.settings.supplies.limits.timeout.saturating_add(GRACE);
        let metadata = if matches!(self.settings.location, Location::Metadata(_)) { 3 } else { 0 };
        let keys = if self.settings.signed.is_some() { 2 } else { 0 };
        fetch.saturating_mul(1 + metadata + keys)
    }

    /// One call to its end, and its verdict into memory. A failure is not remembered.
    async fn call(&self, key: Key, issuer: &Arc<TrustedIssuer>, token: String) -> Outcome {
        let outcome = match self.exchange(issuer, token).await {
            Ok(vouched) => Ok(Arc::new(vouched)),
            Err(Negative::Refused(kind)) => Err(kind),
            Err(Negative::Failed(error)) => {
                self.failed(error, self.settings.supplies.now());
                return Err(RejectionKind::IntrospectionUnavailable);
            }
        };
        self.record.answered();
        if let Some(memory) = self.memory.upgrade() {
            memory.keep(key, &outcome, self.settings.supplies.now());
        }
        outcome
    }

    async fn exchange(
        &self,
        issuer: &Arc<TrustedIssuer>,
        token: String,
    ) -> Result<Vouched, Negative> {
        let settings = &self.settings;
        let supplies = &settings.supplies;
        let answer = self.answer(&token).await?;
        drop(token);
        let text = answer::body(&answer, self.expected())?;
        let text = match &settings.signed {
            None => text.to_owned(),
            Some(signed) => signed.open(text, issuer, &*supplies.clock).await?,
        };
        let now = supplies.now();
        let memory = self.memory.upgrade();
        answer::judge(text, issuer, settings.audience_required, |expires| {
            memory.map_or(now, |memory| memory.until(expires, now))
        })
    }

    async fn answer(&self, token: &str) -> Result<Response<Bytes>, IntrospectionError> {
        let source = match &self.settings.location {
            Location::At(endpoint) => {
                return self.send(self.request_to(endpoint, token, None)?).await;
            }
            Location::Metadata(source) => source,
        };
        let now = self.settings.supplies.now();
        let metadata = source.current(now).await.map_err(|_| IntrospectionError::Metadata)?;
        let answer = self.answer_by(&metadata, token).await;
        let moved = match &answer {
            Ok(answer) => [StatusCode::NOT_FOUND, StatusCode::GONE].contains(&answer.status()),
            Err(error) => *error == IntrospectionError::Metadata,
        };
        match moved.then(|| source.other_than(&metadata, now)) {
            Some(other) => match other.await {
                Some(other) => self.answer_by(&other, token).await,
                None => answer,
            },
            None => answer,
        }
    }

    /// Where that document says.
    async fn answer_by(
        &self,
        metadata: &ServerMetadata,
        token: &str,
    ) -> Result<Response<Bytes>, IntrospectionError> {
        let endpoint = metadata.introspection_endpoint.as_ref();
        let endpoint = endpoint.ok_or(IntrospectionError::Metadata)?;
        let methods = metadata.introspection_auth_methods.as_deref();
        self.send(self.request_to(endpoint, token, methods)?).await
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, IntrospectionError> {
        let supplies = &self.settings.supplies;
        let answer = bounded(&*supplies.fetch, request, supplies.limits).await;
        answer.map_err(|error| {
            let (issuer, cause) = (&*supplies.issuer, error.causes());
            tracing::warn!(target: TARGET, issuer, %error, cause, "introspection call failed");
            IntrospectionError::Fetch(error.kind())
        })
    }

    /// RFC 7662 §2.1. Neither a proof nor anything else of the client's request is in it.
    fn request_to(
        &self,
        endpoint: &Uri,
        token: &str,
        methods: Option<&[String]>,
    ) -> Result<Request<Bytes>, IntrospectionError> {
        let IntrospectorSettings { supplies, credentials, hint, .. } = &self.settings;
        let mut form = Form::default();
        form.add("token", token);
        if *hint {
            form.add("token_type_hint", "access_token");
        }
        let authorization = credentials.write(&mut form, methods, supplies.now())?;
        let mut request = Request::new(Bytes::from(form.into_body()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = endpoint.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(self.expected()));
        headers.insert(CONTENT_TYPE, FORM);
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        Ok(request)
    }

    const fn expected(&self) -> &'static str {
        match self.settings.signed {
            Some(_) => signed::MEDIA_TYPE,
            None => "application/json",
        }
    }

    /// A call has failed.
    fn failed(&self, error: IntrospectionError, now: Timestamp) {
        self.record.failed(error, now);
        self.report(error);
    }

    fn report(&self, error: IntrospectionError) {
        let supplies = &self.settings.supplies;
        let issuer = &*supplies.issuer;
        // Where the metadata says where to ask, the log of the metadata names its place.
        let endpoint = match &self.settings.location {
            Location::At(endpoint) => Some(tracing::field::display(endpoint)),
            Location::Metadata(_) => None,
        };
        if error == IntrospectionError::Refused {
            tracing::error!(target: TARGET, issuer, endpoint, %error, "introspection failed");
        } else {
            tracing::warn!(target: TARGET, issuer, endpoint, %error, "introspection failed");
        }
        supplies.observe(&Event::IntrospectionFailed { issuer, error });
    }
}

const TARGET: &str = "tower_resource_server::introspection";
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
