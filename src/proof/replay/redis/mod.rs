//! A replay store in Redis or Valkey, for several machines.

mod address;
mod claim;
mod epoch;
mod error;
mod health;
mod keys;
mod line;
mod link;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ::redis::cluster::ClusterClient;

use self::address::Address;
use self::claim::Claiming;
use self::error::ConfigFault;
pub use self::error::RedisConfigError;
use self::health::Health;
use self::keys::{Epochs, Keys, Layout};
use self::line::Line;
use self::link::Target;
use self::tls::Tls;
use super::{Claim, ProofUse, ReplayStore, ReplayStoreError};

/// How far clocks may differ: those of two machines, and one from what it showed before.
const TOLERANCE: Duration = Duration::from_secs(2);

/// How long the client of a cluster waits for one node. Claims are timed on their own.
const NODE_TIMEOUT: Duration = Duration::from_secs(5);

/// Remembers used proofs in Redis or Valkey, so that several machines refuse a replay together.
///
/// Servers share their records when URL and [`prefix`](Self::prefix) are the same.
///
/// ```
/// use std::time::Duration;
/// use tower_resource_server::RedisReplayStore;
///
/// let store = RedisReplayStore::new("redis://:secret@cache.example.com:6379/2")?
///     .prefix("orders:dpop:")
///     .timeout(Duration::from_millis(250));
/// assert!(!format!("{store:?}").contains("secret"));
/// # Ok::<(), tower_resource_server::RedisConfigError>(())
/// ```
///
/// # A claim
///
/// One round trip: `SET <prefix><key> 1 NX PX <lifetime>` and a look at a marker, in one pipeline
/// over one connection that all claims share. The record stays as long as the proof could be
/// accepted, and two seconds more for clocks that differ. Nothing is sent twice: a record that was
/// made while its reply was lost would come back as a replay.
///
/// A claim takes no longer than the [`timeout`](Self::timeout), connecting included. It needs a
/// Tokio runtime with time and I/O enabled.
///
/// # When the server is away
///
/// Claims fail with [`Unavailable`](ReplayStoreError::Unavailable): the store fails closed. The
/// connection is made at the first claim, for all who wait, and made anew after it broke or after
/// a claim timed out. Between attempts that fail there is a rest of 50 ms, doubled up to 800 ms, in
/// which claims fail at once. The log (`tower_resource_server::replay`) has a warning when it
/// begins and a line when it ends.
///
/// A claim that failed may have been recorded. Then the same proof is a replay, and its client has
/// to make a new one.
///
/// # When records are lost
///
/// A server that restarts, is flushed, or is replaced by its replica may have lost records, and
/// their proofs would be accepted a second time. The marker shows it: it is gone, it is another
/// one, or it names another run of the server (`run_id` of `INFO server`; a server back with an old
/// snapshot brings an old marker). From then on, proofs that could have been used before are
/// [`Unavailable`](ReplayStoreError::Unavailable) on every machine. How long that lasts is the time
/// that proofs may be dated ahead, plus two seconds, plus the time-out: about half a minute with
/// the default settings, after every restart and every failover, planned or not.
///
/// What is **not** noticed:
///
/// - a loss of everything, by a process that starts after it: it takes the empty server for a new
///   one, until a process that made a claim before the loss makes another;
/// - that there are two primaries, while some machines talk to one and some to the other;
/// - in a cluster, that a node is back with an old snapshot, or that a replica lagged when it took
///   over. Turn snapshots off there, or set `appendfsync always`;
/// - eviction, which drops live records one by one: set `maxmemory-policy noeviction`, so that a
///   full server refuses and claims fail.
///
/// # When the clock is set back
///
/// The server counts a record's lifetime, this machine's clock decides whether a proof is
/// acceptable. A clock that goes back by more than two seconds would make proofs acceptable again
/// whose records are gone, so all claims are `Unavailable` until it has caught up.
///
/// That machines' clocks differ by more than two seconds is *not* noticed, so keep them
/// synchronized. If the one that writes a new marker is an hour ahead, proofs are refused for that
/// hour.
///
/// # What it costs
///
/// In the server's memory, 149 bytes a live record with its place in the tables (Redis 7.0 with
/// 100,000 records; 145 with 1,000,000), 104 of them the record itself as `MEMORY USAGE` counts it.
/// A thousand proofs a second that each live for two minutes take 18 MB. Nothing but `maxmemory`
/// bounds it; only clients with a good token and a good proof write.
///
/// The user needs the commands `SET`, `GET` and `INFO`; on a cluster `SET`, `GET` and `CLUSTER`.
///
/// # TLS
///
/// `rediss://` checks the certificate against the system's roots, or those in the file that the
/// environment variable `SSL_CERT_FILE` names. It needs one of the features `aws-lc-rs` and
/// `rust-crypto`. *Not* checked: whether certificates are revoked.
///
/// # Defaults
///
/// - [`prefix`](Self::prefix): `trs:dpop:`
/// - [`timeout`](Self::timeout): 500 ms
pub struct RedisReplayStore {
    shared: Arc<Shared>,
    layout: Layout,
    prefix: Arc<str>,
    timeout: Duration,
}

/// What the claims of one store have in common.
struct Shared {
    /// For the log: scheme, host and port of each server.
    servers: String,
    line: Arc<Line>,
    epochs: Epochs,
    /// The greatest time of a claim.
    latest: AtomicI64,
    health: Health,
}

impl RedisReplayStore {
    /// A store on one server: `redis://[user:password@]host[:port][/database]`, `rediss://` for
    /// TLS. The schemes `valkey` and `valkeys` mean the same.
    ///
    /// No connection is made yet, and no runtime is needed. For TLS the root certificates are read.
    ///
    /// # Errors
    ///
    /// [`RedisConfigError`], when the URL is none of these, asks for unchecked certificates, or
    /// TLS cannot be had.
    pub fn new(url: impl AsRef<str>) -> Result<Self, RedisConfigError> {
        let address = Address::parse(url.as_ref())?;
        let tls = if address.tls { Some(Tls::new(&address.host)?) } else { None };
        let (servers, address) = (address.to_string(), Box::new(address));
        Ok(Self::with(Target::Server { address, tls }, servers, Layout::Whole))
    }

    /// A store on a cluster; the URLs of some nodes are enough.
    ///
    /// Records are spread over 256 parts, each with a marker of its own. Redirections are not
    /// followed within a claim: while slots move, claims for them fail.
    ///
    /// TLS to a cluster uses the crypto provider of the process, which has to be installed before
    /// (`rustls::crypto::CryptoProvider::install_default`).
    ///
    /// # Errors
    ///
    /// [`RedisConfigError`], as for [`new`](Self::new), and when there is no URL or the URLs differ
    /// in more than host and port.
    pub fn cluster<U: AsRef<str>>(
        urls: impl IntoIterator<Item = U>,
    ) -> Result<Self, RedisConfigError> {
        let nodes = urls.into_iter().map(|url| Address::parse(url.as_ref()));
        let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        // The redis crate makes this handshake, and panics without a provider.
        let provider = ::rustls::crypto::CryptoProvider::get_default();
        if nodes.iter().any(|node| node.tls) && provider.is_none() {
            return Err(ConfigFault::TlsProvider.into());
        }
        let servers: Vec<_> = nodes.iter().map(Address::to_string).collect();
        let client = ClusterClient::builder(nodes.into_iter().map(|node| node.info))
            .retries(0)
            .connection_timeout(NODE_TIMEOUT)
            .response_timeout(NODE_TIMEOUT)
            .build()
            .map_err(|_| ConfigFault::Cluster)?;
        Ok(Self::with(Target::Cluster(Box::new(client)), servers.join(" "), Layout::Parts))
    }

    fn with(target: Target, servers: String, layout: Layout) -> Self {
        let shared = Shared {
            servers,
            line: Line::new(target),
            epochs: Epochs::new(),
            latest: AtomicI64::new(i64::MIN),
            health: Health::default(),
        };
        let (prefix, timeout) = ("trs:dpop:".into(), Duration::from_millis(500));
        Self { shared: Arc::new(shared), layout, prefix, timeout }
    }

    /// What the names of all keys begin with, so that several applications may share a server.
    /// Default `trs:dpop:`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into().into();
        self
    }

    /// How long a claim may take, connecting included. Default 500 ms; with zero, no claim
    /// succeeds.
    ///
    /// It is measured by Tokio's timer, not by the [`Clock`](crate::Clock).
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Shared {
    fn clock_is_set_back(&self, now: i64) -> bool {
        let latest = self.latest.fetch_max(now, Ordering::Relaxed);
        i128::from(latest.saturating_sub(now)) > TOLERANCE.as_millis().cast_signed()
    }
}

impl ReplayStore for RedisReplayStore {
    fn claim(&self, proof: &ProofUse) -> Claim {
        let (_, _, now) = proof.millis();
        if self.shared.clock_is_set_back(now) {
            self.shared.health.clock_set_back();
            return Claim::Done(Err(ReplayStoreError::Unavailable));
        }
        self.shared.health.clock_goes_on();
        let keys = Keys::new(self.layout, &self.prefix, proof.key());
        let claiming = Claiming::new(Arc::clone(&self.shared), keys, self.timeout, proof);
        Claim::Pending(Box::pin(claiming.run()))
    }
}

/// Without user and password.
impl fmt::Debug for RedisReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisReplayStore")
            .field("servers", &self.shared.servers)
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
