//! Authorization details (RFC 9396): the claim, what routes demand of it, what handlers read.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tower_resource_server::testing::{Endpoint, FixedClock, TestAuthorizationServer, TestIssuer};
use tower_resource_server::{
    AuthorizationDetails, ClaimsError, ClientAuthentication, Introspection, Issuer, Predicate,
    RejectionKind, Requirement, ResourceMetadata, ResourceServer, Scopes, StepUp,
};

use crate::metadata::document;
use crate::support::{Answer, Bed, ISSUER, NOW, RESOURCE, bearer, grant, payload, send};

const CLAIM: &str = "authorization_details";

/// The answer of a route with that requirement to a token of scope `read` with these details.
async fn ask(bed: &Bed, requirement: impl Into<Requirement>, details: Value) -> Answer {
    let layers = (bed.server.authenticate(), bed.server.require(requirement));
    let token = bed.issuer.token().scope("read").claim(CLAIM, details);
    send(layers, bearer(&token.build())).await
}

fn payment() -> AuthorizationDetails {
    AuthorizationDetails::of_type("payment")
}

/// A 403 for want of details: no scope to ask for, since the route names none.
fn assert_lacks_details(answer: &Answer) {
    answer.assert_error_of("Bearer", http::StatusCode::FORBIDDEN, "insufficient_scope");
    assert_eq!(answer.kind(), Some(RejectionKind::InsufficientAuthorizationDetails));
}

#[tokio::test]
async fn the_claim_is_an_array_of_objects_with_a_type() {
    let bed = Bed::new();
    for bad in [
        json!("payment"),
        json!(null),
        json!(1),
        json!({ "type": "payment" }),
        json!(["payment"]),
        json!([[]]),
        json!([null]),
        json!([{}]),
        json!([{ "type": 1 }]),
        json!([{ "type": ["payment"] }]),
        json!([{ "type": "payment" }, { "actions": ["read"] }]),
    ] {
        for _ in 0..2 {
            // R9396-9.1-1: whether or not the route asks for it, malformed and never granted.
            let token = bed.issuer.token().claim(CLAIM, bad.clone()).build();
            let answer = bed.bearer(&token).await;
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::InvalidClaim), "{bad}");
        }
    }
    for good in [json!([]), json!([{ "type": "payment" }]), json!([{ "type": "a", "x": {} }])] {
        // R9396-9.1-1: a good one hinders nobody.
        let token = bed.issuer.token().claim(CLAIM, good).build();
        bed.bearer(&token).await.assert_ok();
    }
}

#[tokio::test]
async fn an_object_that_two_readers_could_read_differently_is_refused() {
    let bed = Bed::new();
    for object in [
        r#"{"type":"payment","type":"foo"}"#,
        r#"{"type":"payment","cents":1,"cents":100}"#,
        r#"{"type":"payment","t\u0079pe":"foo"}"#,
    ] {
        let text = payload(&format!("\"{CLAIM}\":[{object}],"));
        let answer = bed.bearer(&bed.issuer.token().raw_payload(text).build()).await;
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(RejectionKind::InvalidClaim), "{object}");
    }
}

#[tokio::test]
async fn an_unknown_type_grants_nothing() {
    let bed = Bed::new();
    ask(&bed, payment(), json!([{ "type": "payment" }])).await.assert_ok();
    ask(&bed, payment(), json!([{ "type": "foo" }, { "type": "payment" }])).await.assert_ok();
    for other in [
        json!([]),
        json!([{ "type": "foo" }]),
        json!([{ "type": "Payment" }]),
        json!([{ "type": "payments" }]),
        json!([{ "type": "" }]),
        json!([{ "type": "foo", "subtype": "payment" }]),
    ] {
        // R9396-2-1: neither another type nor a field that nobody knows.
        assert_lacks_details(&ask(&bed, payment(), other).await);
    }
    let layers = (bed.server.authenticate(), bed.server.require(payment()));
    let without = send(layers, bearer(&bed.token())).await;
    // R9396-3-2: the code of RFC 6750, with a description.
    assert_lacks_details(&without);
    let challenge = without.challenge();
    assert_eq!(challenge.get("scope"), None);
    assert_eq!(
        challenge.get("error_description"),
        Some("The access token lacks authorization details that this request needs")
    );
    assert!(challenge.get("resource_metadata").is_some());
}

#[tokio::test]
async fn a_type_is_compared_as_it_is_meant_not_as_it_is_written() {
    let bed = Bed::new();
    let text = payload(&format!("\"{CLAIM}\" : [ {{ \"t\\u0079pe\" : \"pay\\u006dent\" }} ] ,"));
    let layers = || (bed.server.authenticate(), bed.server.require(payment()));
    let token = bed.issuer.token().raw_payload(text).build();
    for _ in 0..2 {
        send(layers(), bearer(&token)).await.assert_ok();
    }
}

#[tokio::test]
async fn common_fields_contain_all_that_is_demanded() {
    let bed = Bed::new();
    type Demand = fn(AuthorizationDetails, &[&str]) -> AuthorizationDetails;
    let fields: [(&str, Demand); 4] = [
        ("actions", |leaf, values| leaf.actions(values.iter().copied())),
        ("locations", |leaf, values| leaf.locations(values.iter().copied())),
        ("datatypes", |leaf, values| leaf.datatypes(values.iter().copied())),
        ("privileges", |leaf, values| leaf.privileges(values.iter().copied())),
    ];
    for (field, demand) in fields {
        let both = || demand(payment(), &["a", "b"]);
        let with = |value: Value| json!([{ "type": "payment", field: value }]);
        for good in [json!(["a", "b"]), json!(["c", "b", "a"])] {
            ask(&bed, both(), with(good)).await.assert_ok();
        }
        for bad in
            [json!(["a"]), json!([]), json!("a b"), json!("ab"), json!(null), json!(["A", "B"])]
        {
            assert_lacks_details(&ask(&bed, both(), with(bad)).await);
        }
        // One that is not of strings contains nothing, and spoils no other object.
        let mixed = json!([
            { "type": "payment", field: ["a", "b", 1] },
            { "type": "payment", field: { "a": "b" } },
        ]);
        assert_lacks_details(&ask(&bed, both(), mixed).await);
        assert_lacks_details(&ask(&bed, both(), json!([{ "type": "payment" }])).await);
    }
}

#[tokio::test]
async fn one_object_has_it_all() {
    let bed = Bed::new();
    let both = || payment().actions(["read"]).actions(["write"]).identifier("7");
    let whole = json!([{ "type": "payment", "actions": ["read", "write"], "identifier": "7" }]);
    ask(&bed, both(), whole).await.assert_ok();
    for split in [
        json!([
            { "type": "payment", "actions": ["read"], "identifier": "7" },
            { "type": "payment", "actions": ["write"], "identifier": "7" },
        ]),
        json!([
            { "type": "payment", "actions": ["read", "write"] },
            { "type": "payment", "identifier": "7" },
        ]),
        json!([
            { "type": "payment", "identifier": "7" },
            { "type": "foo", "actions": ["read", "write"], "identifier": "7" },
        ]),
        json!([{ "type": "payment", "actions": ["read", "write"], "identifier": 7 }]),
        json!([{ "type": "payment", "actions": ["read", "write"], "identifier": "77" }]),
    ] {
        assert_lacks_details(&ask(&bed, both(), split).await);
    }
    let apart = || payment().actions(["read"]).and(payment().actions(["write"]));
    let split = json!([{ "type": "payment", "actions": ["read"] }, { "type": "payment", "actions": ["write"] }]);
    ask(&bed, apart(), split).await.assert_ok();
}

#[tokio::test]
async fn a_test_sees_the_fields_of_the_api() {
    let bed = Bed::new();
    let small = || {
        let is_small = |fields: &serde_json::Map<String, Value>| {
            fields.get("cents").and_then(Value::as_u64).is_some_and(|cents| cents <= 100)
        };
        payment().matching(is_small).matching(|fields| fields.contains_key("cents"))
    };
    ask(&bed, small(), json!([{ "type": "payment", "cents": 100 }])).await.assert_ok();
    for bad in [
        json!([{ "type": "payment", "cents": 101 }]),
        json!([{ "type": "payment", "cents": "100" }]),
        json!([{ "type": "payment" }]),
        json!([{ "type": "foo", "cents": 1 }]),
    ] {
        assert_lacks_details(&ask(&bed, small(), bad).await);
    }
}

#[tokio::test]
async fn scope_and_details_are_both_needed() {
    let bed = Bed::new();
    let details = || json!([{ "type": "payment" }]);
    let read = || Scopes::all(["read"]).and(payment());
    ask(&bed, read(), details()).await.assert_ok();
    // R9396-3-1: the scope alone does not do …
    let answer = ask(&bed, read(), json!([])).await;
    answer.assert_s403("read");
    // R9396-3-2
    assert_eq!(answer.kind(), Some(RejectionKind::InsufficientAuthorizationDetails));
    // R9396-3-1: … nor do the details.
    let answer = ask(&bed, payment().and(Scopes::all(["write"])), details()).await;
    answer.assert_s403("write");
    assert_eq!(answer.kind(), Some(RejectionKind::InsufficientScope));
    // R9396-3-1: nor when two layers demand one each.
    let layers =
        (bed.server.authenticate().require(Scopes::all(["write"])), bed.server.require(payment()));
    let token = bed.issuer.token().scope("read").claim(CLAIM, details()).build();
    send(layers, bearer(&token)).await.assert_s403("write");
}

#[tokio::test]
async fn of_all_that_is_missing_the_answer_names_the_first() {
    let bed = Bed::new();
    let never = || Predicate::new("Never", |_| false);
    let step_up = || StepUp::within(Duration::from_secs(60));
    let write = || Scopes::all(["write"]);
    let kind = async |requirement: Requirement| ask(&bed, requirement, json!([])).await.kind();
    use RejectionKind::{
        InsufficientAuthentication, InsufficientAuthorizationDetails, InsufficientScope,
    };
    let all = never().and(payment()).and(write()).and(step_up());
    assert_eq!(kind(all).await, Some(InsufficientAuthentication));
    assert_eq!(kind(never().and(payment()).and(write())).await, Some(InsufficientScope));
    assert_eq!(kind(never().and(payment())).await, Some(InsufficientAuthorizationDetails));
    // Of alternatives, what the first lacks.
    assert_eq!(kind(payment().or(write())).await, Some(InsufficientAuthorizationDetails));
    assert_eq!(kind(write().or(payment())).await, Some(InsufficientScope));
    ask(&bed, payment().or(Scopes::all(["read"])), json!([])).await.assert_ok();
}

#[tokio::test]
async fn a_faulty_demand_is_found_out_and_refuses_everything() {
    let bed = Bed::new();
    for (faulty, words) in [
        (AuthorizationDetails::of_type(""), "no type"),
        (payment().actions([""; 0]), "list of actions"),
        (payment().actions(["a"]).locations([""; 0]), "list of locations"),
    ] {
        let error = bed.server.try_require(faulty.clone()).expect_err(words);
        assert_eq!(error.faults().len(), 1);
        assert!(error.to_string().contains(words), "{error}");
        let answer = ask(&bed, faulty, json!([{ "type": "" }, { "type": "payment" }])).await;
        assert_eq!(answer.kind(), Some(RejectionKind::InvalidRequirement));
        assert_eq!(answer.status, 500);
    }
}

#[tokio::test]
async fn types_that_layers_demand_are_in_the_metadata_document() {
    const MEMBER: &str = "authorization_details_types_supported";
    let bed = Bed::new();
    assert_eq!(document(&bed.server).await.get(MEMBER), None);
    let _layer = bed.server.require(Scopes::all(["x"]).or(payment()));
    // R9396-10-1: whatever they are joined with …
    assert_eq!(document(&bed.server).await[MEMBER], json!(["payment"]));
    let account = AuthorizationDetails::of_type("account").and(payment());
    let _layer = bed.server.authenticate().require(account);
    // R9396-10-1: … each once, also after the document was first served.
    assert_eq!(document(&bed.server).await[MEMBER], json!(["account", "payment"]));

    let chosen = |types: &'static [&'static str]| {
        let metadata = ResourceMetadata::new().authorization_details_types(types.iter().copied());
        Bed::with(|builder| builder.metadata(metadata))
    };
    let bed = chosen(&["other"]);
    let _layer = bed.server.require(payment());
    // R9396-10-1: the application's own list takes their place …
    assert_eq!(document(&bed.server).await[MEMBER], json!(["other"]));
    let bed = chosen(&[]);
    let _layer = bed.server.require(payment());
    // R9396-10-1: … and an empty one leaves the member out.
    assert_eq!(document(&bed.server).await.get(MEMBER), None);
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Detail {
    Payment {
        cents: u64,
    },
    #[serde(other)]
    Unknown,
}

#[tokio::test]
async fn handlers_read_details_as_a_type_of_their_own() {
    let bed = Bed::new();
    let details = json!([{ "type": "payment", "cents": 5 }, { "type": "foo", "bar": [] }]);
    let token = bed.issuer.token().claim(CLAIM, details.clone()).build();
    let held = grant(&bed.server, &token).await;
    let expected = vec![Detail::Payment { cents: 5 }, Detail::Unknown];
    assert_eq!(held.authorization_details::<Detail>(), Ok(expected));
    let raw: Vec<Value> = held.authorization_details().expect("values fit anything");
    assert_eq!(Value::from(raw), details);

    let bad = json!([{ "type": "payment", "cents": "5" }]);
    let held = grant(&bed.server, &bed.issuer.token().claim(CLAIM, bad).build()).await;
    assert!(matches!(held.authorization_details::<Detail>(), Err(ClaimsError { .. })));
    let none = grant(&bed.server, &bed.token()).await;
    assert_eq!(none.authorization_details::<Detail>(), Ok(Vec::new()));
}

#[tokio::test]
async fn details_of_an_answer_are_like_those_of_a_token() {
    let clock = FixedClock::at(NOW);
    let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
    let authorization_server = TestAuthorizationServer::of(issuer);
    let endpoint = authorization_server.url(Endpoint::Introspection);
    let asking = Introspection::at(endpoint, ClientAuthentication::client_id_only("api"));
    let server = ResourceServer::builder(RESOURCE)
        .issuer(Issuer::introspection(ISSUER, asking))
        .fetch(authorization_server.clone())
        .clock(clock)
        .build()
        .expect("valid");
    let opaque = |details: Value| {
        authorization_server.opaque(&authorization_server.token().claim(CLAIM, details))
    };
    let ask = async |token: &str, demand: AuthorizationDetails| {
        send((server.authenticate(), server.require(demand)), bearer(token)).await
    };
    let token = opaque(json!([{ "type": "payment", "cents": 5 }]));
    for _ in 0..2 {
        // R9396-9.2-1: demanded …
        ask(&token, payment()).await.assert_ok();
        assert_lacks_details(&ask(&token, AuthorizationDetails::of_type("foo")).await);
    }
    let held = grant(&server, &token).await;
    // R9396-9.2-1: … and read in the same way.
    let expected = vec![Detail::Payment { cents: 5 }];
    assert_eq!(held.authorization_details::<Detail>().expect("they fit"), expected);
    let broken = ask(&opaque(json!([{ "cents": 5 }])), payment()).await;
    // R9396-9.2-1: an answer that cannot be read is the issuer's fault and never grants anything.
    broken.assert_x503();
    assert_eq!(broken.kind(), Some(RejectionKind::IntrospectionUnavailable));
}

#[tokio::test]
async fn handlers_demand_details_too() {
    let bed = Bed::new();
    let details = json!([{ "type": "payment", "identifier": "7" }]);
    let token = bed.issuer.token().claim(CLAIM, details).build();
    let held = grant(&bed.server, &token).await;
    assert!(held.require(payment().identifier("7")).is_ok());
    let refused = held.require(payment().identifier("8")).expect_err("another account");
    assert_eq!(refused.kind(), RejectionKind::InsufficientAuthorizationDetails);
}
