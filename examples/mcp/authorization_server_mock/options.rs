//! What can be set.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tower_resource_server::{Clock, SystemClock};

use super::client::Client;
use super::scope::Scope;

/// Who consents.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Consent {
    /// The person at the browser does at once, and sees nothing of it.
    Automatic,
    /// The person at the browser is asked by a page.
    Page,
}

pub(crate) struct Options {
    /// The issuer identifier, where clients call the server by another name than that of its
    /// socket.
    pub(crate) issuer: Option<String>,
    /// The resources that tokens are issued for; any if there are none.
    pub(crate) resources: Vec<String>,
    /// The scopes there are.
    pub(crate) scopes_supported: Scope,
    /// What is granted at most; the rest of a request is left out.
    pub(crate) scopes_granted: Option<Scope>,
    /// The authentication context classes there are. The first is that of an ordinary sign-in.
    pub(crate) acr_values: Vec<String>,
    pub(crate) token_lifetime: Duration,
    /// Whether DPoP proofs need a nonce of this server.
    pub(crate) require_nonce: bool,
    pub(crate) consent: Consent,
    /// Clients that need not register.
    pub(crate) clients: Vec<Client>,
    /// The resource server, as a client of the introspection endpoint.
    pub(crate) introspection_client: (String, String),
    /// How many it keeps of each: clients, codes, sessions, tokens, proofs.
    pub(crate) capacity: usize,
    pub(crate) clock: SharedClock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            issuer: None,
            resources: Vec::new(),
            scopes_supported: Scope::of([
                "files:read",
                "files:write",
                "files:delete",
                "tools/read",
                "tools/write",
            ]),
            scopes_granted: None,
            acr_values: vec!["urn:example:password".to_owned(), "urn:example:mfa".to_owned()],
            token_lifetime: Duration::from_secs(300),
            require_nonce: false,
            consent: Consent::Automatic,
            clients: Vec::new(),
            introspection_client: ("example-api".to_owned(), "example-secret".to_owned()),
            capacity: 4096,
            clock: SharedClock::default(),
        }
    }
}

impl Options {
    /// What can be granted of that.
    pub(super) fn limited(&self, asked: &Scope) -> Scope {
        self.scopes_granted.as_ref().map_or_else(|| asked.clone(), |most| asked.and(most))
    }
}

/// The clock of the tokens and of all that expires; tests hold it still.
#[derive(Clone, Debug)]
pub(crate) struct SharedClock(pub(crate) Arc<dyn Clock>);

impl Default for SharedClock {
    fn default() -> Self {
        Self(Arc::new(SystemClock::default()))
    }
}

impl Clock for SharedClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}
