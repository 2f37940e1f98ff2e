//! What every server program does: log, listen, and stop when it is asked to.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

/// How long what is under way may take once the server is asked to stop.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Logs to standard error; `RUST_LOG` chooses what.
pub(crate) fn log() {
    log_unless_told("info");
}

/// Logs what `default` says, where `RUST_LOG` says nothing.
pub(crate) fn log_unless_told(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let format = tracing_subscriber::fmt().with_env_filter(filter);
    // Colours are for people, not for files.
    format.with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).init();
}

/// Takes the address, or says which one cannot be had.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// The next connection. What goes wrong meanwhile passes, such as too many open files.
pub(crate) async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The signal to hand on to the server, and when it has had enough time since then.
pub(crate) fn with_grace(
    stop: impl Future<Output = ()>,
) -> (impl Future<Output = ()>, impl Future<Output = ()>) {
    let (stopping, stopped) = oneshot::channel();
    let asked = async {
        stop.await;
        let _ = stopping.send(());
    };
    let over = async {
        let _ = stopped.await;
        tokio::time::sleep(GRACE).await;
        tracing::warn!("stopped before all requests were finished");
    };
    (asked, over)
}

/// Resolves when the process is asked to stop.
///
/// From this call on no such request ends it by itself, so make it before anybody is told that the
/// server is there.
#[cfg(unix)]
pub(crate) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves when the process is asked to stop.
#[cfg(not(unix))]
pub(crate) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
