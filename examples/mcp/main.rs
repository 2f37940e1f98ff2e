//! An MCP server, a client of it and the authorization server between them, on real HTTP.
//!
//! `cargo run --example mcp` starts all three, plays what an MCP client meets with (no token, an
//! expired one, missing scopes, a third party's consent, a stolen token), prints each exchange, and
//! ends with status 0 if every answer was what it has to be. `-- --help` says how to run each part by
//! itself.

mod authorization_server_mock;
mod cli;
mod client;
mod mcp_server;
mod parts;
#[path = "../common/process.rs"]
#[allow(dead_code, reason = "servers without axum use more of it")]
mod process;

use std::process::ExitCode;

use cli::Part;

#[tokio::main]
async fn main() -> ExitCode {
    let part = match cli::part() {
        Ok(part) => part,
        Err(code) => return code,
    };
    let ended = match part {
        Part::All => parts::all().await,
        Part::AuthorizationServerMock(arguments) => {
            parts::authorization_server_mock(*arguments).await
        }
        Part::McpServer { listen, issuer } => parts::mcp_server(listen, &issuer).await,
        Part::Client { url } => client::story::run(&url).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.to_string().replace("\n  - ", " - ").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}
