//! Faults of the server, of the client's version, and calls without a session.

use std::error::Error;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use rmcp::ErrorData;
use rmcp::model::{ErrorCode, JsonRpcError, ProtocolVersion};
use serde_json::{Value, json};
use tower_resource_server::mcp::{
    Answer, Call, ConfigurationError, InternalError, MissingClientCapability, Revision,
    SessionMissing, ToolError, UnsupportedClientVersion,
};
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Issuer, RejectionKind, ResourceServer};

use super::{all, read, text};

fn body(error: &ToolError, call: &Call) -> Value {
    serde_json::from_slice(error.response(call).body()).expect("JSON")
}

/// `err_` and 16 hexadecimal digits.
fn assert_error_id(id: &str) {
    let digits = id.strip_prefix("err_").expect("the prefix");
    assert!(digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
}

#[test]
fn an_internal_error_shows_its_id_and_nothing_of_its_cause() {
    let error = InternalError::caused_by("db-7.internal: password hunter2 refused");
    let id = error.error_id().expect("random bytes").to_owned();
    assert_error_id(&id);
    assert_ne!(InternalError::new().error_id(), Some(id.as_str()));
    assert_eq!(
        error.source().expect("kept").to_string(),
        "db-7.internal: password hunter2 refused"
    );

    let error = ToolError::from(error);
    let sentence = format!("Internal error. Please contact support with error ID: {id}");
    assert_eq!(error.to_string(), sentence);
    assert!(error.source().is_some());
    for revision in Revision::ALL.iter().copied() {
        let call = Call::new(revision);
        let object = json!({ "code": -32603, "message": sentence, "data": { "errorId": id } });
        assert_eq!(error.answer(&call), Answer::Error(object.clone()));
        assert_eq!(body(&error, &call)["error"], object);
        let result = error.tool_result(revision);
        assert_eq!(text(&result), sentence);
        assert_eq!(result["_meta"], json!({ "code": "INTERNAL_ERROR", "errorId": id }));
    }
}

#[test]
fn a_configuration_error_keeps_its_faults_for_the_operator() {
    let error = ConfigurationError::new("Invalid auth configuration")
        .faults(["transparent mode needs one provider", "db-7 has no password"])
        .suggestion("use the orchestrated mode");
    let log = error.to_string();
    for part in ["Invalid auth", "transparent mode", "db-7", "use the orchestrated", "err_"] {
        assert!(log.contains(part), "{log}");
    }
    let id = error.error_id().expect("random bytes").to_owned();
    assert!(log.contains(&id));

    let error = ToolError::from(error);
    assert_eq!(error.status(), 500);
    let result = error.tool_result(Revision::LATEST);
    assert_eq!(result["_meta"], json!({ "code": "AUTH_CONFIGURATION_ERROR", "errorId": id }));
    for form in [result, error.error(Revision::LATEST), body(&error, &Call::new(Revision::LATEST))]
    {
        let form = form.to_string();
        assert!(
            form.contains(&id) && !form.contains("db-7") && !form.contains("orchestrated"),
            "{form}"
        );
    }
}

#[test]
fn a_disclosed_configuration_error_lists_faults_and_suggestion() {
    let error = ConfigurationError::new("Invalid auth configuration")
        .faults(["transparent mode needs one provider"])
        .suggestion("use the orchestrated mode")
        .disclosed();
    let id = error.error_id().expect("random bytes").to_owned();
    let result = ToolError::from(error).tool_result(Revision::V2025_11_25);
    assert_eq!(text(&result), "Invalid auth configuration");
    assert_eq!(
        result["_meta"],
        json!({
            "code": "AUTH_CONFIGURATION_ERROR",
            "errorId": id,
            "errors": ["transparent mode needs one provider"],
            "suggestion": "use the orchestrated mode",
        })
    );
}

#[test]
fn the_faults_of_a_builder_become_one_configuration_error() {
    let build = |resource: &str| {
        let keys = TestIssuer::new("https://as.example.com").jwks();
        let issuer = Issuer::jwks("https://as.example.com", keys);
        let builder = ResourceServer::builder(resource).issuer(issuer);
        builder.leeway(std::time::Duration::from_secs(3600)).build().expect_err("faults")
    };
    let two = build("http://api.example.com");
    assert_eq!(two.faults().len(), 2);
    let error = ConfigurationError::from(&two);
    let expected: Vec<_> = two
        .faults()
        .iter()
        .map(|fault| format!("{}: {}", fault.setting(), fault.problem()))
        .collect();
    assert_eq!(error.all_faults(), expected);
    for fault in two.faults() {
        assert!(error.to_string().contains(fault.suggestion()), "{error}");
    }
    let one = build("https://api.example.com");
    let suggestion = one.faults()[0].suggestion().to_owned();
    let ToolError::Configuration(error) = ToolError::from(one) else { panic!("another error") };
    assert!(error.to_string().ends_with(&format!("\n  {suggestion}")), "{error}");
}

/// A 401 would cost the client a token that is good.
#[test]
fn a_missing_session_is_no_lack_of_authorization() {
    for (error, status, kind) in [
        (SessionMissing::unnamed(), 400, RejectionKind::MissingSession),
        (SessionMissing::unknown(), 404, RejectionKind::UnknownSession),
    ] {
        let error = ToolError::from(error);
        let call = Call::new(Revision::V2025_11_25).id("a");
        let response = error.response(&call);
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
        assert_eq!(
            body(&error, &call),
            json!({
                "jsonrpc": "2.0",
                "id": "a",
                "error": { "code": -32600, "message": kind.description(), "data": { "kind": kind.name() } },
            })
        );
    }
}

#[test]
fn a_client_of_another_version_is_told_which_there_are() {
    let error = ToolError::from(UnsupportedClientVersion::new("2024-01-01"));
    let call = Call::new(Revision::LATEST).id(3);
    assert_eq!(error.response(&call).status(), 400);
    let message: JsonRpcError = read(&body(&error, &call));
    let expected = ErrorData::unsupported_protocol_version(
        read::<ProtocolVersion>(&json!("2024-01-01")),
        &[
            ProtocolVersion::V_2025_06_18,
            ProtocolVersion::V_2025_11_25,
            ProtocolVersion::V_2026_07_28,
        ],
    );
    assert_eq!(message.error, expected, "as the SDK itself would say it");

    let older = error.error(Revision::V2025_11_25);
    assert_eq!(older["code"], -32602, "the codes of 2026-07-28 mean nothing to older clients");
    let one = UnsupportedClientVersion::new("1").supported([Revision::V2025_11_25]);
    assert_eq!(
        ToolError::from(one).error(Revision::LATEST)["data"]["supported"],
        json!(["2025-11-25"])
    );
}

#[test]
fn a_client_that_lacks_a_capability_is_told_which() {
    let error = ToolError::from(MissingClientCapability::url_elicitation());
    assert_eq!(error.status(), 400);
    let object: ErrorData = read(&error.error(Revision::LATEST));
    assert_eq!(object.code, ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY);
    let required = json!({ "requiredCapabilities": { "elicitation": { "url": {} } } });
    assert_eq!(object.data, Some(required));
    assert_eq!(error.error(Revision::V2025_06_18)["code"], -32602);

    let nonsense = ToolError::from(MissingClientCapability::new(json!("roots")));
    assert_eq!(nonsense.error(Revision::LATEST)["data"], json!({ "requiredCapabilities": {} }));
}

/// Clients of 2026-07-28 take a 400 that they cannot read for a server of an older revision.
#[test]
fn a_400_has_a_body_of_json_rpc() {
    let mut seen = 0;
    for error in all().into_iter().filter(|error| error.status() == 400) {
        for revision in Revision::ALL.iter().copied() {
            let call = Call::new(revision);
            let body = body(&error, &call);
            read::<JsonRpcError>(&body);
            assert!(body.get("id").is_none(), "{body}");
            seen += 1;
        }
    }
    assert_eq!(seen, 9);
}
