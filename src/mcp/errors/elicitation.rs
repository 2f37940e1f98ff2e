//! URLs that a user has to visit before a call can go on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::call::Call;
use super::flow_id::FlowId;
use super::form::{Describe, json_response};
use super::text::{self, clean};
use super::url::ElicitationUrl;
use crate::mcp::{Revision, code};

const MOST: usize = 16;
const DEFAULT_MESSAGE: &str = "Consent is required to proceed";

/// What a client sends back with its next call. Not for logs.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct RequestState(pub(super) String);

impl fmt::Debug for RequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestState(..)")
    }
}

/// A URL that the user has to visit, with the id by which the visit is known here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Elicitation {
    id: FlowId,
    url: ElicitationUrl,
    message: Option<String>,
}

impl Elicitation {
    /// A visit to that URL.
    #[must_use]
    pub const fn new(id: FlowId, url: ElicitationUrl) -> Self {
        Self { id, url, message: None }
    }

    /// Why, for the user; without one, the message of the error stands here too.
    #[must_use]
    pub fn message(self, message: &str) -> Self {
        Self { message: Some(clean(message, text::SENTENCE)), ..self }
    }

    /// The id: keep it, with the user it was made for.
    #[must_use]
    pub const fn id(&self) -> &FlowId {
        &self.id
    }

    /// The URL.
    #[must_use]
    pub const fn url(&self) -> &ElicitationUrl {
        &self.url
    }
}

/// The call cannot go on before the user has visited URLs, such as those where they let this server
/// use an account elsewhere.
///
/// It is for the consent of third parties alone, **never** for access to this server itself: that is
/// what challenges are for. Each revision has its own form of it:
///
/// | revision | the client shows URLs | it does not, or has not said so |
/// |---|---|---|
/// | 2025-06-18 | – | tool result, links in its text |
/// | 2025-11-25 | error −32042 with `data.elicitations` | tool result |
/// | 2026-07-28 | `InputRequiredResult` with `inputRequests` | tool result |
///
/// [`ToolError::answer`](super::ToolError::answer) chooses. Where nothing is to be visited there is
/// neither of the two special forms.
///
/// ```
/// use serde_json::json;
/// use tower_resource_server::mcp::{Elicitation, FlowId, Revision, UrlElicitationRequired};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let id: FlowId = "550e8400-e29b-41d4-a716-446655440000".parse()?; // FlowId::random() otherwise
/// let visit = Elicitation::new(id, "https://mcp.example.com/connect/github".parse()?);
/// let required = UrlElicitationRequired::new([visit]).service("github").cause("token expired");
///
/// let message = "Consent is required to proceed (github: token expired)";
/// assert_eq!(required.to_error(Revision::V2025_11_25), Some(json!({
///     "code": -32042,
///     "message": "Consent is required to proceed",
///     "data": { "elicitations": [{
///         "mode": "url",
///         "elicitationId": "550e8400-e29b-41d4-a716-446655440000",
///         "url": "https://mcp.example.com/connect/github",
///         "message": message,
///     }]},
/// })));
/// assert_eq!(required.to_error(Revision::V2026_07_28), None); // the code must not be sent
/// # Ok(())
/// # }
/// /// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UrlElicitationRequired {
    elicitations: Vec<Elicitation>,
    message: Cow<'static, str>,
    service: Option<String>,
    cause: Option<String>,
    request_state: Option<RequestState>,
}

impl UrlElicitationRequired {
    /// All visits that are needed: up to 16, each with an id of its own. Further ones, and those
    /// that repeat an id, are left out.
    #[must_use]
    pub fn new(elicitations: impl IntoIterator<Item = Elicitation>) -> Self {
        let mut kept: Vec<Elicitation> = Vec::new();
        for elicitation in elicitations {
            if kept.len() < MOST && kept.iter().all(|other| other.id != elicitation.id) {
                kept.push(elicitation);
            }
        }
        Self {
            elicitations: kept,
            message: Cow::Borrowed(DEFAULT_MESSAGE),
            service: None,
            cause: None,
            request_state: None,
        }
    }

    /// Why, in one sentence; *Consent is required to proceed* without one.
    #[must_use]
    pub fn message(self, message: &str) -> Self {
        Self { message: clean(message, text::SENTENCE).into(), ..self }
    }

    /// The service that asks for the consent.
    #[must_use]
    pub fn service(self, service: &str) -> Self {
        Self { service: Some(clean(service, text::NAME)), ..self }
    }

    /// What that service gives as its reason. It is shown to the user, so no secret belongs here.
    #[must_use]
    pub fn cause(self, cause: &str) -> Self {
        Self { cause: Some(clean(cause, text::SENTENCE)), ..self }
    }

    /// `requestState` of the input-required result, which the client sends back with the next call.
    ///
    /// It passes through the client's hands and is sent as it stands here. Seal it (AEAD or HMAC)
    /// together with the user, the tool and a time to live, and check them when it comes back. No
    /// token belongs in it.
    #[must_use]
    pub fn request_state(self, state: impl Into<String>) -> Self {
        Self { request_state: Some(RequestState(state.into())), ..self }
    }

    /// The visits, in their order.
    #[must_use]
    pub fn elicitations(&self) -> &[Elicitation] {
        &self.elicitations
    }

    /// The error object −32042, for 2025-11-25 alone, and only if there is a URL to visit.
    #[must_use]
    pub fn to_error(&self, revision: Revision) -> Option<Value> {
        let has_code = revision == Revision::V2025_11_25 && !self.elicitations.is_empty();
        has_code.then(|| {
            json!({
                "code": code::URL_ELICITATION_REQUIRED,
                "message": self.message,
                "data": { "elicitations": self.list() },
            })
        })
    }

    /// The `InputRequiredResult`, from 2026-07-28 on, and only if there is a URL to visit.
    ///
    /// The keys of its `inputRequests` are the ids of the elicitations.
    #[must_use]
    pub fn to_input_required(&self, revision: Revision) -> Option<Value> {
        let has_form = revision >= Revision::V2026_07_28 && !self.elicitations.is_empty();
        has_form.then(|| {
            let requests: BTreeMap<_, _> =
                self.elicitations.iter().map(|one| self.request(one)).collect();
            let mut result = json!({ "resultType": "input_required", "inputRequests": requests });
            if let Some(state) = &self.request_state {
                result["requestState"] = state.0.as_str().into();
            }
            result
        })
    }

    fn request<'e>(&self, elicitation: &'e Elicitation) -> (&'e str, Value) {
        let params = json!({
            "mode": "url",
            "url": elicitation.url.as_str(),
            "message": self.message_of(elicitation),
        });
        (elicitation.id.as_str(), json!({ "method": "elicitation/create", "params": params }))
    }

    fn list(&self) -> Vec<Value> {
        let shown = |elicitation: &Elicitation| {
            json!({
                "mode": "url",
                "elicitationId": elicitation.id.as_str(),
                "url": elicitation.url.as_str(),
                "message": self.message_of(elicitation),
            })
        };
        self.elicitations.iter().map(shown).collect()
    }

    fn message_of(&self, elicitation: &Elicitation) -> String {
        elicitation.message.clone().unwrap_or_else(|| self.whole_message())
    }

    /// With service and cause, as far as they are known.
    fn whole_message(&self) -> String {
        let message = &self.message;
        match (&self.service, &self.cause) {
            (None, None) => message.to_string(),
            (Some(service), None) => format!("{message} ({service})"),
            (service, Some(cause)) => {
                let service = service.as_deref().unwrap_or("unknown_service");
                format!("{message} ({service}: {cause})")
            }
        }
    }
}

impl Describe for UrlElicitationRequired {
    fn code(&self) -> &'static str {
        "URL_ELICITATION_REQUIRED"
    }

    fn status(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }

    fn text(&self) -> String {
        let mut text = self.whole_message();
        for elicitation in &self.elicitations {
            text.push_str("\nTo authorize, click: ");
            text.push_str(elicitation.url.as_str());
        }
        text
    }

    fn message(&self) -> String {
        self.whole_message()
    }

    fn meta(&self) -> Map<String, Value> {
        Map::from_iter([("elicitations".to_owned(), self.list().into())])
    }

    fn data(&self) -> Option<Value> {
        Some(json!({ "elicitations": self.list() }))
    }

    fn answer(&self, call: &Call) -> Answer {
        let revision = call.revision();
        let elicited = || {
            let error = self.to_error(revision).map(Answer::Error);
            error.or_else(|| self.to_input_required(revision).map(Answer::InputRequired))
        };
        let elicited = if call.shows_urls() { elicited() } else { None };
        elicited.unwrap_or_else(|| Answer::ToolResult(self.tool_result(revision)))
    }

    fn response(&self, _: &Call) -> Response<Bytes> {
        let body = json!({
            "error": "consent_required",
            "message": self.whole_message(),
            "elicitations": self.list(),
        });
        json_response(self.status(), &body)
    }
}

impl fmt::Display for UrlElicitationRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole_message())
    }
}

impl std::error::Error for UrlElicitationRequired {}
