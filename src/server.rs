//! The resource server: what all its layers share.

use std::fmt;
use std::sync::Arc;

use crate::authorize::Requirement;
use crate::clock::Timestamp;
use crate::config::{Builder, ConfigError, Settings};
use crate::keys::{KeySource, Supply};
use crate::layer::{AuthenticateLayer, RequireLayer};
use crate::metadata::{MetadataLayer, MetadataService};

/// An OAuth 2 resource server: the one thing from which layers, metadata and keys come.
///
/// Cheap to clone; clones share keys and memory. See the [crate page](crate) for a whole example.
#[derive(Clone)]
pub struct ResourceServer {
    settings: Arc<Settings>,
}

impl ResourceServer {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings) }
    }

    /// Begins the configuration of the server with that resource identifier: the URL by which
    /// clients know it, the audience of its tokens (RFC 8707) and the `resource` of its metadata
    /// (RFC 9728), all byte for byte.
    pub fn builder(resource: impl Into<String>) -> Builder {
        Builder::new(resource.into())
    }

    /// The layer that lets only requests with a valid access token through.
    #[must_use]
    pub fn authenticate(&self) -> AuthenticateLayer {
        AuthenticateLayer::new(&self.settings)
    }

    /// A layer that demands more of the token; it goes inside an [`authenticate`](Self::authenticate)
    /// layer of this server.
    ///
    /// A faulty requirement is logged at once and fails closed: every request is answered 500.
    /// [`try_require`](Self::try_require) returns the faults instead.
    #[must_use]
    pub fn require(&self, requirement: impl Into<Requirement>) -> RequireLayer {
        let demand = self.settings.demand(requirement.into());
        RequireLayer::new(Arc::clone(&self.settings), demand)
    }

    /// As [`require`](Self::require).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault of the requirement.
    pub fn try_require(
        &self,
        requirement: impl Into<Requirement>,
    ) -> Result<RequireLayer, ConfigError> {
        let demand = self.settings.try_demand(requirement.into())?;
        Ok(RequireLayer::new(Arc::clone(&self.settings), demand))
    }

    /// The metadata document as a service of its own (RFC 9728). With axum, merge it into the
    /// router after the `authenticate` layer, so that it stays public.
    #[must_use]
    pub fn metadata(&self) -> MetadataService {
        MetadataService::new(Arc::clone(&self.settings))
    }

    /// The metadata document as a layer, for stacks without a router. Goes outside `authenticate`.
    #[must_use]
    pub fn metadata_layer(&self) -> MetadataLayer {
        MetadataLayer::new(self.metadata())
    }

    /// The resource identifier.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.settings.resource.identifier()
    }

    /// Loads the keys of every issuer, for servers that would rather not start than start without.
    ///
    /// # Errors
    ///
    /// [`NotReady`] names the issuers whose keys could not be loaded.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let issuers = &self.settings.tokens.issuers;
        let now = self.settings.now();
        let absent = issuers.iter().filter(|issuer| !is_loaded(&issuer.keys, now));
        // All fetches run at once; waiting for each in turn takes as long as the slowest.
        let fetches: Vec<_> =
            absent.filter_map(|issuer| issuer.keys.fetch_for_unknown(now)).collect();
        for fetch in fetches {
            fetch.ended().await;
        }
        let now = self.settings.now();
        let missing = issuers.iter().filter(|issuer| !is_loaded(&issuer.keys, now));
        let missing: Vec<_> = missing.map(|issuer| issuer.identifier.to_string()).collect();
        if missing.is_empty() { Ok(()) } else { Err(NotReady { issuers: missing }) }
    }
}

fn is_loaded(keys: &KeySource, now: Timestamp) -> bool {
    matches!(keys.supply(now), Supply::Keys(_))
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServer").field("resource", &self.resource()).finish_non_exhaustive()
    }
}

/// Keys of some issuers could not be loaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotReady {
    issuers: Vec<String>,
}

impl NotReady {
    /// The issuers whose keys are missing. Why, the log says.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        &self.issuers
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no keys could be loaded for {}", self.issuers.join(", "))
    }
}

impl std::error::Error for NotReady {}
