//! Whom a token is meant for (RFC 8707).

use serde_json::json;
use tower_resource_server::{Builder, ConfigError, ConfigFault, RejectionKind};

use crate::support::{Bed, RESOURCE, grant, send_vector};

const OTHER: &str = "https://other-api.example.com";

fn faults(change: impl FnOnce(Builder) -> Builder) -> Vec<&'static str> {
    let issuer = Bed::new().issuer;
    let built = change(issuer.resource_server(RESOURCE)).build();
    let error = built.err();
    let faults = error.as_ref().map_or(&[][..], ConfigError::faults);
    faults.iter().map(ConfigFault::setting).collect()
}

#[test]
fn an_audience_is_an_absolute_uri_without_fragment() {
    for audience in ["#x", "https://api.example.com#x", "/api", "api.example.com", "api", ""] {
        // R8707-2-1: relative or with a fragment, it is no resource indicator.
        assert_eq!(faults(|builder| builder.audience(audience)), ["audience"], "{audience:?}");
    }
    for audience in ["https://api.example.com/v1", "urn:example:api", "api://client-id"] {
        assert_eq!(faults(|builder| builder.audience(audience)), [""; 0], "{audience:?}");
    }
}

#[test]
fn a_name_that_is_no_uri_is_given_as_such() {
    assert_eq!(faults(|builder| builder.audience_name("orders")), [""; 0]);
    assert_eq!(faults(|builder| builder.audience_name("")), ["audience"]);
}

#[tokio::test]
async fn an_audience_is_compared_byte_for_byte() {
    // R8707-2-2: neither a slash more nor a prefix is the resource.
    for name in ["at-aud-slash", "at-aud-prefix"] {
        let answer = send_vector(name).await;
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience), "{name}");
    }
    let bed = Bed::new();
    for audience in [
        "https://API.example.com",
        "https://api.example.com:443",
        "https://api.example.com/r",
        "https://api.example.com.evil.example",
        "http://api.example.com",
        " https://api.example.com",
        "https://api.example.co",
        "https://*.example.com",
        "*",
        "",
    ] {
        let answer = bed.bearer(&bed.issuer.token().audience(audience).build()).await;
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience), "{audience:?}");
    }
}

#[tokio::test]
async fn each_of_several_audiences_is_accepted_and_nothing_between() {
    let bed = Bed::with(|builder| builder.audience(RESOURCE).audience(OTHER));
    // R8707-2-3: each of the list as it stands; no wildcard, no prefix.
    bed.bearer(&bed.issuer.token().audience(RESOURCE).build()).await.assert_ok();
    bed.bearer(&bed.issuer.token().audience(OTHER).build()).await.assert_ok();
    for audience in ["https://third.example.com", "https://other-api.example.com/x", "https://"] {
        bed.bearer(&bed.issuer.token().audience(audience).build()).await.assert_t401();
    }
}

#[tokio::test]
async fn a_configured_audience_takes_the_place_of_the_resource() {
    let bed = Bed::with(|builder| builder.audience(OTHER).audience_name("orders"));
    bed.bearer(&bed.issuer.token().audience(OTHER).build()).await.assert_ok();
    bed.bearer(&bed.issuer.token().audience("orders").build()).await.assert_ok();
    bed.bearer(&bed.issuer.token().audience(RESOURCE).build()).await.assert_t401();
}

#[tokio::test]
async fn other_audiences_beside_ours_are_fine_unless_refused() {
    let token = |bed: &Bed| bed.issuer.token().audiences([OTHER, RESOURCE]).build();
    let bed = Bed::new();
    bed.bearer(&token(&bed)).await.assert_ok();
    let grant = grant(&bed.server, &token(&bed)).await;
    assert_eq!(grant.audience().collect::<Vec<_>>(), [OTHER, RESOURCE]);

    let narrow = Bed::with(Builder::single_audience_only);
    let answer = narrow.bearer(&token(&narrow)).await;
    // R8707-2.2-1: by policy, a token for several resources is refused.
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience));
    for audience in [json!(RESOURCE), json!([RESOURCE])] {
        narrow.bearer(&narrow.issuer.token().claim("aud", audience).build()).await.assert_ok();
    }
    let twice = narrow.issuer.token().audiences([RESOURCE, RESOURCE]).build();
    narrow.bearer(&twice).await.assert_t401();
}

#[tokio::test]
async fn the_dangerous_opt_out_still_asks_for_an_audience() {
    let bed = Bed::with(|builder| builder.danger().accept_any_audience());
    bed.bearer(&bed.issuer.token().audience("https://anyone.example").build()).await.assert_ok();
    for token in [
        bed.issuer.token().without_claim("aud").build(),
        bed.issuer.token().claim("aud", json!([])).build(),
        bed.issuer.token().claim("aud", json!({})).build(),
    ] {
        bed.bearer(&token).await.assert_t401();
    }
}
