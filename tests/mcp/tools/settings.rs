//! Faults of the rules, and what the metadata document learns of them.

use std::time::Duration;

use http::Request;
use http_body_util::Full;
use tower::ServiceExt;
use tower_resource_server::mcp::Tools;
use tower_resource_server::{RejectionKind as Kind, Scopes, StepUp};

use super::{assert_plain, call, through, tools};
use crate::support::{Bed, Logs, read};

fn problems(tools: Tools) -> Vec<String> {
    let error = Bed::new().server.try_require_tools(tools).expect_err("faults");
    assert!(error.faults().iter().all(|fault| fault.setting() == "require_tools"));
    error.faults().iter().map(|fault| fault.problem().to_owned()).collect()
}

#[test]
fn sound_rules_are_accepted() {
    let server = Bed::new().server;
    assert!(server.try_require_tools(tools()).is_ok());
    assert!(server.try_require_tools(Tools::new()).is_ok());
    let names =
        Tools::new().any_token("\u{5929}\u{6c17}").any_token("a b").any_token("x".repeat(128));
    assert!(server.try_require_tools(names).is_ok());
}

#[test]
fn every_fault_is_listed_at_once() {
    let read = || Scopes::all(["read"]);
    let faulty = Tools::new()
        .tool("", read())
        .tool("twice", read())
        .any_token("twice")
        .tool("spaced", Scopes::all(["read write"]))
        .method("tools/call", read())
        .method("resources/read", Scopes::any([""; 0]))
        .others(StepUp::acr([""; 0]))
        .limit(0)
        .read_timeout(Duration::ZERO);
    let problems = problems(faulty);
    let expected = [
        "\"\" is not the name of a tool",
        "the tool \"twice\" is there twice",
        "tools/call is no method by itself",
        "a limit of no bytes",
        "no time to read a body",
        "tool \"spaced\": \"read write\" is not a scope",
        "method \"resources/read\": no scope is named",
        "others: a step-up that asks for nothing",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn hostile_names_are_faults() {
    for name in [
        "a\n",
        "a\0b",
        " a",
        "a ",
        "a\u{200b}",
        "\u{202e}evil",
        "\u{feff}a",
        "a\u{ad}b",
        "a\u{e0041}",
    ] {
        assert_eq!(problems(Tools::new().any_token(name)).len(), 1, "{name:?}");
        assert_eq!(problems(Tools::new().method(name, Scopes::all(["a"]))).len(), 1, "{name:?}");
    }
    assert_eq!(problems(Tools::new().any_token("x".repeat(129))).len(), 1);
}

#[tokio::test]
async fn rules_with_faults_refuse_everything() {
    let bed = Bed::new();
    let faulty = || Tools::new().any_token("read_file").any_token("");
    let (logs, guard) = Logs::capture();
    let get = Request::get("/mcp").body(Full::default()).expect("a request");
    for request in [call("read_file"), get] {
        let answer = through(&bed, faulty(), request).await;
        assert_plain(&answer, 500, Kind::InvalidRequirement);
    }
    drop(guard);
    assert!(logs.text().contains("tools unusable"));
}

#[tokio::test]
async fn the_metadata_document_lists_the_scopes_of_all_tools() {
    let bed = Bed::new();
    let faulty = tools().tool("x", Scopes::all(["never"])).any_token("");
    assert!(bed.server.try_require_tools(faulty).is_err());
    let rules = tools().others(Scopes::any(["other", "offline_access"]));
    let _layer = bed.server.require_tools(rules);
    let metadata = bed.server.metadata();
    let request = Request::get(metadata.path()).body(()).expect("a request");
    let answer = read(metadata.oneshot(request).await.expect("infallible"), false).await;
    let mut scopes: Vec<_> = answer.json()["scopes_supported"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|scope| scope.as_str().map(str::to_owned))
        .collect();
    scopes.sort();
    // MCP-2026-07-28-R3-1
    assert_eq!(scopes, ["delete", "other", "read", "resources", "write"]);
}
