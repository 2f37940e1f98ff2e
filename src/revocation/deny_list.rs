//! A list of revoked tokens in memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::{Revocation, RevocationCheck, TokenFacts, TokenStatus};
use crate::clock::Timestamp;
use crate::config::MAX_LEEWAY;

const DEFAULT_CAPACITY: usize = 100_000;
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// A [`Revocation`] that lists in memory what was revoked: single tokens, or all that a subject or
/// a client was issued up to a moment.
///
/// It knows what this process was told, so something has to tell it: a logout endpoint, a message
/// queue, a job that reads a table. Give the server a clone of the `Arc` and keep another.
///
/// Each entry has an end: when the last token it concerns has expired. It counts for five minutes
/// more, since no server has a longer [`leeway`](crate::Builder::leeway). The list holds 100,000
/// entries unless set otherwise, each of one size whatever it names. A full list drops those that
/// have ended; a live one is never dropped to make room: then new ones are refused, with an error.
///
/// # Two clocks
///
/// `iat` is what the issuer's clock showed, and the moment up to which a subject's or a client's tokens
/// are denied is mostly what another one did. Were they compared as they are, an issuer 3 s ahead could
/// have issued a token a second *before* that moment, with an `iat` 2 s after it: it would be good for
/// the whole of its life. So that moment is taken to be 5 s later, unless
/// [`clock_skew`](Self::clock_skew) says otherwise.
///
/// The price is paid by who logs in again at once: a token issued within those 5 s is refused for as
/// long as it lives, although it is new. Its client gets another, as it has to after every 401, and that
/// one is good as soon as the 5 s are over. The other error is the worse one: whoever stole a token keeps
/// it, and nobody notices.
///
/// Where the issuer tells the moment itself, such as with the `iat` of a logout token, give that one,
/// and set `clock_skew` to zero: then there is one clock.
///
/// ```
/// use std::sync::Arc;
/// use std::time::{Duration, SystemTime};
/// use tower_resource_server::{DenyList, ResourceServer};
///
/// let list = Arc::new(DenyList::new());
/// let builder = ResourceServer::builder("https://api.example.com").revocation(Arc::clone(&list));
///
/// // A user logs out everywhere: what was issued to them until now is worthless, and what is issued
/// // in the next five seconds. Tokens of this issuer live for an hour, so after that the entry is of
/// // no use.
/// let now = SystemTime::now();
/// list.deny_subject("https://as.example.com", "alice", now, now + Duration::from_secs(3600))?;
/// # Ok::<(), tower_resource_server::DenyListFull>(())
/// ```
pub struct DenyList {
    entries: RwLock<HashMap<[u8; 16], Entry>>,
    capacity: usize,
    skew: Duration,
    /// The latest time by the clock of the server that asks.
    seen: AtomicI64,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Tokens issued until then are concerned, by the issuer's clock.
    issued_until: Timestamp,
    ends: Timestamp,
}

/// What an entry names. Part of its key, so that a subject is not taken for a client.
#[derive(Clone, Copy)]
enum Named {
    Token = 1,
    Subject = 2,
    Client = 3,
}

impl DenyList {
    /// An empty list for 100,000 entries.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// An empty list for so many entries.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let (entries, seen) = (RwLock::default(), AtomicI64::new(i64::MIN));
        Self { entries, capacity, skew: CLOCK_SKEW, seen }
    }

    /// How far the clocks of issuers may be ahead of the one that says until when tokens are denied:
    /// that moment is taken to be so much later. Default 5 s, at most 300 s.
    ///
    /// Of an issuer further ahead, tokens issued shortly before that moment stay good until they
    /// expire. A longer skew has tokens refused that were issued after it, within so long: see
    /// [two clocks](DenyList#two-clocks). Set it before the first entry.
    #[must_use]
    pub fn clock_skew(self, skew: Duration) -> Self {
        Self { skew: skew.min(MAX_LEEWAY), ..self }
    }

    /// Denies the one token of that `jti`; `until` is when it expires.
    ///
    /// # Errors
    ///
    /// [`DenyListFull`] when there is no room: the token is not denied.
    pub fn deny_token(
        &self,
        issuer: &str,
        token_id: &str,
        until: SystemTime,
    ) -> Result<(), DenyListFull> {
        self.insert(Named::Token, issuer, token_id, None, until)
    }

    /// Denies all tokens that the subject was issued until `issued_until` and the
    /// [`clock_skew`](Self::clock_skew), and those that do not say when they were issued; `until` is
    /// when the last of them expires.
    ///
    /// # Errors
    ///
    /// [`DenyListFull`] when there is no room: the tokens are not denied.
    pub fn deny_subject(
        &self,
        issuer: &str,
        subject: &str,
        issued_until: SystemTime,
        until: SystemTime,
    ) -> Result<(), DenyListFull> {
        self.insert(Named::Subject, issuer, subject, Some(issued_until), until)
    }

    /// Denies all tokens that the client was issued until `issued_until` and the
    /// [`clock_skew`](Self::clock_skew), and those that do not say when they were issued; `until` is
    /// when the last of them expires.
    ///
    /// # Errors
    ///
    /// [`DenyListFull`] when there is no room: the tokens are not denied.
    pub fn deny_client(
        &self,
        issuer: &str,
        client_id: &str,
        issued_until: SystemTime,
        until: SystemTime,
    ) -> Result<(), DenyListFull> {
        self.insert(Named::Client, issuer, client_id, Some(issued_until), until)
    }

    /// How many entries it holds, ended ones that were not dropped yet among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether it holds no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(
        &self,
        named: Named,
        issuer: &str,
        name: &str,
        issued_until: Option<SystemTime>,
        until: SystemTime,
    ) -> Result<(), DenyListFull> {
        let issued_until =
            issued_until.map_or(Timestamp::MAX, |time| Timestamp::from(time).plus(self.skew));
        // A token is accepted for a while after its `exp`, and so must not outlive its entry.
        let (key, ends) = (key(named, issuer, name), Timestamp::from(until).plus(MAX_LEEWAY));
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.capacity && !entries.contains_key(&key) {
            let seen = self.seen.load(Ordering::Relaxed);
            entries.retain(|_, entry| entry.ends.millis() > seen);
            if entries.len() >= self.capacity {
                return Err(DenyListFull);
            }
        }
        // Of two entries for one name, neither takes back what the other says.
        let entry = entries.entry(key).or_insert(Entry { issued_until, ends });
        entry.issued_until = entry.issued_until.max(issued_until);
        entry.ends = entry.ends.max(ends);
        Ok(())
    }

    fn denies(&self, token: &TokenFacts<'_>) -> bool {
        let (issued, now) = token.timestamps();
        self.seen.store(now.millis(), Ordering::Relaxed);
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        if entries.is_empty() {
            return false;
        }
        let names = [
            (Named::Token, token.token_id()),
            (Named::Subject, token.subject()),
            (Named::Client, token.client_id()),
        ];
        names.into_iter().any(|(named, name)| {
            let key = name.map(|name| key(named, token.issuer(), name));
            let entry = key.and_then(|key| entries.get(&key));
            entry.is_some_and(|entry| {
                entry.ends > now && issued.is_none_or(|issued| issued <= entry.issued_until)
            })
        })
    }
}

/// Sixteen bytes of a digest, so that an entry has one size whatever it names.
fn key(named: Named, issuer: &str, name: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update([named as u8]);
    hash.update(issuer.len().to_be_bytes());
    hash.update(issuer);
    hash.update(name);
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

impl Revocation for DenyList {
    /// Every token is looked up at each request: it costs less than to remember that it was.
    fn check(&self, token: &TokenFacts<'_>) -> RevocationCheck {
        RevocationCheck::Done(Ok(match self.denies(token) {
            true => TokenStatus::Revoked,
            false => TokenStatus::Valid(Duration::ZERO),
        }))
    }
}

impl Default for DenyList {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for DenyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenyList").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A [`DenyList`] has no room: what was to be denied is not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct DenyListFull;

impl fmt::Display for DenyListFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the list of revoked tokens has no room")
    }
}

impl std::error::Error for DenyListFull {}
