//! What MCP makes of the settings.
//!
//! It is applied once, before they are checked: defaults become those of an MCP server, and what was
//! chosen against it becomes a fault. So the rest of the checks need not know of it.

use std::sync::Arc;

use super::{Builder, Fault, Resource};
use crate::mcp::{Mcp, Origins, Revision, SealedSessions, SessionBinding, Transport, Versions};
use crate::render::JsonRpc;

/// More are a mistake, or the wrong tool.
const MOST_ORIGINS: usize = 256;

impl Builder {
    /// Makes the server an MCP server: challenges that MCP clients understand, errors in JSON-RPC, the
    /// metadata document where they look for it, and the rules of the transport for the layer of
    /// [`ResourceServer::mcp`](crate::ResourceServer::mcp).
    ///
    /// [`Mcp`] lists what follows from it. Settings may be made before and after; those that
    /// contradict MCP are faults. The [guide](crate::guide::mcp) has a whole server.
    ///
    /// ```
    /// use tower_resource_server::mcp::Mcp;
    /// # use tower_resource_server::testing::TestIssuer;
    ///
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// # let issuer = TestIssuer::new("https://as.example.com");
    /// let server = issuer.resource_server("https://mcp.example.com/mcp").mcp(Mcp::new()).build()?;
    ///
    /// // Several clients cannot take a line of two challenges apart.
    /// let builder = issuer.resource_server("https://mcp.example.com/mcp").mcp(Mcp::new());
    /// let error = builder.challenges_in_one_line().build().expect_err("a fault");
    /// assert_eq!(error.faults()[0].setting(), "challenges_in_one_line");
    /// # Ok::<(), tower_resource_server::ConfigError>(())
    /// ```
    pub fn mcp(mut self, mcp: Mcp) -> Self {
        self.mcp = Some(mcp);
        self
    }

    /// The settings as an MCP server has them, where it is to be one.
    pub(super) fn serving_mcp(mut self, faults: &mut Vec<Fault>) -> Self {
        if self.mcp.is_none() {
            return self;
        }
        self.check_challenges(faults);
        self.check_discovery(faults);
        if self.any_audience {
            let problem =
                "accept_any_audience() contradicts MCP: a token has to be meant for this server";
            let mend = "name the audiences with audience() or audience_name()";
            faults.push(Fault::new("danger", problem, mend));
        }
        self.warn_of_slash();
        self.metadata = self.metadata.root_alias();
        self.hooks.envelope.get_or_insert_with(|| Arc::new(JsonRpc::default()));
        self
    }

    pub(super) const fn is_mcp(&self) -> bool {
        self.mcp.is_some()
    }

    /// An MCP server of no revision that knows the error codes of 2026-07-28.
    pub(super) fn is_legacy(&self) -> bool {
        self.is_mcp() && self.revisions().iter().all(|revision| revision.has_sessions())
    }

    fn revisions(&self) -> &[Revision] {
        let chosen = self.mcp.as_ref().and_then(|mcp| mcp.revisions.as_deref());
        chosen.unwrap_or(Revision::ALL)
    }

    /// MCP clients read the first line of the field, and know the scheme Bearer.
    fn check_challenges(&self, faults: &mut Vec<Fault>) {
        if self.order.dpop_first {
            let problem =
                "MCP clients that know Bearer alone find no challenge that they understand";
            faults.push(Fault::new("dpop_challenge_first", problem, "leave it out"));
        }
        if self.order.one_line {
            let problem = "MCP clients cannot take a line of several challenges apart";
            faults.push(Fault::new("challenges_in_one_line", problem, "leave it out"));
        }
    }

    fn check_discovery(&self, faults: &mut Vec<Fault>) {
        if !self.advertise_metadata && self.revisions().contains(&Revision::V2025_06_18) {
            let problem = "MCP 2025-06-18 demands resource_metadata in challenges";
            let mend = "leave it out, or leave 2025-06-18 out of Mcp::revisions()";
            faults.push(Fault::new("hide_metadata", problem, mend));
        }
        // That nobody is trusted at all is a fault of its own.
        if self.resolver.is_some() && self.named_issuers().is_empty() {
            let problem =
                "the metadata document names no authorization server, and MCP demands one";
            let mend = "name one with issuer(), or by name in AllowedIssuers";
            faults.push(Fault::new("mcp", problem, mend));
        }
    }

    /// MCP 2026-07-28, canonical server URI: clients may leave a slash at the end out.
    fn warn_of_slash(&self) {
        if self.resource.ends_with('/') {
            tracing::warn!(target: "tower_resource_server::config", resource = %self.resource, "the resource identifier of an MCP server ends with a slash, which clients may leave out");
        }
    }

    /// What the layer needs to know.
    pub(super) fn mcp_transport(
        &self,
        resource: &Resource,
        faults: &mut Vec<Fault>,
    ) -> Option<Transport> {
        let mcp = self.mcp.as_ref()?;
        if self.revisions().is_empty() {
            let mend = "list the revisions that the application speaks, or leave it out";
            faults.push(Fault::new("mcp", "revisions() lists none", mend));
        }
        Some(Transport {
            versions: Versions::new(self.revisions().to_vec()),
            origins: checked_origins(mcp, resource, faults),
            sessions: checked_sessions(mcp, faults),
            demands_session: mcp.demands_session,
        })
    }
}

fn checked_origins(mcp: &Mcp, resource: &Resource, faults: &mut Vec<Fault>) -> Origins {
    let mut fault = |problem, mend: &'static str| faults.push(Fault::new("mcp", problem, mend));
    if mcp.origins.len() > MOST_ORIGINS {
        fault(format!("allowed_origins() lists more than {MOST_ORIGINS}"), "list fewer");
    }
    let mut origins = Origins::of(&resource.origin);
    for origin in &mcp.origins {
        if !origins.allow(origin) {
            let mend = "use scheme, host and port alone, such as https://app.example.com";
            fault(format!("{origin:?} is not an origin"), mend);
        }
    }
    origins
}

fn checked_sessions(mcp: &Mcp, faults: &mut Vec<Fault>) -> Option<SealedSessions> {
    match &mcp.binding {
        SessionBinding::Application => None,
        SessionBinding::Sealed(sessions) => Some(sessions.clone()),
        SessionBinding::Random => {
            let sessions = SealedSessions::try_random();
            if sessions.is_none() {
                let problem =
                    "the operating system gives no random bytes for the secret of sessions";
                let mend = "give a secret with SealedSessions::with_secret()";
                faults.push(Fault::new("mcp", problem, mend));
            }
            sessions
        }
    }
}
