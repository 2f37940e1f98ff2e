//! One connection, to a server or to a cluster.

use ::redis::aio::{ConnectionLike as _, MultiplexedConnection};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::{AsyncConnectionConfig, Pipeline, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::address::Address;
use super::error::Failure;
use super::tls::Tls;

/// Where to connect to.
pub(super) enum Target {
    Server { address: Box<Address>, tls: Option<Tls> },
    Cluster(Box<ClusterClient>),
}

impl Target {
    pub(super) async fn connect(&self) -> Result<Link, Failure> {
        match self {
            Self::Server { address, tls } => {
                let tcp = TcpStream::connect((address.host.as_str(), address.port)).await?;
                tcp.set_nodelay(true)?;
                match tls {
                    Some(tls) => Link::greet(address, tls.connect(tcp).await?).await,
                    None => Link::greet(address, tcp).await,
                }
            }
            Self::Cluster(client) => Ok(Link {
                connection: Connection::Cluster(client.get_async_connection().await?),
                run: String::new(),
            }),
        }
    }
}

/// A connection that many claims use at once. Nothing is ever sent twice: a record that was made
/// while its reply was lost would come back as a replay.
pub(super) struct Link {
    connection: Connection,
    run: String,
}

enum Connection {
    Server(MultiplexedConnection, Driver),
    Cluster(ClusterConnection),
}

/// The task that reads and writes; it ends when nobody holds the connection.
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    async fn greet<S>(address: &Address, stream: S) -> Result<Self, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Each claim is timed as a whole, so the connection times nothing.
        let untimed = AsyncConnectionConfig::new().set_response_timeout(None);
        let settings = address.settings();
        let (mut connection, task) =
            MultiplexedConnection::new_with_config(settings, stream, untimed).await?;
        let driver = Driver(tokio::spawn(task).abort_handle());
        let info: String = ::redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        let run = info.lines().find_map(|line| line.strip_prefix("run_id:"));
        let run = run.unwrap_or_default().trim().to_owned();
        Ok(Self { connection: Connection::Server(connection, driver), run })
    }

    /// The id the server gave itself when it started. Empty for a cluster, whose nodes each have
    /// one, and for a server that tells none.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// Whether the server closed it, as some do when it was idle. Then nothing is sent over it, and
    /// another can be made without a claim failing.
    pub(super) fn is_closed(&self) -> bool {
        match &self.connection {
            Connection::Server(_, driver) => driver.0.is_finished(),
            Connection::Cluster(_) => false,
        }
    }

    /// One round trip. Error replies stand among the answers.
    pub(super) async fn send(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        let count = commands.len();
        let answers = match &self.connection {
            Connection::Server(connection, _) => {
                connection.clone().req_packed_commands(commands, 0, count).await
            }
            Connection::Cluster(connection) => {
                connection.clone().req_packed_commands(commands, 0, count).await
            }
        };
        answers.map_err(|error| self.spare(error.into()))
    }

    /// A connection to a cluster replaces those to its nodes by itself; only one that says nothing
    /// is given up.
    fn spare(&self, failure: Failure) -> Failure {
        match self.connection {
            Connection::Server(..) => failure,
            Connection::Cluster(_) => failure.spared(),
        }
    }
}
