//! How the server answers, and what it tells about itself.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::{Builder, SharedCaching};
use crate::metadata::ResourceMetadata;
use crate::observe::Observer;
use crate::render::{Challenges, Envelope, ErrorBody, ErrorResponse};

impl Builder {
    /// Lets scripts of other origins read `WWW-Authenticate` and `DPoP-Nonce`: adds both to
    /// `Access-Control-Expose-Headers` of every answer to a request with an `Origin` (RFC 9449
    /// §7.1, §8.2; Fetch §3.2.3). Answers to gRPC and gRPC-Web get `grpc-status` and `grpc-message`
    /// beside them.
    ///
    /// Off by default. A list the handler sets is kept and added to. A CORS layer outside that sets
    /// the field itself replaces it, and then has to name them. Whether the answer may be read
    /// at all is said by `Access-Control-Allow-Origin`, which is the CORS layer's.
    pub fn expose_headers(mut self) -> Self {
        self.expose_headers = true;
        self
    }

    /// `realm` of every challenge (RFC 9110 §11.5).
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// `error_uri` of every challenge that has an error: an absolute URI for people.
    pub fn error_uri(mut self, uri: impl Into<String>) -> Self {
        self.error_uri = Some(uri.into());
        self
    }

    /// One more parameter in every challenge.
    ///
    /// The name is a token (RFC 9110 §5.6.2), each given once; the value is sent as a quoted-string
    /// of printable ASCII. Names that the crate writes itself, such as `scope` or `error`, are
    /// faults.
    pub fn challenge_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }

    /// Names the DPoP challenge before the Bearer challenge where no scheme was tried.
    ///
    /// By default Bearer comes first, since several clients read only the first challenge and know
    /// only that scheme. With an error, the scheme that was tried is always the first.
    pub fn dpop_challenge_first(mut self) -> Self {
        self.order.dpop_first = true;
        self
    }

    /// Sends several challenges in one field line, separated by commas.
    ///
    /// By default each has a line of its own: the two mean the same (RFC 9110 §11.6.1), but many
    /// clients cannot take a line of several apart.
    pub fn challenges_in_one_line(mut self) -> Self {
        self.order.one_line = true;
        self
    }

    /// Leaves `resource_metadata` (RFC 9728 §5.1) out of the challenges, for servers that do not
    /// publish the document. Without a realm of yours, the resource identifier becomes the realm,
    /// since a challenge needs a parameter (RFC 6750 §3).
    ///
    /// The document is still served where [`metadata`](crate::ResourceServer::metadata) is mounted.
    pub fn hide_metadata(mut self) -> Self {
        self.advertise_metadata = false;
        self
    }

    /// How refusals look.
    pub fn envelope(mut self, envelope: impl Envelope) -> Self {
        self.hooks.envelope = Some(Arc::new(envelope));
        self
    }

    /// Takes the place of [`Envelope::send_error`].
    pub fn send_error(
        mut self,
        hook: impl Fn(StatusCode, &ErrorBody<'_>, &mut ErrorResponse) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.send_error = Some(Arc::new(hook));
        self
    }

    /// Takes the place of [`Envelope::www_authenticate`].
    pub fn www_authenticate(
        mut self,
        hook: impl Fn(&Challenges, &mut HeaderMap) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.www_authenticate = Some(Arc::new(hook));
        self
    }

    /// Takes the place of [`Envelope::no_store`].
    pub fn no_store(mut self, hook: impl Fn(&mut HeaderMap) + Send + Sync + 'static) -> Self {
        self.hooks.no_store = Some(Arc::new(hook));
        self
    }

    /// Where the error catalogue is hosted: an absolute URI to which `#kind` is added. By default
    /// this crate's own documentation.
    ///
    /// ```
    /// use tower_resource_server::{Builder, render::ProblemJson};
    ///
    /// /// `type` becomes `https://developer.example.com/errors#expired-token` and so on.
    /// fn explained(builder: Builder) -> Builder {
    ///     let errors = "https://developer.example.com/errors";
    ///     builder.envelope(ProblemJson::default()).documentation(errors)
    /// }
    /// ```
    pub fn documentation(mut self, uri: impl Into<String>) -> Self {
        self.documentation = Some(uri.into());
        self
    }

    /// `Retry-After` of 503 answers, in whole seconds, at least one.
    ///
    /// Default 5 s. Fractions of a second are cut off.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = delay;
        self
    }

    /// The members of the metadata document that are not derived from other settings.
    pub fn metadata(mut self, metadata: ResourceMetadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Listens to events, for metrics.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// What to do when a handler lets shared caches keep a protected response.
    pub fn shared_caching(mut self, policy: SharedCaching) -> Self {
        self.shared_caching = policy;
        self
    }

    /// Adds `Cache-Control: no-store` to accepted responses that have no Cache-Control.
    ///
    /// Private caches, such as a browser's, may otherwise keep what a handler sends without a word
    /// on caching. Responses to anonymous requests are left alone. Off by default.
    pub fn default_no_store(mut self) -> Self {
        self.default_no_store = true;
        self
    }
}
