//! A connection to an MCP server: the revision, the session, and the token.

use http::{HeaderValue, Request, StatusCode, header};
use serde_json::{Value, json};
use tower_resource_server::mcp::Revision;

use super::discovery::{self, AuthorizationServer};
use super::grant::{self, Client, Token};
use super::http::{Answer, Failure, Http};
use super::message::{self, Message};
use super::outcome::Outcome;
use super::proof::{self, ProofKey};
use super::registration;

pub(crate) struct Connection<'a> {
    http: &'a Http,
    url: &'a str,
    revision: Revision,
    session: Option<String>,
    registered: Option<Registered>,
    pub(crate) token: Option<Token>,
    /// Tokens are bound to it, where the client has one (DPoP).
    key: Option<ProofKey>,
    next_id: u32,
}

/// Where the client gets its tokens, and what it is called there.
#[derive(Clone)]
struct Registered {
    server: AuthorizationServer,
    client_id: String,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(http: &'a Http, url: &'a str, revision: Revision) -> Self {
        let (session, registered, token, key) = (None, None, None, None);
        Self { http, url, revision, session, registered, token, key, next_id: 0 }
    }

    /// Another one to the same server, by the same client.
    pub(crate) fn beside(&self, revision: Revision) -> Self {
        let registered = self.registered.clone();
        Self { registered, ..Self::new(self.http, self.url, revision) }
    }

    /// Has its tokens bound to a new key.
    pub(crate) fn with_key(self) -> Self {
        Self { key: Some(ProofKey::generate()), ..self }
    }

    /// The first request: `server/discover`, or `initialize` where there are sessions.
    pub(crate) async fn hello(&mut self) -> Result<Outcome, Failure> {
        if !self.revision.has_sessions() {
            return self.send("server/discover", None, json!({})).await;
        }
        let outcome = self.send("initialize", None, message::initialize(self.revision)).await?;
        if self.session.is_some() {
            self.notify("notifications/initialized").await?;
        }
        Ok(outcome)
    }

    /// Calls a tool. `rest` are parameters besides its name and arguments.
    pub(crate) async fn call(
        &mut self,
        tool: &str,
        arguments: Value,
        rest: Value,
    ) -> Result<Outcome, Failure> {
        let mut params = json!({ "name": tool, "arguments": arguments });
        if let (Value::Object(params), Value::Object(rest)) = (&mut params, rest) {
            params.extend(rest);
        }
        self.send("tools/call", Some(tool), params).await
    }

    /// Finds out from the challenge of a 401 where tokens are to be had, and registers there.
    pub(crate) async fn discover(&mut self, refused: &Answer) -> Result<(), Failure> {
        let server = discovery::discover(self.http, self.url, refused).await?;
        let client_id = registration::register(self.http, &server).await?;
        self.registered = Some(Registered { server, client_id });
        Ok(())
    }

    /// Has that user log in and grant these scopes.
    pub(crate) async fn log_in(&mut self, user: &str, scopes: &[String]) -> Result<(), Failure> {
        let (server, client) = self.registered()?;
        let token = grant::authorization_code(self.http, server, client, user, scopes).await?;
        self.token = Some(token);
        Ok(())
    }

    /// Gets a new access token without the user.
    pub(crate) async fn refresh(&mut self) -> Result<(), Failure> {
        let token = self.token.as_ref().and_then(|token| token.refresh_token.as_deref());
        let token = token.ok_or("there is no refresh token")?;
        let (server, client) = self.registered()?;
        let token = grant::refresh(self.http, server, client, token).await?;
        self.token = Some(token);
        Ok(())
    }

    fn registered(&self) -> Result<(&AuthorizationServer, Client<'_>), Failure> {
        let known = self.registered.as_ref().ok_or("no authorization server was found yet")?;
        Ok((&known.server, Client { id: &known.client_id, key: self.key.as_ref() }))
    }

    async fn send(
        &mut self,
        method: &str,
        name: Option<&str>,
        params: Value,
    ) -> Result<Outcome, Failure> {
        self.next_id += 1;
        let message = Message { method, name, params, id: Some(self.next_id) };
        let answer = self.post(&message).await?;
        if let Some(session) = answer.field("mcp-session-id") {
            self.session = Some(session.to_owned());
        }
        Outcome::of(answer)
    }

    async fn notify(&self, method: &str) -> Result<(), Failure> {
        let answer =
            self.post(&Message { method, name: None, params: json!({}), id: None }).await?;
        match answer.status {
            StatusCode::ACCEPTED => Ok(()),
            status => Err(format!("the notification was answered {status}").into()),
        }
    }

    async fn post(&self, message: &Message<'_>) -> Result<Answer, Failure> {
        let request = message.to_request(self.url, self.revision, self.session.as_deref())?;
        let request = self.authorized(request)?;
        self.http.send(request).await
    }

    fn authorized<B>(&self, mut request: Request<B>) -> Result<Request<B>, Failure> {
        let Some(token) = &self.token else { return Ok(request) };
        let scheme = if token.is_bound { "DPoP" } else { "Bearer" };
        let value = HeaderValue::try_from(format!("{scheme} {}", token.access_token))?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
        if let Some(key) = &self.key {
            let (method, uri) = ("POST", self.url);
            let token = Some(token.access_token.as_str());
            let proof = key.proof(&proof::Request { method, uri, token, nonce: None });
            request.headers_mut().insert("dpop", HeaderValue::try_from(proof)?);
        }
        Ok(request)
    }
}
