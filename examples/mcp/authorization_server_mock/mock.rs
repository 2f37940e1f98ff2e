//! What the server remembers.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tower_resource_server::testing::{SigningKey, TestAuthorizationServer, TestIssuer};
use tower_resource_server::{Algorithm, Clock as _, SealedNonces};

use super::account::Session;
use super::authorize::Question;
use super::client::Client;
use super::expiring::Expiring;
use super::metadata;
use super::options::Options;
use super::scope::Scope;

pub(super) struct Mock {
    pub(super) options: Options,
    pub(super) issuer: TestIssuer,
    /// The kit's server, which answers with metadata and keys, and about tokens.
    pub(super) kit: TestAuthorizationServer,
    pub(super) nonces: SealedNonces,
    state: Mutex<State>,
}

impl Mock {
    pub(super) fn new(issuer: String, options: Options) -> Self {
        let key = SigningKey::generate(Algorithm::ES256).with_kid("mock-1");
        let issuer = TestIssuer::with_key(issuer, key).clock(options.clock.clone());
        let kit = metadata::describe(&TestAuthorizationServer::of(issuer.clone()), &options);
        let state = Mutex::new(State::new(options.capacity));
        Self { options, issuer, kit, nonces: SealedNonces::random(), state }
    }

    /// One request at a time: what is good once must not be good twice at the same time.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> SystemTime {
        self.options.clock.now()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.issuer())
    }

    pub(super) fn client(&self, state: &State, id: &str) -> Option<Client> {
        let known = self.options.clients.iter().find(|client| client.id == id);
        known.or_else(|| state.clients.get(id, self.now())).cloned()
    }
}

pub(super) struct State {
    pub(super) clients: Expiring<Client>,
    /// By the cookie.
    pub(super) sessions: Expiring<Session>,
    /// What people are asked at the moment, by the page's ticket.
    pub(super) questions: Expiring<Question>,
    pub(super) codes: Expiring<Code>,
    /// What came of the codes.
    pub(super) families: Expiring<Family>,
    pub(super) refresh_tokens: Expiring<RefreshToken>,
    /// The access tokens that introspection knows, with their families.
    pub(super) access_tokens: Expiring<Option<String>>,
    /// Proofs that were used.
    pub(super) proofs: Expiring<()>,
}

impl State {
    fn new(capacity: usize) -> Self {
        Self {
            clients: Expiring::new(capacity),
            sessions: Expiring::new(capacity),
            questions: Expiring::new(capacity),
            codes: Expiring::new(capacity),
            families: Expiring::new(capacity),
            refresh_tokens: Expiring::new(capacity),
            access_tokens: Expiring::new(capacity),
            proofs: Expiring::new(capacity),
        }
    }

    /// Ends all that came of a code (RFC 6749 §4.1.2, OAuth 2.1 §4.3.1).
    pub(super) fn revoke(&mut self, family: &str, kit: &TestAuthorizationServer) {
        self.families.remove(family);
        for token in self.access_tokens.remove_where(|of| of.as_deref() == Some(family)) {
            kit.revoke(&token);
        }
    }
}

/// What was granted to whom.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) subject: String,
    pub(super) scope: Scope,
    pub(super) resources: Vec<String>,
    /// How and when the person signed in (RFC 9470 §6.1). No person, no sign-in.
    pub(super) authentication: Option<(String, SystemTime)>,
}

pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    /// Of PKCE.
    pub(super) challenge: Option<String>,
    /// The key that the tokens are to be bound to (RFC 9449 §10).
    pub(super) dpop_jkt: Option<String>,
    pub(super) expires_at: SystemTime,
    /// What came of it, once it is spent. Codes are remembered longer than they are good, since the
    /// second use of one tells that somebody has copied it.
    pub(super) family: Option<String>,
}

/// The tokens that stem from one code.
#[derive(Clone)]
pub(super) struct Family {
    pub(super) grant: Grant,
    /// The key that a public client's refresh tokens are bound to (RFC 9449 §5).
    pub(super) jkt: Option<String>,
    pub(super) ends_at: SystemTime,
}

pub(super) struct RefreshToken {
    pub(super) family: String,
    pub(super) spent: bool,
}
