//! A story of three parts: a client, an MCP server, and the authorization server between them.
//!
//! `cargo run --example mcp -- authorization-server-mock` runs the authorization server by itself;
//! `--help` after it lists its flags.

mod authorization_server_mock;

use std::process::ExitCode;

use lexopt::prelude::{Value, ValueExt};
use tokio::net::TcpListener;

use authorization_server_mock::cli::{self, Arguments};

#[tokio::main]
async fn main() -> ExitCode {
    match arguments() {
        Ok(Some(arguments)) => serve(arguments).await,
        Ok(None) => {
            println!("{}", cli::USAGE);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn arguments() -> Result<Option<Arguments>, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    match parser.next()? {
        Some(Value(part)) if part == "authorization-server-mock" => cli::parse(parser),
        Some(Value(part)) => Err(format!("there is no part {}", part.string()?).into()),
        Some(argument) => Err(argument.unexpected()),
        None => Err("say which part: authorization-server-mock".into()),
    }
}

async fn serve(arguments: Arguments) -> ExitCode {
    match listen(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

async fn listen(arguments: Arguments) -> std::io::Result<()> {
    let listener = TcpListener::bind(arguments.listen).await?;
    let mock = authorization_server_mock::start(listener, arguments.options).await?;
    println!("listening on {}", mock.issuer);
    tokio::signal::ctrl_c().await
}

/// One line on standard error, and the status of a bad command line.
fn fail(error: &impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}
