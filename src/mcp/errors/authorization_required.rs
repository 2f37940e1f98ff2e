//! A tool needs a consent that the user has not given yet.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::call::Call;
use super::elicitation::{Elicitation, RequestState, UrlElicitationRequired};
use super::flow_id::FlowId;
use super::form::{Describe, json_response};
use super::text::{self, clean};
use super::url::ElicitationUrl;
use crate::charset;

/// Whether a server can take up a consent that is given later.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SessionMode {
    /// It keeps what users have consented to, so one more consent can be given by following a link.
    Stateful,
    /// It keeps nothing: what a user may do is in their token, so they have to authenticate anew.
    Stateless,
}

impl SessionMode {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stateful => "stateful",
            Self::Stateless => "stateless",
        }
    }
}

/// A tool needs access to an app that the user has not let this server use.
///
/// It is about the consent of a third party. That the token of the request does not suffice for this
/// server is another matter: then raise the [`Rejection`](crate::Rejection) of
/// [`Grant::require`](crate::Grant::require), which has a challenge. This error has none in any
/// form.
///
/// Where the server is [stateful](SessionMode::Stateful) and a URL is set, the user gets a link:
/// as an elicitation where the client can show one, else in the text. Otherwise the text tells them
/// to authenticate anew.
///
/// Names and messages are put in one line, without invisible characters, and cut: after 128
/// characters and after 1024. They may come from elsewhere; no secret belongs in them.
///
/// ```
/// use serde_json::json;
/// use tower_resource_server::mcp::{AuthorizationRequired, Call, Revision, ToolError};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let required = AuthorizationRequired::stateful("slack", "slack:send_message")
///     .link("https://mcp.example.com/connect/slack".parse()?)
///     .elicitation_id("elic-1".parse()?) // without one, a random id is made
///     .required_scopes(["chat:write"]);
/// assert_eq!(required.user_message(), "Authorization required for slack. Please authorize to use \
///     slack:send_message.\nClick here to authorize: https://mcp.example.com/connect/slack");
///
/// let error = ToolError::from(required);
/// assert_eq!(error.status(), 403);
/// let result = error.tool_result(Revision::V2025_06_18);
/// assert_eq!(result["isError"], true);
/// assert_eq!(result["_meta"]["auth_url"], "https://mcp.example.com/connect/slack");
/// # Ok(())
/// # }
/// /// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorizationRequired {
    app: String,
    tool: String,
    session_mode: SessionMode,
    incremental: bool,
    url: Option<ElicitationUrl>,
    required_scopes: Vec<String>,
    elicitation_id: Option<FlowId>,
    pending_id: Option<FlowId>,
    message: Option<String>,
    request_state: Option<RequestState>,
}

impl AuthorizationRequired {
    /// The server keeps consents. Without a [`link`](Self::link) the user is told what is needed and
    /// not how to give it.
    #[must_use]
    pub fn stateful(app: &str, tool: &str) -> Self {
        Self::new(app, tool, SessionMode::Stateful)
    }

    /// The server keeps nothing: the user has to authenticate anew.
    #[must_use]
    pub fn stateless(app: &str, tool: &str) -> Self {
        Self::new(app, tool, SessionMode::Stateless)
    }

    fn new(app: &str, tool: &str, session_mode: SessionMode) -> Self {
        Self {
            app: clean(app, text::NAME),
            tool: clean(tool, text::NAME),
            session_mode,
            incremental: session_mode == SessionMode::Stateful,
            url: None,
            required_scopes: Vec::new(),
            elicitation_id: None,
            pending_id: None,
            message: None,
            request_state: None,
        }
    }

    /// Where the user consents. It is not used where the server is stateless, nor after
    /// [`at_once`](Self::at_once).
    ///
    /// The elicitation gets a random id with it, unless it has one. If the operating system gives no
    /// random bytes there is none, and the link is shown in the text alone.
    #[must_use]
    pub fn link(self, url: ElicitationUrl) -> Self {
        let elicitation_id = self.elicitation_id.or_else(|| FlowId::random().ok());
        Self { url: Some(url), elicitation_id, ..self }
    }

    /// An id of the application's own for the elicitation.
    #[must_use]
    pub fn elicitation_id(self, id: FlowId) -> Self {
        Self { elicitation_id: Some(id), ..self }
    }

    /// By which the authorization that waits for the consent is found again.
    #[must_use]
    pub fn pending_id(self, id: FlowId) -> Self {
        Self { pending_id: Some(id), ..self }
    }

    /// The scopes to ask the third party for: up to 64, of up to 256 bytes. What is no scope (RFC
    /// 6749 §3.3) is left out.
    #[must_use]
    pub fn required_scopes<'s>(self, scopes: impl IntoIterator<Item = &'s str>) -> Self {
        let fits = |scope: &&str| scope.len() <= text::SCOPE && charset::is_scope_token(scope);
        let scopes = scopes.into_iter().filter(fits).take(text::SCOPES);
        Self { required_scopes: scopes.map(str::to_owned).collect(), ..self }
    }

    /// The app takes all consents at once: nothing can be added to what the user has given, so there
    /// is no link.
    #[must_use]
    pub fn at_once(self) -> Self {
        Self { incremental: false, ..self }
    }

    /// A message in place of the standard one.
    #[must_use]
    pub fn message(self, message: &str) -> Self {
        Self { message: Some(clean(message, text::SENTENCE)), ..self }
    }

    /// As [`UrlElicitationRequired::request_state`].
    #[must_use]
    pub fn request_state(self, state: impl Into<String>) -> Self {
        Self { request_state: Some(RequestState(state.into())), ..self }
    }

    /// Whether following a link suffices: there is one, and the server keeps what is consented to.
    #[must_use]
    pub fn can_use_link(&self) -> bool {
        self.usable_url().is_some()
    }

    /// The id that the elicitation has, where there is a link: keep it, with the user.
    #[must_use]
    pub fn elicitation(&self) -> Option<Elicitation> {
        let url = self.usable_url()?.clone();
        Some(Elicitation::new(self.elicitation_id.clone()?, url))
    }

    /// The same as a URL to visit, where there is a link.
    #[must_use]
    pub fn url_elicitation(&self) -> Option<UrlElicitationRequired> {
        let required = UrlElicitationRequired::new([self.elicitation()?]).message(&self.sentence());
        Some(match &self.request_state {
            Some(state) => required.request_state(state.0.as_str()),
            None => required,
        })
    }

    /// What is needed, as data: the body of the HTTP response.
    #[must_use]
    pub fn data(&self) -> Value {
        let mut data = self.members();
        data.insert("error".to_owned(), "authorization_required".into());
        data.insert("message".to_owned(), self.sentence().into());
        data.into()
    }

    /// What is needed, for a user interface that asks the user itself: `elicitId`, `authUrl`,
    /// `message`, `appId` and `toolId`. None where there is no link.
    #[must_use]
    pub fn elicit_response(&self) -> Option<Value> {
        let elicitation = self.elicitation()?;
        Some(json!({
            "elicitId": elicitation.id().as_str(),
            "authUrl": elicitation.url().as_str(),
            "message": self.sentence(),
            "appId": self.app,
            "toolId": self.tool,
        }))
    }

    /// The message and, where there is one, the link in a line of its own.
    #[must_use]
    pub fn user_message(&self) -> String {
        self.with_link("Click here to authorize: ")
    }

    /// For the user who has not consented.
    #[must_use]
    pub fn cancelled_message(&self) -> String {
        let tool = &self.tool;
        format!("Authorization was cancelled. You are not authorized to use {tool}.")
    }

    fn usable_url(&self) -> Option<&ElicitationUrl> {
        self.url.as_ref().filter(|_| self.incremental)
    }

    fn with_link(&self, lead: &str) -> String {
        match self.usable_url() {
            Some(url) => format!("{}\n{lead}{url}", self.sentence()),
            None => self.sentence(),
        }
    }

    fn sentence(&self) -> String {
        let Self { app, tool, .. } = self;
        match &self.message {
            Some(message) => message.clone(),
            None if self.incremental => {
                format!("Authorization required for {app}. Please authorize to use {tool}.")
            }
            None => format!(
                "You are not authorized to use {tool}. Please re-authenticate to access this tool."
            ),
        }
    }

    /// What data and `_meta` have in common.
    fn members(&self) -> Map<String, Value> {
        let elicitation = self.elicitation();
        let optional = [
            ("auth_url", self.usable_url().map(|url| url.as_str().into())),
            ("elicit_id", elicitation.map(|elicitation| elicitation.id().as_str().into())),
            ("required_scopes", some_list(&self.required_scopes)),
        ];
        let always = [
            ("app", self.app.as_str().into()),
            ("tool", self.tool.as_str().into()),
            ("session_mode", self.session_mode.as_str().into()),
            ("supports_incremental", self.incremental.into()),
        ];
        let there = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
        always.into_iter().chain(there).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn some_list(scopes: &[String]) -> Option<Value> {
    (!scopes.is_empty()).then(|| scopes.into())
}

impl Describe for AuthorizationRequired {
    fn code(&self) -> &'static str {
        "AUTHORIZATION_REQUIRED"
    }

    fn status(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }

    fn text(&self) -> String {
        self.with_link("To authorize, click: ")
    }

    fn message(&self) -> String {
        self.sentence()
    }

    fn meta(&self) -> Map<String, Value> {
        let mut meta = self.members();
        meta.insert("authorization_required".to_owned(), true.into());
        if let Some(id) = &self.pending_id {
            meta.insert("pending_auth_id".to_owned(), id.as_str().into());
        }
        meta
    }

    fn data(&self) -> Option<Value> {
        Some(self.data())
    }

    fn answer(&self, call: &Call) -> Answer {
        match self.url_elicitation() {
            Some(required) if call.shows_urls() => required.answer(call),
            _ => Answer::ToolResult(self.tool_result(call.revision())),
        }
    }

    fn response(&self, _: &Call) -> Response<Bytes> {
        json_response(self.status(), &self.data())
    }
}

impl fmt::Display for AuthorizationRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl std::error::Error for AuthorizationRequired {}
