//! The scenarios. Each step says what it is about to do, and fails with one line if the answer is
//! another than it has to be.

mod consent;
mod login;
mod proof;
mod refusals;

use serde_json::{Value, json};
use tower_resource_server::mcp::Revision;

use super::connection::Connection;
use super::http::{Failure, Http};

/// Who is at the browser.
const USER: &str = "alice";
/// Somebody whose tokens have expired when they come, so that nobody has to wait for it.
const LATE_USER: &str = "late";
/// Somebody who has not agreed to anything yet.
const OTHER_USER: &str = "bob";

/// Plays them all against the MCP server at `url`.
pub(crate) async fn run(url: &str) -> Result<(), Failure> {
    let http = Http::new();
    let mut connection = Connection::new(&http, url, Revision::V2026_07_28);

    title("A request without a token: where are tokens to be had?");
    says("Not shown: _meta, with which each request of 2026-07-28 tells version and client.");
    login::discovers(&mut connection).await?;
    login::lists_files(&mut connection).await?;

    title("Scenario 1: the token has expired");
    refusals::expired(&mut connection).await?;
    login::refreshes(&mut connection).await?;

    title("Scenario 2: the token does not grant enough");
    refusals::insufficient(&mut connection).await?;
    title("The same, where the tool itself finds out");
    refusals::insufficient_within(&mut connection).await?;

    title("Scenario 3: a third party's consent is missing (2025-11-25: an error)");
    consent::as_error(&http, &connection).await?;
    title("The same (2026-07-28: input is required)");
    consent::as_input(&http, &mut connection).await?;

    title("A token that is worth nothing to whoever steals it (DPoP)");
    proof::bound(&connection).await?;

    println!("\nAll as it should be.");
    Ok(())
}

fn title(text: &str) {
    println!("\n# {text}");
}

/// What the client does, between the exchanges.
fn says(text: &str) {
    println!("\n{text}");
}

fn expect(as_expected: bool, otherwise: &str) -> Result<(), Failure> {
    if as_expected { Ok(()) } else { Err(otherwise.into()) }
}

fn strings<const N: usize>(scopes: [&str; N]) -> Vec<String> {
    scopes.map(str::to_owned).to_vec()
}

/// No parameters beside those that a call always has.
fn nothing() -> Value {
    json!({})
}
