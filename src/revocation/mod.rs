//! Whether a token that is right in itself was revoked: the seam for those who know.
//!
//! A JWT is good until it expires, whatever has happened since. Who cannot wait for that gives the
//! server a [`Revocation`]: a list in memory, such as [`DenyList`], a look into a database, a token
//! status list. It is asked after everything about the token and its sender was found right, and
//! before a proof is recorded: strangers cannot cause look-ups, and an outage uses up no proof.

mod deny_list;
mod error;
mod inquirer;
mod known;

use std::fmt::{self, Debug};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

pub use self::deny_list::{DenyList, DenyListFull};
pub use self::error::RevocationError;
pub(crate) use self::inquirer::{Answer, Inquirer, Inquiry, UnknownStatus};
pub(crate) use self::known::KnownStatus;
use crate::clock::Timestamp;
use crate::token::{Vouched, VouchedBy};

/// The token that a [`Revocation`] is asked about: verified, and presented by its rightful sender.
///
/// It has what identifies a token, and no more of it: not its text.
#[derive(Clone, Copy)]
pub struct TokenFacts<'a> {
    vouched: &'a Vouched,
    now: Timestamp,
}

impl<'a> TokenFacts<'a> {
    pub(crate) const fn new(vouched: &'a Vouched, now: Timestamp) -> Self {
        Self { vouched, now }
    }

    /// `iss`, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &'a str {
        &self.vouched.issuer.identifier
    }

    /// `sub`. Unique within its issuer alone (RFC 8725 §3.8).
    #[must_use]
    pub fn subject(&self) -> Option<&'a str> {
        self.vouched.subject()
    }

    /// `client_id`.
    #[must_use]
    pub fn client_id(&self) -> Option<&'a str> {
        self.vouched.client_id()
    }

    /// `jti`. Unique within its issuer (RFC 7519 §4.1.7).
    #[must_use]
    pub fn token_id(&self) -> Option<&'a str> {
        self.vouched.token_id()
    }

    /// `iat`.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.vouched.claims.issued?.to_system_time()
    }

    /// `exp`, without leeway. A record of its revocation is of use for the
    /// [`leeway`](crate::Builder::leeway) longer.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.vouched.claims.expires?.to_system_time()
    }

    /// How the issuer vouches for the token. One that it was
    /// [asked about](VouchedBy::Introspection) was not revoked when it answered, so that a source may
    /// have nothing to add.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_resource_server::{RevocationCheck, TokenFacts, TokenStatus, VouchedBy};
    ///
    /// fn known_by_the_answer(token: &TokenFacts<'_>) -> Option<RevocationCheck> {
    ///     let asked = token.vouched_by() == VouchedBy::Introspection;
    ///     asked.then(|| RevocationCheck::Done(Ok(TokenStatus::Valid(Duration::ZERO))))
    /// }
    /// ```
    #[must_use]
    pub const fn vouched_by(&self) -> VouchedBy {
        self.vouched.vouched_by()
    }

    /// One more claim, such as `sid` or `status`; `None` when it is absent or does not fit the type.
    #[must_use]
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.vouched.claim(name)
    }

    /// The time by the server's [`Clock`](crate::Clock).
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.now.to_system_time().unwrap_or(SystemTime::UNIX_EPOCH)
    }

    pub(crate) const fn timestamps(&self) -> (Option<Timestamp>, Timestamp) {
        (self.vouched.claims.issued, self.now)
    }
}

impl Debug for TokenFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFacts").field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}

/// What a [`Revocation`] says of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "implementations make it, and there is no third answer")]
pub enum TokenStatus {
    /// It was not revoked. That may be taken for granted for so long, an hour at most: the server
    /// asks about this token again when it is over. Zero means to ask at each request.
    Valid(Duration),
    /// It was revoked: the request is refused as `revoked-token`. That is never remembered.
    Revoked,
}

/// It cannot be said whether the token was revoked. The fault is not the client's, so the answer is
/// a 503. Made with `RevocationUnavailable::default()`.
///
/// It holds no cause: what went wrong is for the source itself to log. That it could not say stands in
/// the log in any case, and an observer is told
/// ([`Event::RevocationUnknown`](crate::Event::RevocationUnknown)).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct RevocationUnavailable;

impl fmt::Display for RevocationUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it cannot be said whether the access token was revoked")
    }
}

impl std::error::Error for RevocationUnavailable {}

/// What a [`Revocation`] answers in the end.
pub type RevocationResult = Result<TokenStatus, RevocationUnavailable>;

/// The answer of a [`Revocation`], at once or later.
#[allow(clippy::exhaustive_enums, reason = "implementations make it, and there is no third way")]
pub enum RevocationCheck {
    /// At once, as a list in memory answers; nothing is boxed.
    Done(RevocationResult),
    /// Later. What takes longer than the [`fetch_timeout`](crate::Builder::fetch_timeout) counts as
    /// [`RevocationUnavailable`], and so does everything where no tokio runtime with timers is there
    /// to wait in. The future is dropped then, and may be dropped before it was polled.
    Pending(Pin<Box<dyn Future<Output = RevocationResult> + Send>>),
}

impl Debug for RevocationCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(result) => f.debug_tuple("Done").field(result).finish(),
            Self::Pending(_) => f.write_str("Pending"),
        }
    }
}

/// Knows which tokens were revoked before they expire (RFC 7009 has no way to tell resource
/// servers).
///
/// Given to a server with [`Builder::revocation`](crate::Builder::revocation). For introspection at
/// the authorization server (RFC 7662) it is not needed.
///
/// # When it is asked
///
/// After the token was found right in everything else: signature or introspection, issuer,
/// audience, time, and that its sender may use it. Before a DPoP proof is recorded, and before
/// scopes are looked at. A request that is refused before is not asked about, so what strangers
/// send causes no look-up.
///
/// # What is remembered
///
/// [`TokenStatus::Valid`] says for how long its answer holds, from the question on; the server keeps
/// that with the verified token, in the memory of
/// [`token_cache_bytes`](crate::Builder::token_cache_bytes), and asks nothing in that time. So the
/// time is also how long a revocation may go unnoticed. A revocation and a failure are not
/// remembered: the next request asks anew. But a revocation ends what was said of the token before,
/// and the answers that were on their way when it came.
///
/// # How often it is asked
///
/// Once for each request of which nothing is remembered, and questions are *not* shared: when the
/// time of an answer ends, 100 requests at once with one token are 100 questions at once. An answer
/// that is shared may be older than the request that gets it, and only the source knows whether that
/// will do. There are never more than requests with good tokens under way. A source that cannot bear
/// as many joins those about one token, or takes a permit of a semaphore for each and answers
/// [`RevocationUnavailable`] when there is none.
///
/// # What a wrong answer costs
///
/// | it answers | although | then |
/// |---|---|---|
/// | `Valid` | the token was revoked | whoever holds it goes on until the time given is over |
/// | `Revoked` | it was not | a client throws a good token away and has to get a new one |
/// | [`RevocationUnavailable`] | it could know | an honest client is told to try later (503) |
///
/// So when in doubt, fail. It must not block and not panic.
///
/// ```
/// use std::collections::HashSet;
/// use std::time::Duration;
/// use tower_resource_server::{Revocation, RevocationCheck, TokenFacts, TokenStatus};
///
/// /// Sessions that were ended, kept up to date by something else.
/// #[derive(Debug)]
/// struct EndedSessions(std::sync::RwLock<HashSet<String>>);
///
/// impl Revocation for EndedSessions {
///     fn check(&self, token: &TokenFacts<'_>) -> RevocationCheck {
///         let ended = self.0.read().expect("no panic while it is held");
///         let session = token.claim::<String>("sid");
///         let revoked = session.is_some_and(|session| ended.contains(&session));
///         RevocationCheck::Done(Ok(match revoked {
///             true => TokenStatus::Revoked,
///             false => TokenStatus::Valid(Duration::ZERO),
///         }))
///     }
/// }
/// ```
pub trait Revocation: Debug + Send + Sync + 'static {
    /// Says whether the token was revoked.
    fn check(&self, token: &TokenFacts<'_>) -> RevocationCheck;
}

/// One source for several servers, or for a server and those who keep it up to date.
impl<R: Revocation + ?Sized> Revocation for Arc<R> {
    fn check(&self, token: &TokenFacts<'_>) -> RevocationCheck {
        (**self).check(token)
    }
}
