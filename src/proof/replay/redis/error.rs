//! What is wrong with the URLs of a store, and why a server gave no answer.

use std::borrow::Cow;
use std::{fmt, io};

use ::redis::{ErrorKind, RedisError, ServerError};

/// Why a [`RedisReplayStore`](crate::RedisReplayStore) cannot be made.
///
/// Its `Display` form says how to mend it. It never quotes the URL, which may hold a password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RedisConfigError(ConfigFault);

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ConfigFault {
    /// Not a scheme of Redis over TCP.
    Scheme,
    Malformed,
    /// `rediss://…#insecure`.
    Insecure,
    /// A cluster without nodes, or with nodes that differ in more than their address.
    Cluster,
    /// No backend is compiled in, or the system has no root certificate.
    Tls(&'static str),
    /// TLS to a cluster, before the process chose a provider.
    TlsProvider,
}

impl From<ConfigFault> for RedisConfigError {
    fn from(fault: ConfigFault) -> Self {
        Self(fault)
    }
}

impl fmt::Display for RedisConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the Redis replay store cannot be made: ")?;
        f.write_str(match self.0 {
            ConfigFault::Scheme => {
                "the URL has another scheme; use redis, rediss, valkey or valkeys"
            }
            ConfigFault::Malformed => {
                "the URL cannot be read; write redis://[user:password@]host[:port][/database], \
                 with reserved characters of the password percent-encoded"
            }
            ConfigFault::Insecure => {
                "certificates are always checked; remove #insecure and name the file of your \
                 authority in the environment variable SSL_CERT_FILE"
            }
            ConfigFault::Cluster => {
                "its nodes disagree, or there is none; give at least one URL, all with the same \
                 scheme, user, password and database"
            }
            ConfigFault::Tls(what) => what,
            ConfigFault::TlsProvider => {
                "TLS to a cluster needs a crypto provider for the process; install one first, \
                 with rustls::crypto::CryptoProvider::install_default"
            }
        })
    }
}

impl std::error::Error for RedisConfigError {}

/// Why a claim has no answer, in words that hold neither keys nor credentials.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    what: Cow<'static, str>,
    /// Whether the connection is of no more use.
    pub(super) broken: bool,
}

impl Failure {
    pub(super) const NO_RUNTIME: Self = Self::passing("no Tokio runtime with timers");
    pub(super) const NO_RANDOMNESS: Self = Self::passing("no randomness");
    pub(super) const RESTING: Self = Self::passing("no connection, the next attempt is due");
    pub(super) const INTERRUPTED: Self = Self::passing("connecting was interrupted");
    pub(super) const CONNECTING: Self = Self::passing("not connected in time");
    pub(super) const LATE: Self = Self { what: Cow::Borrowed("no answer in time"), broken: true };
    pub(super) const ODD: Self = Self { what: Cow::Borrowed("unexpected answer"), broken: true };

    const fn passing(what: &'static str) -> Self {
        Self { what: Cow::Borrowed(what), broken: false }
    }

    /// The same, on a connection that mends itself.
    pub(super) fn spared(self) -> Self {
        Self { broken: false, ..self }
    }

    /// An error reply. A server that turned into a replica, or that wants another password, is
    /// left; a new connection may lead to the right one.
    pub(super) fn refused(error: &ServerError) -> Self {
        let code = error.code();
        let broken = ["READONLY", "NOAUTH"].contains(&code);
        Self { what: format!("the server refused: {}", plain(code)).into(), broken }
    }
}

/// The server chooses its error codes; logs take only what looks like one.
fn plain(code: &str) -> &str {
    let fine = (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if fine { code } else { "with no known code" }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        if let ErrorKind::Server(_) | ErrorKind::Extension = error.kind() {
            let code = plain(error.code().unwrap_or_default());
            return Self { what: format!("the server refused: {code}").into(), broken: true };
        }
        Self { what: error.category().to_owned().into(), broken: true }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { what: error.kind().to_string().into(), broken: true }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_and_anything_else_is_not_repeated() {
        assert_eq!(plain("OOM"), "OOM");
        for odd in ["secret", "", "A B", "THIS-IS-NOT-A-CODE", &"A".repeat(21)] {
            assert_eq!(plain(odd), "with no known code", "{odd}");
        }
    }
}
