//! What the crate tells about its work: one log event a refusal, and events for metrics.
//!
//! Logs go through `tracing`. Their targets are `tower_resource_server::rejection`, `::keys`,
//! `::config`, `::caching`, `::envelope` and, of the store in Redis, `::replay`. Neither a token nor
//! a proof nor a nonce stands in any of them. Accepted requests are not logged: how many there are
//! is for an [`Observer`] to count.

use std::fmt::Debug;

use crate::error::RejectionKind;
use crate::keys::RefreshError;
use crate::token::introspection::IntrospectionError;

/// One thing that happened. All values are of low cardinality: fit for metric labels.
///
/// Neither tokens nor subjects nor paths are among them. The number of label values is that of the
/// issuers and of [`RejectionKind::ALL`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request was let through with a valid token, and a valid proof where one was needed.
    #[non_exhaustive]
    Accepted {
        /// The token's issuer, as configured.
        issuer: &'a str,
        /// How the token is tied to its sender: the [name](crate::Binding::name) of the binding.
        binding: &'static str,
    },
    /// A request was refused, by a layer or by a handler.
    #[non_exhaustive]
    Refused {
        /// Why.
        kind: RejectionKind,
    },
    /// An issuer could not be asked about a token, or its answer not be believed.
    #[non_exhaustive]
    IntrospectionFailed {
        /// The issuer, as configured.
        issuer: &'a str,
        /// Why.
        error: IntrospectionError,
    },
    /// An issuer's keys were fetched and are in use.
    #[non_exhaustive]
    KeysRefreshed {
        /// The issuer, as configured.
        issuer: &'a str,
        /// How many keys can be used.
        usable: usize,
    },
    /// An issuer's keys could not be fetched; older ones stay in use.
    #[non_exhaustive]
    KeyRefreshFailed {
        /// The issuer, as configured.
        issuer: &'a str,
        /// Why.
        error: RefreshError,
    },
}

/// A listener for [`Event`]s, to count them.
///
/// It is called on the request path and must neither block nor panic.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tower_resource_server::{Event, Observer};
///
/// #[derive(Debug, Default)]
/// struct Refusals(AtomicU64);
///
/// impl Observer for Refusals {
///     fn observe(&self, event: &Event<'_>) {
///         if let Event::Refused { .. } = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
///
/// # When it is called
///
/// - [`Event::Accepted`]: by each `authenticate` layer, before the inner service. A `require` layer
///   or a handler may still refuse the request; then [`Event::Refused`] follows. Anonymous requests
///   that an optional layer lets through are no event.
/// - [`Event::Refused`]: when the response of a refusal is made. The kinds `replay-store-full`,
///   `replay-store-unavailable` and `revocation-unavailable` are worth an alarm, as
///   `keys-unavailable` is.
/// - [`Event::KeysRefreshed`] and [`Event::KeyRefreshFailed`]: at the end of each fetch, in its
///   task.
///
/// All at once from many threads, so count with atomics or a metrics library.
pub trait Observer: Debug + Send + Sync + 'static {
    /// Takes note of one event.
    ///
    /// New events may be added: ignore those that are not known.
    fn observe(&self, event: &Event<'_>);
}
