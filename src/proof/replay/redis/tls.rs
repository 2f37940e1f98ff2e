//! TLS to a single server.
//!
//! The client of the redis crate asks for the process-wide default of rustls, and panics where two
//! providers are compiled in and none was installed. So this handshake is made here, with a
//! provider that is named.

use std::io;
use std::sync::Arc;

use ::rustls::pki_types::ServerName;
use ::rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::ConfigFault;
use crate::tls;

pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the system's root certificates, or those that `SSL_CERT_FILE` names.
    pub(super) fn new(host: &str) -> Result<Self, ConfigFault> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ConfigFault::Malformed)?;
        let provider = tls::provider().ok_or(ConfigFault::Tls(tls::NO_PROVIDER))?;
        let config = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|_| ConfigFault::Tls("the crypto backend supports no version of TLS"))?
            .with_root_certificates(roots()?)
            .with_no_client_auth();
        Ok(Self { connector: Arc::new(config).into(), name })
    }

    pub(super) async fn connect(&self, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), tcp).await
    }
}

fn roots() -> Result<RootCertStore, ConfigFault> {
    let mut roots = RootCertStore::empty();
    let (usable, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let missing =
        "the system has no root certificate; install ca-certificates or set SSL_CERT_FILE";
    if usable == 0 { Err(ConfigFault::Tls(missing)) } else { Ok(roots) }
}
