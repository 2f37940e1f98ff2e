//! From the command line to a server that is about to serve.

use std::process::ExitCode;

use tokio::net::TcpListener;
use tower_resource_server::testing::TestAuthorizationServer;
use tower_resource_server::{Builder, ResourceServer, SealedNonces, SenderConstraint};

use super::cli::{self, Options, OwnFlags};
use super::walkthrough::{Tour, origin};
use super::{ending, issuer, proofs, server};

pub(crate) type Failure = Box<dyn std::error::Error>;

/// Takes the flags, serves, and says in one line why it could not.
pub(crate) async fn run<F: OwnFlags>(
    serve: impl AsyncFnOnce(&Options, F) -> Result<(), Failure>,
) -> ExitCode {
    let (options, own) = match cli::options() {
        Ok(options) => options,
        Err(code) => return code,
    };
    super::log();
    match serve(&options, own).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ending::fail(&error.to_string()),
    }
}

/// The address is taken; nobody is answered yet.
pub(crate) struct Started {
    pub(crate) listener: TcpListener,
    pub(crate) server: ResourceServer,
    /// Where clients connect to.
    pub(crate) base: String,
    /// What they call, unless it is the same: the beginning of what proofs name.
    pub(crate) public: String,
    pub(crate) resource: String,
    pub(crate) audience: String,
    pub(crate) constraint: SenderConstraint,
    pub(crate) nonces: Option<SealedNonces>,
    /// There unless an issuer outside is named.
    pub(crate) issuer: Option<TestAuthorizationServer>,
}

impl Started {
    /// `settle` adds what the server at hand needs.
    pub(crate) async fn new(
        options: &Options,
        settle: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, Failure> {
        let listener = super::listen(options.listen).await?;
        let base = format!("http://{}", listener.local_addr()?);
        let resource = options.resource.clone().unwrap_or_else(|| base.clone());
        let public = options.base_url.as_deref().unwrap_or_else(|| origin(&resource));
        let public = public.trim_end_matches('/').to_owned();
        let audience = options.audience.clone().unwrap_or_else(|| resource.clone());
        let issuer = match options.issuer {
            None => Some(issuer::start(&audience).await?),
            Some(_) => None,
        };
        let nonces = proofs::nonces(options)?;
        let builder = server::builder(options, &resource, issuer.as_ref(), nonces.clone())?;
        let server = settle(builder).build()?;
        let constraint = options.constraint;
        Ok(Self { listener, server, base, public, resource, audience, constraint, nonces, issuer })
    }

    /// Says where it listens, and what to try where tokens can be had for it.
    pub(crate) fn announce(&self, tour: impl FnOnce(&Tour<'_>)) {
        println!("listening on {}", self.base);
        if let Some(issuer) = &self.issuer {
            tour(&Tour::new(self, issuer));
        }
    }
}
