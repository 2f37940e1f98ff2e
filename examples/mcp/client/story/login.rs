//! From nothing to a tool's answer.

use super::{USER, expect, nothing, says, strings};
use crate::client::connection::Connection;
use crate::client::http::Failure;
use crate::client::outcome::challenge_of;

/// Finds the authorization server from a bare 401, and has the user log in.
pub(super) async fn discovers(connection: &mut Connection<'_>) -> Result<(), Failure> {
    let refused = connection.hello().await?.unauthorized()?;
    // RFC 6750 §3.1: a request without a token has done nothing wrong.
    let error = challenge_of(&refused, "invalid_token");
    expect(error.is_none(), "a request without a token was told of an error")?;

    says("The challenge names the metadata document, which names the authorization server.");
    connection.discover(&refused).await?;

    says("The user logs in and grants files:read. A code comes back, and is good for a token.");
    connection.log_in(USER, &strings(["files:read"])).await
}

pub(super) async fn lists_files(connection: &mut Connection<'_>) -> Result<(), Failure> {
    says("With the token:");
    connection.hello().await?.answered()?;
    let files = connection.call("list_files", nothing(), nothing()).await?.text()?;
    expect(files.contains("plan.txt"), "the list of files lacks one")
}

/// A new token in time, so that the user need not come back.
pub(super) async fn refreshes(connection: &mut Connection<'_>) -> Result<(), Failure> {
    says("A client that renews its token in time spares the user that:");
    connection.refresh().await?;
    connection.call("list_files", nothing(), nothing()).await?.text()?;
    Ok(())
}
