//! What the crate tells about its work: one log event a refusal, and events for metrics.
//!
//! Logs go through `tracing`. Their targets are `tower_resource_server::rejection`, `::keys`,
//! `::introspection`, `::revocation`, `::certificate`, `::config`, `::caching`, `::envelope`, `::mcp`
//! and, of the store in Redis, `::replay`. At the level debug a missing claim and an issuer that is
//! not trusted are named in an event of their own, before that of the refusal.
//!
//! Neither a token nor a proof nor a nonce stands in any of them. Accepted requests are not logged:
//! how many there are is for an [`Observer`] to count.

use std::fmt::Debug;
use std::time::Duration;

use crate::error::RejectionKind;
use crate::keys::{IntrospectionError, MetadataError, RefreshError};
use crate::revocation::RevocationError;

/// How much of a text that others wrote is logged, in bytes.
const LONGEST: usize = 256;

/// The beginning of such a text. It is escaped where it is logged.
pub(crate) fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// One thing that happened. All values but numbers and times are of low cardinality: fit for metric
/// labels.
///
/// Neither tokens nor subjects nor paths are among them. The number of label values is that of the
/// issuers and of [`RejectionKind::ALL`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request was let through with a valid token, and with what the token is bound to.
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
        /// How many keys of the set were passed over.
        skipped: usize,
    },
    /// An issuer's keys could not be fetched; older ones stay in use.
    #[non_exhaustive]
    KeyRefreshFailed {
        /// The issuer, as configured.
        issuer: &'a str,
        /// Why.
        error: RefreshError,
        /// How many attempts in a row have failed, this one included.
        failures: u32,
        /// For how long the older keys can still be used; `None` where there are none.
        usable_for: Option<Duration>,
    },
    /// An issuer's metadata was looked up and is in use (RFC 8414).
    #[non_exhaustive]
    MetadataRefreshed {
        /// The issuer, as configured.
        issuer: &'a str,
    },
    /// An issuer's metadata could not be had; an older document stays in use.
    #[non_exhaustive]
    MetadataRefreshFailed {
        /// The issuer, as configured.
        issuer: &'a str,
        /// Why. [`MetadataError::OtherIssuer`] is worth an alarm: it does not pass by itself.
        error: MetadataError,
    },
    /// It could not be said whether a token was revoked.
    #[non_exhaustive]
    RevocationUnknown {
        /// The token's issuer, as configured.
        issuer: &'a str,
        /// Why.
        error: RevocationError,
        /// Whether the request went on all the same, as
        /// [`accept_unknown_status`](crate::Danger::accept_unknown_status) has it: then a revoked token
        /// is as good as any other, and that is worth an alarm.
        accepted: bool,
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
///   `replay-store-unavailable`, `revocation-unavailable` and `introspection-unavailable` are worth
///   an alarm, as `keys-unavailable` is.
/// - [`Event::IntrospectionFailed`]: once for each call that failed, in its task, however many
///   requests waited for it; and once for each request that found too many calls under way, or begun
///   that second.
/// - [`Event::KeysRefreshed`] and [`Event::KeyRefreshFailed`]: at the end of each refresh, in its
///   task.
/// - [`Event::MetadataRefreshed`] and [`Event::MetadataRefreshFailed`]: at the end of each look-up,
///   which tries up to three places. Keys that are not refreshed for want of metadata are told as
///   [`Event::KeyRefreshFailed`] too.
/// - [`Event::RevocationUnknown`]: for each request of which it could not be said, before
///   [`Event::Refused`] or [`Event::Accepted`].
///   The log is told once a second at most, and how many requests there were.
///
/// How old keys are, and how long they last, is no event: ask
/// [`health`](crate::ResourceServer::health) at each scrape.
///
/// All at once from many threads, so count with atomics or a metrics library.
pub trait Observer: Debug + Send + Sync + 'static {
    /// Takes note of one event.
    ///
    /// New events may be added: ignore those that are not known.
    fn observe(&self, event: &Event<'_>);
}
