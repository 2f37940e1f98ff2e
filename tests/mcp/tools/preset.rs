//! Scopes per tool within the layer of an MCP server.

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use serde_json::json;
use tower_resource_server::mcp::{Mcp, Revision, Tools};
use tower_resource_server::{Builder, RejectionKind as Kind, Scopes};

use super::{assert_plain, call, calling, post, tools};
use crate::support::{Answer, Bed, send};

fn mcp(builder: Builder) -> Builder {
    builder.mcp(Mcp::new())
}

async fn through(bed: &Bed, scope: &str, request: Request<Full<Bytes>>) -> Answer {
    let layer = bed.server.mcp().require(Scopes::all(["mcp"])).tools(tools());
    send(layer, bed.issuer.token().scope(scope).authorize(request)).await
}

#[tokio::test]
async fn tools_come_after_the_rules_of_the_transport() {
    let bed = Bed::with(mcp);
    through(&bed, "mcp read", call("read_file")).await.assert_ok();
    through(&bed, "mcp read", call("delete_file")).await.assert_s403("mcp delete");
    through(&bed, "read", call("read_file")).await.assert_s403("mcp");

    let with = |name: &'static str, value: &'static str| {
        // Not JSON either: that is looked at later.
        let mut request = post("{");
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        request
    };
    let evil = through(&bed, "mcp", with("origin", "https://evil.example")).await;
    assert_plain(&evil, 403, Kind::InvalidOrigin);
    let old = through(&bed, "mcp", with("mcp-protocol-version", "1999-12-31")).await;
    assert_plain(&old, 400, Kind::UnsupportedProtocolVersion);
    let broken = through(&bed, "mcp", with("mcp-protocol-version", "2025-11-25")).await;
    assert_plain(&broken, 400, Kind::MalformedMessage);
    assert_eq!(broken.json()["error"]["code"], -32700);

    let anonymous = send(bed.server.mcp().tools(tools()), call("read_file")).await;
    anonymous.assert_n401();
}

/// Some clients put the scopes of a challenge in place of those they had.
#[tokio::test]
async fn challenges_name_what_every_use_of_the_server_needs_as_well() {
    let bed = Bed::with(mcp);
    // MCP-2025-11-25-R3-1: all that the operation needs.
    through(&bed, "mcp read", call("delete_file")).await.assert_s403("mcp delete");
    through(&bed, "mcp delete", call("delete_file")).await.assert_ok();
    let both = json!([calling("delete_file"), calling("write_file")]);
    through(&bed, "mcp", post(both.to_string())).await.assert_s403("mcp delete read write");

    let authenticate = bed.server.authenticate().require(Scopes::all(["read", "mcp"]));
    let layer = bed.server.mcp().authenticate(authenticate).tools(tools());
    let narrow = bed.issuer.token().scope("mcp read").authorize(call("write_file"));
    send(layer, narrow).await.assert_s403("read mcp write");

    // Of a layer by itself nobody knows what is around it.
    let layers = (
        bed.server.authenticate().require(Scopes::all(["mcp"])),
        bed.server.require_tools(tools()),
    );
    let narrow = bed.issuer.token().scope("mcp").authorize(call("delete_file"));
    send(layers, narrow).await.assert_s403("delete");
}

#[tokio::test]
async fn refusals_of_an_mcp_server_are_json_rpc() {
    let bed = Bed::with(mcp);
    let refused = through(&bed, "mcp read", call("delete_file")).await.json();
    assert_eq!(refused["error"]["code"], -32003);
    assert_eq!(refused["error"]["data"]["scope"], "mcp delete");
    let mut modern = call("read_file");
    let version = HeaderValue::from_static(Revision::LATEST.as_str());
    modern.headers_mut().insert("mcp-protocol-version", version);
    let mismatch = through(&bed, "mcp read", modern).await;
    assert_plain(&mismatch, 400, Kind::HeaderMismatch);
    assert_eq!(mismatch.json()["error"]["code"], -32020);
}

#[test]
fn faults_of_the_rules_are_returned() {
    let bed = Bed::with(mcp);
    assert!(bed.server.mcp().try_tools(tools()).is_ok());
    let error = bed.server.mcp().try_tools(Tools::new().any_token("")).expect_err("a fault");
    assert_eq!(error.faults().len(), 1);
}

#[tokio::test]
async fn rules_with_faults_refuse_everything() {
    let bed = Bed::with(mcp);
    let layer = bed.server.mcp().tools(Tools::new().any_token(""));
    let request = bed.issuer.token().authorize(call("read_file"));
    assert_plain(&send(layer, request).await, 500, Kind::InvalidRequirement);
}
