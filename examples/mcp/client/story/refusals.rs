//! Scenarios 1 and 2: refusals, and what the client does about them.

use serde_json::{Value, json};

use super::{LATE_USER, USER, expect, nothing, says, strings};
use crate::client::connection::Connection;
use crate::client::http::Failure;
use crate::client::outcome::{Outcome, challenge_of};

/// `invalid_token`: the token is thrown away, and the user logs in again.
pub(super) async fn expired(connection: &mut Connection<'_>) -> Result<(), Failure> {
    says("The authorization server gives this client a token that has expired already:");
    connection.log_in(LATE_USER, &strings(["files:read"])).await?;
    let refused = connection.call("list_files", nothing(), nothing()).await?.unauthorized()?;
    let error = challenge_of(&refused, "invalid_token");
    expect(error.is_some(), "an expired token was not refused with invalid_token")?;

    says("Token is invalid, starting re-authentication...");
    connection.token = None;
    connection.log_in(USER, &strings(["files:read"])).await?;
    connection.call("list_files", nothing(), nothing()).await?.text()?;
    Ok(())
}

/// `insufficient_scope`: refused before the tool runs.
pub(super) async fn insufficient(connection: &mut Connection<'_>) -> Result<(), Failure> {
    let arguments = json!({ "name": "todo.txt", "text": "Buy milk" });
    steps_up_once(connection, "write_file", arguments, "files:write").await
}

/// `insufficient_scope` again, from within the tool.
pub(super) async fn insufficient_within(connection: &mut Connection<'_>) -> Result<(), Failure> {
    let arguments = json!({ "name": "plan.txt" });
    steps_up_once(connection, "delete_file", arguments, "files:delete").await
}

/// Tells the user, asks for what is missing on top of what is granted, and tries again; once, since
/// a second refusal would be no different (MCP: clients limit their retries).
async fn steps_up_once(
    connection: &mut Connection<'_>,
    tool: &str,
    arguments: Value,
    scope: &str,
) -> Result<(), Failure> {
    let refused = connection.call(tool, arguments.clone(), nothing()).await?;
    let challenge = refused.insufficient_scope()?;
    let mut scopes = challenge.scopes();
    expect(scopes.iter().any(|it| it == scope), "the challenge lacks the scope that is needed")?;

    says("You have not granted permission for this action.");
    says("The client asks for it, once, together with what is granted already:");
    let granted = connection.token.iter().flat_map(|token| token.scopes.clone());
    scopes.extend(granted.filter(|it| !challenge.scopes().contains(it)));
    connection.log_in(USER, &scopes).await?;
    match connection.call(tool, arguments, nothing()).await? {
        Outcome::InsufficientScope(_) => Err("refused again after the step-up".into()),
        outcome => outcome.text().map(|_| ()),
    }
}
