//! The drive, a third party at which users have to agree before a tool may act for them there.
//!
//! The page stands for the one of this server that leads on to the third party's authorization
//! endpoint (MCP, elicitation in URL mode). Such a page must have the user log in, and make sure that
//! it is the one whom the URL was made for: somebody may have been sent the URL of another. This one
//! lets whoever has the URL agree.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use tower_resource_server::mcp::{AuthorizationRequired, FlowId, ToolError};

/// As many as are asked at a time; whoever comes later takes the place of all before.
const MOST_PENDING: usize = 1000;

pub(super) struct Drive {
    base: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whom each URL was made for, by its id.
    pending: HashMap<String, String>,
    /// By user. They would be in a database.
    agreed: HashSet<String>,
}

impl Drive {
    pub(super) fn new(base: &str) -> Self {
        Self { base: base.to_owned(), state: Mutex::default() }
    }

    pub(super) fn has_agreed(&self, user: &str) -> bool {
        self.state().agreed.contains(user)
    }

    /// What to tell a user whose agreement that tool needs.
    pub(super) fn ask(&self, user: &str, tool: &str) -> Result<AuthorizationRequired, ToolError> {
        let id = FlowId::random()?;
        let link = format!("{}/connect/drive/{}", self.base, id.as_str()).parse()?;
        let mut state = self.state();
        if state.pending.len() >= MOST_PENDING {
            state.pending.clear();
        }
        state.pending.insert(id.as_str().to_owned(), user.to_owned());
        Ok(AuthorizationRequired::stateful("drive", tool).elicitation_id(id).link(link))
    }

    /// The page, open to all.
    pub(super) fn page(self: Arc<Self>) -> Router {
        let page = get(async move |Path(id): Path<String>| {
            if self.agree(&id) {
                (StatusCode::OK, "You have agreed. You may close this page.")
            } else {
                (StatusCode::NOT_FOUND, "There is nothing to agree to here.")
            }
        });
        Router::new().route("/connect/drive/{id}", page)
    }

    /// Each URL is good once.
    fn agree(&self, id: &str) -> bool {
        let mut state = self.state();
        let user = state.pending.remove(id);
        let is_known = user.is_some();
        state.agreed.extend(user);
        is_known
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
