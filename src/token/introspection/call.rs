//! One call to the endpoint, and what came of it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};

use super::answer::{self, Negative};
use super::flight::Outcome;
use super::form::Form;
use super::memory::Key;
use super::{Failure, IntrospectionError, Introspector, IntrospectorSettings, Location, signed};
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::fetch::{FetchErrorKind, bounded};
use crate::keys::ServerMetadata;
use crate::token::{TrustedIssuer, Vouched};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// What an endpoint answered, and when it was asked.
struct Answered {
    endpoint: Uri,
    asked: Timestamp,
    answer: Response<Bytes>,
}

impl Introspector {
    /// One call to its end, and its verdict into memory. A failure is not remembered.
    pub(super) async fn call(
        &self,
        key: Key,
        issuer: &Arc<TrustedIssuer>,
        token: String,
    ) -> Outcome {
        let outcome = match self.exchange(issuer, token).await {
            Ok(vouched) => Ok(Arc::new(vouched)),
            Err(Negative::Refused(kind)) => Err(kind),
            Err(Negative::Failed(failure)) => {
                self.failed(&failure, self.settings.supplies.now());
                return Err(RejectionKind::IntrospectionUnavailable);
            }
        };
        self.record.answered();
        if let Some(memory) = self.memory.upgrade() {
            memory.keep(key, &outcome, self.settings.supplies.now());
        }
        outcome
    }

    /// One that took too long in all, though no fetch of it did.
    pub(super) fn late(&self) -> Outcome {
        let error = IntrospectionError::Fetch(FetchErrorKind::Timeout);
        self.failed(&error.into(), self.settings.supplies.now());
        Err(RejectionKind::IntrospectionUnavailable)
    }

    async fn exchange(
        &self,
        issuer: &Arc<TrustedIssuer>,
        token: String,
    ) -> Result<Vouched, Negative> {
        let answered = self.answer(&token).await?;
        drop(token);
        self.read(&answered, issuer).await.map_err(|negative| negative.at(&answered.endpoint))
    }

    async fn read(
        &self,
        answered: &Answered,
        issuer: &Arc<TrustedIssuer>,
    ) -> Result<Vouched, Negative> {
        let IntrospectorSettings { supplies, policy, signed, .. } = &self.settings;
        let text = answer::body(&answered.answer, self.expected())?;
        let text = match signed {
            None => text.to_owned(),
            Some(signed) => signed.open(text, issuer, answered.asked, &*supplies.clock).await?,
        };
        // From the question on: the answer may be as old as that.
        let (asked, memory) = (answered.asked, self.memory.upgrade());
        answer::judge(text, issuer, *policy, |expires| {
            memory.map_or(asked, |memory| memory.until(expires, asked))
        })
    }

    async fn answer(&self, token: &str) -> Result<Answered, Failure> {
        let source = match &self.settings.location {
            Location::At(endpoint) => return self.ask_at(endpoint, token, None).await,
            Location::Metadata(source) => source,
        };
        let now = self.settings.supplies.now();
        let unknown = |cause: String| Failure::with_cause(IntrospectionError::Metadata, cause);
        let metadata = source.current(now).await.map_err(|error| unknown(error.to_string()))?;
        let answered = self.answer_by(&metadata, token).await;
        let moved = match &answered {
            Ok(Answered { answer, .. }) => {
                [StatusCode::NOT_FOUND, StatusCode::GONE].contains(&answer.status())
            }
            Err(failure) => failure.error == IntrospectionError::Metadata,
        };
        match moved.then(|| source.other_than(&metadata)) {
            Some(other) => match other.await {
                Some(other) => self.answer_by(&other, token).await,
                None => answered,
            },
            None => answered,
        }
    }

    /// Where that document says.
    async fn answer_by(&self, metadata: &ServerMetadata, token: &str) -> Result<Answered, Failure> {
        let cause = "it names none that can be used";
        let missing = || Failure::with_cause(IntrospectionError::Metadata, cause);
        let endpoint = metadata.introspection_endpoint.as_ref().ok_or_else(missing)?;
        self.ask_at(endpoint, token, metadata.introspection_auth_methods.as_deref()).await
    }

    async fn ask_at(
        &self,
        endpoint: &Uri,
        token: &str,
        methods: Option<&[String]>,
    ) -> Result<Answered, Failure> {
        let supplies = &self.settings.supplies;
        let asked = supplies.now();
        let request = self.request_to(endpoint, token, methods, asked)?;
        let answer = bounded(&*supplies.fetch, request, supplies.limits).await;
        let answer = answer
            .map_err(|error| Failure::of_fetch(&error, IntrospectionError::Fetch).at(endpoint))?;
        Ok(Answered { endpoint: endpoint.clone(), asked, answer })
    }

    /// RFC 7662 §2.1. Neither a proof nor anything else of the client's request is in it.
    fn request_to(
        &self,
        endpoint: &Uri,
        token: &str,
        methods: Option<&[String]>,
        now: Timestamp,
    ) -> Result<Request<Bytes>, Failure> {
        let IntrospectorSettings { credentials, hint, .. } = &self.settings;
        let mut form = Form::default();
        form.add("token", token);
        if *hint {
            form.add("token_type_hint", "access_token");
        }
        let authorization = credentials.write(&mut form, methods, now);
        let authorization = authorization.map_err(|failure| failure.at(endpoint))?;
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
}
