//! A token bound to a key of the client (RFC 9449).

use tower_resource_server::mcp::Revision;

use super::{USER, expect, nothing, says, strings};
use crate::client::connection::Connection;
use crate::client::http::Failure;
use crate::client::outcome::challenge_of;

pub(super) async fn bound(known: &Connection<'_>) -> Result<(), Failure> {
    let mut connection = known.beside(Revision::V2026_07_28).with_key();
    says("The token request brings a proof of a key, and the token is bound to it:");
    connection.log_in(USER, &strings(["files:read"])).await?;
    connection.call("list_files", nothing(), nothing()).await?.text()?;

    says("The thief has the token and not the key:");
    let mut thief = known.beside(Revision::V2026_07_28);
    thief.token = connection.token.clone().map(|token| token.into_bearer());
    let refused = thief.call("list_files", nothing(), nothing()).await?.unauthorized()?;
    let error = challenge_of(&refused, "invalid_token");
    expect(error.is_some(), "a bound token did without a proof")
}
