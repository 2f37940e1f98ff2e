//! Where the server is, read from a URL and shown without its credentials.

use std::fmt;

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

use super::error::{ConfigFault, RedisConfigError};

/// One server: host, port, and what to say on arrival.
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) info: ConnectionInfo,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, RedisConfigError> {
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        if !["redis", "rediss", "valkey", "valkeys"].contains(&scheme) {
            return Err(ConfigFault::Scheme.into());
        }
        // What the parser has to say may quote the URL, and with it the password.
        let info = url.into_connection_info().map_err(|_| ConfigFault::Malformed)?;
        let (host, port, tls) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (host.clone(), *port, false),
            ConnectionAddr::TcpTls { host, port, insecure: false, .. } => {
                (host.clone(), *port, true)
            }
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                return Err(ConfigFault::Insecure.into());
            }
            _ => return Err(ConfigFault::Scheme.into()),
        };
        Ok(Self { host, port, tls, info })
    }

    /// User, password, database and protocol.
    pub(super) fn settings(&self) -> &RedisConnectionInfo {
        self.info.redis_settings()
    }
}

/// Scheme, host and port.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(url: &str) -> String {
        Address::parse(url).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn addresses_are_shown_without_credentials() {
        for (url, shown) in [
            ("redis://cache", "redis://cache:6379"),
            ("valkey://user:secret@cache:6380/3", "redis://cache:6380"),
            ("rediss://:secret@cache", "rediss://cache:6379"),
            ("redis://[::1]:7000?protocol=resp3", "redis://[::1]:7000"),
        ] {
            assert_eq!(Address::parse(url).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn faults_name_what_to_write_and_not_what_was_written() {
        for url in ["", "http://secret", "unix:///secret", "127.0.0.1:6379", "redis"] {
            assert!(fault(url).contains("scheme"), "{url}: {}", fault(url));
        }
        for url in ["redis://", "redis://h:secret", "redis://u:secret@h/x", "redis://0.0.0.0"] {
            let shown = fault(url);
            assert!(shown.contains("redis://[user:password@]host"), "{url}: {shown}");
            assert!(!shown.contains("secret"), "{shown}");
        }
        assert!(fault("rediss://h#insecure").contains("certificate"));
    }
}
