//! Whose word is taken.

use std::net::IpAddr;

use http::Extensions;

use super::PeerAddress;
use super::network::Network;
use crate::config::Fault;

/// The addresses of proxies that are believed.
#[derive(Debug)]
pub(crate) struct TrustedPeers(Vec<Network>);

impl TrustedPeers {
    /// The addresses read; each that cannot be is a fault of `setting`, and so is an empty list.
    pub(crate) fn compile(
        addresses: &[String],
        setting: &'static str,
        faults: &mut Vec<Fault>,
    ) -> Self {
        if addresses.is_empty() {
            let mend = "list the proxies' addresses, or leave the setting out";
            faults.push(Fault::new(setting, "no proxy is trusted", mend));
        }
        let mut networks = Vec::new();
        for text in addresses {
            match Network::parse(text) {
                Ok(network) => networks.push(network),
                Err((problem, mend)) => {
                    faults.push(Fault::new(setting, format!("{text:?} {problem}"), mend));
                }
            }
        }
        Self(networks)
    }

    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(ip))
    }

    /// Whether one of them sent the request, by its [`PeerAddress`]; without one, nobody did.
    pub(crate) fn sent(&self, extensions: &Extensions) -> bool {
        extensions.get::<PeerAddress>().is_some_and(|peer| self.contains(peer.ip()))
    }
}
