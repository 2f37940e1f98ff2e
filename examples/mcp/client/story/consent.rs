//! Scenario 3: a tool that acts at a third party for the user, who has to agree there first.
//!
//! The client learns of it in MCP's terms, since it is not its own authorization that is missing:
//! the token is good, and has the scopes.

use serde_json::{Value, json};
use tower_resource_server::mcp::{Revision, code};

use super::{OTHER_USER, expect, nothing, says, strings};
use crate::client::connection::Connection;
use crate::client::http::{Failure, Http};
use crate::client::user;

/// Under 2025-11-25: error −32042, the list of URLs in its data, and a new try.
pub(super) async fn as_error(http: &Http, newer: &Connection<'_>) -> Result<(), Failure> {
    let mut connection = newer.beside(Revision::V2025_11_25);
    connection.token = newer.token.clone();
    says("A client of that revision opens a session first.");
    connection.hello().await?.answered()?;

    let answer = connection.call("share_file", file(), nothing()).await?.answered()?;
    let error = &answer["error"];
    let is_required = error["code"] == code::URL_ELICITATION_REQUIRED;
    expect(is_required, "the missing consent was not told of with −32042")?;
    agrees(http, &error["data"]["elicitations"][0]).await?;

    says("Now the call goes through:");
    let text = connection.call("share_file", file(), nothing()).await?.text()?;
    expect(text.contains("shared"), "the file was not shared")
}

/// From 2026-07-28: a result that asks for input, and a new try that brings it.
pub(super) async fn as_input(http: &Http, connection: &mut Connection<'_>) -> Result<(), Failure> {
    says("Another user, who has not agreed to anything yet:");
    connection.log_in(OTHER_USER, &strings(["files:read"])).await?;

    let answer = connection.call("share_file", file(), nothing()).await?.answered()?;
    let result = &answer["result"];
    let requests = result["inputRequests"].as_object().ok_or("no input is asked for")?;
    let (key, request) = requests.iter().next().ok_or("no input is asked for")?;
    agrees(http, &request["params"]).await?;

    says("Now the call goes through, with the answer to what was asked:");
    let mut rest = json!({ "inputResponses": { key: { "action": "accept" } } });
    if let Some(state) = result.get("requestState") {
        rest["requestState"] = state.clone();
    }
    let text = connection.call("share_file", file(), rest).await?.text()?;
    expect(text.contains("shared"), "the file was not shared")
}

/// Shows the user what is asked and where. Only the user opens the URL, never the client by itself.
async fn agrees(http: &Http, elicitation: &Value) -> Result<(), Failure> {
    expect(elicitation["mode"] == "url", "what is asked is not to visit a URL")?;
    let text = |name: &str| elicitation[name].as_str().unwrap_or_default();
    says(&format!("{}\nTo agree, open {}", text("message"), text("url")));
    user::visits(http, text("url")).await
}

fn file() -> Value {
    json!({ "name": "todo.txt" })
}
