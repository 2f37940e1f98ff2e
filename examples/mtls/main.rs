//! A server that asks its clients for certificates, and accepts tokens that are bound to them (RFC
//! 8705).
//!
//! `cargo run --example mtls` makes a certificate authority, two clients and their tokens, and prints
//! curl lines to try; `-- --listen ADDR` chooses where it serves. Everything it makes is gone when it
//! stops.

mod authority;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "the servers that share a command line use more of it")]
mod common;
mod folder;
mod routes;
mod serve;
mod tour;

use std::net::SocketAddr;
use std::process::ExitCode;

use authority::Authority;
use common::ending;
use folder::Folder;
use lexopt::prelude::{Long, Short, ValueExt};
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use tour::Tour;
use tower_resource_server::SenderConstraint;
use tower_resource_server::testing::TestIssuer;

#[tokio::main]
async fn main() -> ExitCode {
    let listen = match ending::unless_parsed(listen(lexopt::Parser::from_env()), USAGE) {
        Ok(listen) => listen,
        Err(code) => return code,
    };
    common::log();
    match run(listen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ending::fail(&error.to_string()),
    }
}

const USAGE: &str = "Flags:
  --listen ADDR            address to serve on (default 127.0.0.1:8443)
  --help                   print this";

fn listen(mut parser: lexopt::Parser) -> Result<Option<SocketAddr>, lexopt::Error> {
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 8443));
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => listen = parser.value()?.parse()?,
            Long("help") | Short('h') => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(listen))
}

async fn run(listen: SocketAddr) -> Result<(), serve::Failure> {
    let listener = common::listen(listen).await?;
    let address = listener.local_addr()?;
    let base = format!("https://{address}");

    let authority = Authority::new()?;
    let hosts = vec!["localhost".to_owned(), address.ip().to_string()];
    let acceptor = serve::acceptor(&authority, &authority.issue("server", hosts, ServerAuth)?)?;

    // An authorization server in miniature: whom it knows by which certificate, it decides itself.
    let issuer = TestIssuer::new("https://as.example.com");
    let server = issuer
        .resource_server(&base)
        .sender_constraint(SenderConstraint::MutualTls)
        .require_https()
        .build()?;

    let stop = common::stop_signal()?;
    println!("listening on {base}");
    let folder = Folder::create()?;
    let clients = [("client", vec![], ClientAuth), ("other", vec![], ClientAuth)];
    let [client, other] = clients.map(|(name, hosts, usage)| authority.issue(name, hosts, usage));
    Tour::new(&base, &issuer, &authority, &client?, &other?, &folder)?.print();

    serve::serve(&listener, &acceptor, &routes::app(&server), stop).await;
    Ok(())
}
