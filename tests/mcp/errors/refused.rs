//! Refusals for want of a better token for this server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Extensions;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use rmcp::ErrorData;
use rmcp::model::CallToolResult;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_resource_server::mcp::{self, Answer, Call, Revision, ToolError, Unauthorized};
use tower_resource_server::render::ProblemJson;
use tower_resource_server::{Event, Grant, Observer, Predicate, ResourceServer, Scopes, StepUp};

use super::{call, read, text};
use crate::support::{Bed, bearer, get, grant};

const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource";

/// What a tool gets that needs more than `read`.
async fn lacking_scope(bed: &Bed) -> ToolError {
    let grant = grant(&bed.server, &bed.token()).await;
    grant.require(Scopes::all(["notes/write", "notes/read"])).expect_err("it has `read`").into()
}

#[tokio::test]
async fn before_the_response_has_begun_it_is_the_403_of_the_layer() {
    let bed = Bed::with(|builder| builder.envelope(ProblemJson::default()));
    let error = lacking_scope(&bed).await;
    let response = error.response(&call(Revision::V2025_11_25));
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(
        response.headers()[WWW_AUTHENTICATE],
        format!(
            "Bearer error=\"insufficient_scope\", scope=\"notes/write notes/read\", \
             resource_metadata=\"{METADATA}\", \
             error_description=\"The access token lacks a scope that this request needs\""
        )
    );
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(body["status"], 403, "in the server's own envelope: {body}");
}

#[tokio::test]
async fn afterwards_it_is_a_tool_result_that_says_what_the_challenge_would() {
    let error = lacking_scope(&Bed::new()).await;
    let description = "The access token lacks a scope that this request needs";
    let challenge = format!(
        "Bearer error=\"insufficient_scope\", scope=\"notes/write notes/read\", \
         resource_metadata=\"{METADATA}\", error_description=\"{description}\""
    );
    for revision in Revision::ALL.iter().copied() {
        let Answer::ToolResult(result) = error.answer(&call(revision)) else {
            panic!("{revision}")
        };
        read::<CallToolResult>(&result);
        assert_eq!(text(&result), description);
        assert_eq!(
            result["_meta"],
            json!({
                "code": "FORBIDDEN",
                "kind": "insufficient-scope",
                "error": "insufficient_scope",
                "error_description": description,
                "scope": "notes/write notes/read",
                "resource_metadata": METADATA,
                "mcp/www_authenticate": [challenge],
            })
        );
    }
}

#[tokio::test]
async fn as_an_error_object_it_has_the_members_of_the_envelope() {
    let error = lacking_scope(&Bed::new()).await;
    let object = error.error(Revision::V2025_11_25);
    read::<ErrorData>(&object);
    assert_eq!(
        object,
        json!({
            "code": -32003,
            "message": "The access token lacks a scope that this request needs",
            "data": {
                "kind": "insufficient-scope",
                "error": "insufficient_scope",
                "error_description": "The access token lacks a scope that this request needs",
                "scope": "notes/write notes/read",
            },
        })
    );
    assert_eq!(error.error(Revision::V2026_07_28)["code"], -32600, "no code of the old range");
}

#[tokio::test]
async fn a_step_up_is_told_with_its_parameters() {
    let bed = Bed::new();
    let grant = grant(&bed.server, &bed.token()).await;
    let rejection = grant
        .require(StepUp::acr(["urn:mfa"]).max_age(Duration::from_secs(60)))
        .expect_err("no acr");
    let result = ToolError::from(rejection).tool_result(Revision::LATEST);
    assert_eq!(result["_meta"]["code"], "UNAUTHORIZED");
    assert_eq!(result["_meta"]["error"], "insufficient_user_authentication");
    let challenge = result["_meta"]["mcp/www_authenticate"][0].as_str().expect("a challenge");
    assert!(challenge.contains("acr_values=\"urn:mfa\", max_age=\"60\""), "{challenge}");
}

#[tokio::test]
async fn a_server_at_fault_has_no_challenge_to_tell() {
    let bed = Bed::new();
    let grant = grant(&bed.server, &bed.token()).await;
    let rejection = grant.require(Scopes::all(["not a scope"])).expect_err("a faulty requirement");
    let error = ToolError::from(rejection);
    assert_eq!(error.status(), 500);
    let result = error.tool_result(Revision::LATEST);
    assert_eq!(result["_meta"], json!({ "code": "INTERNAL_ERROR", "kind": "invalid-requirement" }));
    assert_eq!(error.error(Revision::LATEST)["code"], -32603);
}

#[tokio::test]
async fn the_reason_of_a_predicate_is_told_if_it_is_fit_to_be() {
    let bed = Bed::new();
    let grant = grant(&bed.server, &bed.token()).await;
    let refused = |reason: &'static str| {
        let rejection = grant.require(Predicate::new(reason, |_| false)).expect_err("never");
        ToolError::from(rejection).tool_result(Revision::LATEST)
    };
    assert_eq!(text(&refused("The tenant has no such plan")), "The tenant has no such plan");
    let spoof = refused("no\r\nTo authorize, click: https://evil.example \u{202e}");
    assert_eq!(spoof["_meta"]["kind"], "invalid-requirement");
    assert!(!spoof.to_string().contains("evil"), "{spoof}");
}

#[tokio::test]
async fn a_token_that_counts_no_longer_has_to_be_thrown_away() {
    let bed = Bed::new();
    let grant = grant(&bed.server, &bed.token()).await;
    let error = ToolError::from(Unauthorized::again(&grant).message("The account was closed"));
    assert_eq!(error.code(), "UNAUTHORIZED");
    let response = error.response(&call(Revision::LATEST));
    assert_eq!(response.status(), 401);
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().expect("ASCII");
    assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
    assert!(!challenge.contains("closed"), "texts of handlers stay out of challenges: {challenge}");

    let result = error.tool_result(Revision::LATEST);
    assert_eq!(text(&result), "The account was closed");
    assert_eq!(result["_meta"]["error"], "invalid_token");
    assert_eq!(result["_meta"]["resource_metadata"], METADATA);
    assert_eq!(error.error(Revision::V2025_06_18)["code"], -32001);
}

/// The extensions that the inner service sees.
async fn extensions(server: &ResourceServer, token: Option<&str>) -> Extensions {
    let inner = service_fn(|request: http::Request<_>| async move {
        let _: &http_body_util::Full<bytes::Bytes> = request.body();
        let mut response = http::Response::new(http_body_util::Full::<bytes::Bytes>::default());
        response.extensions_mut().extend(request.extensions().clone());
        Ok::<_, std::convert::Infallible>(response)
    });
    let request = match token {
        Some(token) => bearer(token),
        None => get(&[]),
    };
    let service = server.authenticate().optional().layer(inner);
    service.oneshot(request).await.expect("infallible").into_parts().0.extensions
}

#[tokio::test]
async fn a_tool_finds_its_grant_or_the_right_refusal() {
    let bed = Bed::new();
    let with = extensions(&bed.server, Some(&bed.token())).await;
    assert_eq!(mcp::grant(&with).ok().and_then(Grant::subject), Some("user-1"));

    let without = extensions(&bed.server, None).await;
    let error = mcp::grant(&without).expect_err("anonymous");
    let response = error.response(&Call::new(Revision::LATEST));
    assert_eq!(response.status(), 401);
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().expect("ASCII");
    assert!(!challenge.contains("error="), "RFC 6750 section 3.1: {challenge}");
    let meta = &error.tool_result(Revision::LATEST)["_meta"];
    assert_eq!(meta["kind"], "missing-credentials");
    assert!(meta.get("error").is_none());
    let told = meta["mcp/www_authenticate"].as_array().expect("challenges");
    let sent: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
    assert_eq!(told.iter().filter_map(Value::as_str).collect::<Vec<_>>(), sent);

    let error = mcp::grant(&Extensions::new()).expect_err("no layer at all");
    assert!(matches!(error, ToolError::Internal(_)), "never taken for an anonymous caller");
    assert_eq!(error.status(), 500);
}

/// Neither the token nor anything in it but what was asked for.
#[tokio::test]
async fn no_form_holds_the_token() {
    let bed = Bed::new();
    let token = bed.token();
    let grant = grant(&bed.server, &token).await;
    let short = grant.require(Scopes::all(["admin"])).expect_err("no such scope");
    for error in [ToolError::from(short), Unauthorized::again(&grant).into()] {
        let call = call(Revision::V2025_11_25);
        let response = error.response(&call);
        let forms = [
            error.answer(&call).into_message(&call).to_string(),
            error.error(Revision::LATEST).to_string(),
            format!("{error} {error:?} {:?}", response.headers()),
            String::from_utf8_lossy(response.body()).into_owned(),
        ];
        for form in forms {
            for part in token.split('.').chain(["user-1"]) {
                assert!(!form.contains(part), "{form}");
            }
        }
    }
}

/// Counts refusals.
#[derive(Clone, Debug, Default)]
struct Refusals(Arc<AtomicUsize>);

impl Observer for Refusals {
    fn observe(&self, event: &Event<'_>) {
        if matches!(event, Event::Refused { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test]
async fn each_answer_to_a_refusal_is_counted_once() {
    let refusals = Refusals::default();
    let bed = Bed::with(|builder| builder.observer(refusals.clone()));
    let counted = || refusals.0.swap(0, Ordering::Relaxed);
    let grant = grant(&bed.server, &bed.token()).await;
    let short = || grant.require(Scopes::all(["admin"])).expect_err("no such scope");
    for error in [ToolError::from(short()), Unauthorized::again(&grant).into()] {
        assert_eq!(counted(), 0, "not before it is sent");
        let _ = error.answer(&call(Revision::LATEST));
        assert_eq!(counted(), 1);
        let _ = error.tool_result(Revision::LATEST);
        assert_eq!(counted(), 1);
        let _ = error.error(Revision::LATEST);
        assert_eq!(counted(), 1);
        let _ = error.response(&call(Revision::LATEST));
        assert_eq!(counted(), 1);
    }
}
