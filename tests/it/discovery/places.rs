//! Where the metadata is looked for, and in which order.

use tower_resource_server::{Issuer, MetadataError, RefreshError};

use super::bed::{JWKS, OAUTH, OPENID, Realm, failures};
use crate::keys::{Happened, assert_unavailable};
use crate::observability::Capture;
use crate::support::{table, trusting};

const INSERTED_OAUTH: &str = "https://as.example.com/.well-known/oauth-authorization-server/t1";
const INSERTED_OPENID: &str = "https://as.example.com/.well-known/openid-configuration/t1";
const APPENDED_OPENID: &str = "https://as.example.com/t1/.well-known/openid-configuration";

#[tokio::test]
async fn the_places_of_the_vectors_are_asked() {
    let rows = table("as_metadata_well_known");
    assert_eq!(rows.len(), 3);
    for row in rows {
        let text = |name: &str| row[name].as_str();
        let identifier = text("issuer").expect("an issuer");
        let realm = Realm::of(identifier, |builder| builder);
        assert_unavailable(&realm.send(&realm.token()).await);
        let asked = realm.asked();
        // R8414-3-1: inserted between host and path, without the slash that ends it.
        assert_eq!(asked.first().map(ToString::to_string).as_deref(), text("rfc8414"));
        // ODISC-4.1-1: appended, without that slash.
        assert_eq!(asked.last().map(ToString::to_string).as_deref(), text("oidc"));
        if let Some(inserted) = text("rfc8414_oidc_insert") {
            assert_eq!(asked[1], inserted);
        }
    }
}

#[tokio::test]
async fn the_first_place_with_a_document_counts() {
    let places = [INSERTED_OAUTH, INSERTED_OPENID, APPENDED_OPENID];
    for (at, place) in places.into_iter().enumerate() {
        let realm = Realm::of("https://as.example.com/t1", |builder| builder);
        for later in &places[at..] {
            realm.fetch.json_at(later, realm.document_with("https://other.example/never"));
        }
        realm.fetch.json_at(place, realm.document());
        realm.publish();
        realm.serves().await;
        // R8414-5-1: OAuth inserted, OpenID inserted, OpenID appended; then the keys.
        let mut expected = places[..=at].to_vec();
        expected.push(JWKS);
        assert_eq!(realm.asked(), expected);
    }
}

#[tokio::test]
async fn a_place_that_says_no_is_passed_over() {
    for status in [400, 401, 403, 404, 405, 410, 429] {
        let realm = Realm::empty();
        realm.fetch.at(OAUTH, status, "text/html", "<p>no</p>");
        realm.fetch.json_at(OPENID, realm.document());
        realm.publish();
        realm.serves().await;
        // R8414-3.2-1: 404, and the rest of its kind, leads to the next place.
        assert_eq!(realm.asked(), [OAUTH, OPENID, JWKS], "{status}");
    }
}

/// Servers answer for a place that they do not know with a redirect to a page, and proxies for one
/// that they do not route with an error of theirs. The issuer in the document has to be right anyway.
#[tokio::test]
async fn a_place_in_trouble_is_passed_over_and_not_followed() {
    for status in [201, 204, 301, 302, 307, 304, 500, 502, 503] {
        let realm = Realm::empty();
        let moved = http::Response::builder().status(status).header("location", OPENID);
        realm.fetch.respond_with(moved.body(bytes::Bytes::new()).expect("a response"));
        realm.fetch.json_at(OPENID, realm.document());
        realm.publish();
        realm.send(&realm.token()).await.assert_ok();
        assert_eq!(realm.asked(), [OAUTH, OPENID, JWKS], "{status}");
    }
}

#[tokio::test]
async fn trouble_is_told_where_no_place_has_a_document() {
    for status in [201, 204, 301, 302, 307, 304, 500, 502, 503] {
        let realm = Realm::empty();
        let moved = http::Response::builder().status(status).header("location", JWKS);
        realm.fetch.respond_with(moved.body(bytes::Bytes::new()).expect("a response"));
        realm.publish();
        let log = Capture::start();
        assert_unavailable(&realm.send(&realm.token()).await);
        assert_eq!(realm.asked(), [OAUTH, OPENID], "{status}: it is not followed");
        let error = MetadataError::Status;
        assert_eq!(
            realm.told.all(),
            [Happened::NoMetadata(error), Happened::NoKeys(RefreshError::Metadata(error))]
        );
        let failed = failures(&log);
        assert_eq!(failed.len(), 1, "{failed:?}");
        let cause = format!("{OAUTH} answered {status}, {OPENID} answered 404");
        assert_eq!(failed[0].get("cause"), Some(cause.as_str()));
    }
}

#[tokio::test]
async fn nowhere_is_told_with_every_place() {
    let realm = Realm::empty();
    realm.fetch.at(OPENID, 403, "text/plain", "");
    let log = Capture::start();
    assert_unavailable(&realm.send(&realm.token()).await);
    let failed = failures(&log);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].get("message"), Some("metadata refresh failed"));
    assert_eq!(failed[0].get("error"), Some("no well-known place has a document"));
    let cause = format!("{OAUTH} answered 404, {OPENID} answered 403");
    assert_eq!(failed[0].get("cause"), Some(cause.as_str()));
    assert_eq!(failed[0].get("old_document_kept"), Some("false"));
}

#[tokio::test]
async fn documents_are_asked_for_as_json() {
    let realm = Realm::loaded().await;
    let request = &realm.fetch.exchanges()[0];
    assert_eq!(request.method(), http::Method::GET);
    assert_eq!(request.headers()["accept"], "application/json");
    // Firewalls refuse those without a name, as if there were no document.
    let name = concat!("tower-resource-server/", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.headers()["user-agent"], name);
    assert_eq!(request.headers().len(), 2);
    assert!(request.body().is_empty());
}

#[test]
fn an_identifier_is_https_without_query_and_fragment() {
    for identifier in [
        "https://as.example.com?x",
        "https://as.example.com/?tenant=1",
        "https://as.example.com#x",
        "http://as.example.com",
        "as.example.com",
        "urn:example:as",
        "",
    ] {
        let builder = trusting(Issuer::discover(identifier));
        let error = builder.build().expect_err(identifier);
        // R8414-2-1: refused when the server is configured.
        assert_eq!(error.faults()[0].setting(), "issuer", "{identifier:?}");
    }
}

#[test]
fn a_loopback_issuer_is_looked_up_where_that_is_allowed() {
    let discover = || trusting(Issuer::discover("http://127.0.0.1:9000"));
    let error = discover().build().expect_err("in the clear");
    assert_eq!(error.faults()[0].setting(), "issuer");
    assert!(error.faults()[0].suggestion().contains("allow_loopback()"));
    #[cfg(feature = "http-client")]
    discover().allow_loopback().build().expect("a valid configuration");
    let fetch = tower_resource_server::testing::ScriptedFetch::new();
    discover().fetch(fetch).build().expect("a valid configuration");
}
