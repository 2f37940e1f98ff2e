//! The client that fetches, given or made.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::Fault;
use crate::fetch::Fetch;

/// The client of all issuers: the one given, else the embedded one, made when it is first asked for.
#[derive(Debug)]
pub(crate) struct Client {
    given: Option<Arc<dyn Fetch>>,
    reach: Reach,
    embedded: OnceLock<Result<Arc<dyn Fetch>, Fault>>,
}

/// What the embedded client may connect to besides public addresses, and for how long.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "http-client"), allow(dead_code, reason = "read by the embedded client"))]
pub(super) struct Reach {
    pub(super) allow_loopback: bool,
    pub(super) private_hosts: Arc<HashSet<String>>,
    /// How long a fetch may take.
    pub(super) timeout: Duration,
}

impl Client {
    pub(super) const fn new(given: Option<Arc<dyn Fetch>>, reach: Reach) -> Self {
        Self { given, reach, embedded: OnceLock::new() }
    }

    pub(super) const fn is_given(&self) -> bool {
        self.given.is_some()
    }

    pub(super) fn get(&self) -> Result<Arc<dyn Fetch>, Fault> {
        match &self.given {
            Some(given) => Ok(Arc::clone(given)),
            None => self.embedded.get_or_init(|| embedded(&self.reach)).clone(),
        }
    }
}

#[cfg(feature = "http-client")]
fn embedded(reach: &Reach) -> Result<Arc<dyn Fetch>, Fault> {
    use crate::fetch::{AddressPolicy, HttpClient};
    let Reach { allow_loopback, private_hosts, timeout } = reach.clone();
    match HttpClient::new(AddressPolicy { allow_loopback, private_hosts }, timeout) {
        Ok(client) => Ok(Arc::new(client)),
        Err(error) => {
            let problem = format!("the embedded client cannot be made: {error}");
            let mend = "install the system's CA certificates, name a file of them in the environment \
                        variable SSL_CERT_FILE, or give a client with fetch()";
            Err(Fault::new("fetch", problem, mend))
        }
    }
}

#[cfg(not(feature = "http-client"))]
fn embedded(_: &Reach) -> Result<Arc<dyn Fetch>, Fault> {
    let problem = "an issuer is to be reached, and no client is there to do it";
    let mend = "enable the feature http-client, or give a client with fetch()";
    Err(Fault::new("fetch", problem, mend))
}
