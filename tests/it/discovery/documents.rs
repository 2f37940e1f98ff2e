//! What of a document is believed.

use serde_json::{Value, json};
use tower_resource_server::fetch::FetchErrorKind;
use tower_resource_server::{Algorithm, Issuer, MetadataError, RefreshError, RejectionKind};

use super::bed::{JWKS, KEYS, OAUTH, OPENID, Realm, failures};
use crate::keys::{Happened, assert_unavailable};
use crate::observability::Capture;
use crate::support::let_others_run;
use crate::support::{ISSUER, key, present, trusting};

/// Documents that are not to be believed, as they are sent, with what is reported of each.
fn bad_documents() -> Vec<(&'static str, String, MetadataError)> {
    let json = "application/json";
    let page = "<!doctype html><title>Sign in</title>";
    let good = json!({ "issuer": ISSUER, "jwks_uri": JWKS }).to_string();
    let mut all = vec![
        ("text/html", page.to_owned(), MetadataError::ContentType),
        ("text/html; charset=utf-8", good.clone(), MetadataError::ContentType),
        ("text/plain", good.clone(), MetadataError::ContentType),
        ("application/jwk-set+json", good.clone(), MetadataError::ContentType),
        (json, page.to_owned(), MetadataError::NotMetadata),
        (json, good[..good.len() - 1].to_owned(), MetadataError::NotMetadata),
        (json, format!("{good}{good}"), MetadataError::NotMetadata),
        (json, good.replace("issuer", "Issuer"), MetadataError::NotMetadata),
        (
            json,
            json!({ "issuer": [ISSUER], "jwks_uri": JWKS }).to_string(),
            MetadataError::NotMetadata,
        ),
        (json, json!({ "jwks_uri": JWKS }).to_string(), MetadataError::NotMetadata),
        (json, format!("{good}{}", " ".repeat(512 * 1024)), TOO_LARGE),
    ];
    for text in ["", "null", "[]", "\"x\"", "{}"] {
        all.push((json, text.to_owned(), MetadataError::NotMetadata));
    }
    let twice = format!("{{\"issuer\":\"https://evil.example\",{}", &good[1..]);
    all.push((json, twice, MetadataError::NotMetadata));
    for issuer in OTHER_ISSUERS {
        let document = json!({ "issuer": issuer, "jwks_uri": JWKS }).to_string();
        all.push((json, document, MetadataError::OtherIssuer));
    }
    for jwks_uri in [
        json!("http://as.example.com/jwks"),
        json!("http://127.0.0.1/jwks"),
        json!("ftp://as.example.com/jwks"),
        json!("https://as.example.com/jwks#x"),
        json!("https://user@as.example.com/jwks"),
        json!("/jwks"),
        json!(""),
        json!(7),
        json!(null),
    ] {
        let document = json!({ "issuer": ISSUER, "jwks_uri": jwks_uri }).to_string();
        all.push((json, document, MetadataError::JwksUri));
    }
    all
}

const TOO_LARGE: MetadataError = MetadataError::Fetch(FetchErrorKind::TooLarge);

/// A slash, case, a port, an attacker, and what merely looks alike.
const OTHER_ISSUERS: [&str; 8] = [
    "https://as.example.com/",
    "https://AS.example.com",
    "HTTPS://as.example.com",
    "https://as.example.com:443",
    "https://evil.example",
    "https://as.example.com.evil.example",
    " https://as.example.com",
    "http://as.example.com",
];

#[tokio::test]
async fn a_bad_document_at_boot_is_an_outage() {
    for (content_type, body, error) in bad_documents() {
        let realm = Realm::up();
        realm.fetch.at(OAUTH, 200, content_type, body.clone());
        realm.fetch.json_at(OPENID, realm.document());
        let log = Capture::start();
        // R8414-3.2-1: a page or garbage is an error, not a place without a document.
        // R8414-3.3-1, ODISC-4.3-1: so is the document of another issuer, identical or nothing.
        // R8414-2-2: and one whose jwks_uri is not https.
        assert_unavailable(&realm.send(&realm.token()).await);
        assert_eq!(realm.asked(), [OAUTH], "no keys are loaded: {body}");
        let expected =
            [Happened::NoMetadata(error), Happened::NoKeys(RefreshError::Metadata(error))];
        assert_eq!(realm.told.all(), expected, "{body}");
        let failed = failures(&log);
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!(failed[0].get("error"), Some(error.to_string().as_str()));
        realm.fetch.json_at(OAUTH, realm.document());
        realm.later(1);
        realm.serves().await;
    }
}

#[tokio::test]
async fn a_bad_document_later_leaves_the_last_good_one_in_use() {
    for (content_type, body, error) in bad_documents() {
        let realm = Realm::loaded().await;
        realm.serves().await;
        realm.fetch.at(OAUTH, 200, content_type, body.clone());
        realm.later(60 * 60);
        realm.serves().await;
        // R8414-3.3-1, ODISC-4-1: the keys are fetched where the last good document says.
        assert_eq!(realm.fetch.count_at(OAUTH), 2, "{body}");
        assert_eq!(realm.fetch.count_at(JWKS), 2, "{body}");
        let [.., first, second] = realm.told.all()[..] else { panic!("two events: {body}") };
        assert!([first, second].contains(&Happened::NoMetadata(error)), "{body}");
        assert!([first, second].contains(&Happened::Keys(1)), "{body}");
        realm.serves().await;
    }
}

#[tokio::test]
async fn another_issuer_in_its_place_is_an_error_in_the_log() {
    for other in OTHER_ISSUERS {
        let realm = Realm::loaded().await;
        realm.fetch.json_at(OAUTH, json!({ "issuer": other, "jwks_uri": JWKS }));
        realm.later(60 * 60);
        let log = Capture::start();
        realm.serves().await;
        let failed = failures(&log);
        // ODISC-4-1: an issuer that changes is refused and logged; the old document is kept.
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!(failed[0].level, tracing::Level::ERROR);
        assert_eq!(failed[0].get("cause"), Some(format!("its issuer is {other:?}").as_str()));
        assert_eq!(failed[0].get("issuer"), Some(ISSUER));
        assert_eq!(failed[0].get("old_document_kept"), Some("true"));
    }
}

#[tokio::test]
async fn what_another_issuer_writes_is_logged_short_and_escaped() {
    let realm = Realm::up();
    let issuer = format!("https://evil.example/\n2023-11-14 keys refreshed {}", "x".repeat(9000));
    realm.fetch.json_at(OAUTH, json!({ "issuer": issuer, "jwks_uri": JWKS }));
    let log = Capture::start();
    assert_unavailable(&realm.send(&realm.token()).await);
    let cause = failures(&log)[0].get("cause").expect("a cause").to_owned();
    assert!(cause.contains("evil.example/\\n2023") && !cause.contains('\n'), "{cause}");
    assert!(cause.len() < 300, "{cause}");
}

#[tokio::test]
async fn the_token_names_the_issuer_of_the_document() {
    let realm = Realm::loaded().await;
    for other in OTHER_ISSUERS {
        let answer = realm.send(&realm.issuer.token().claim("iss", other).build()).await;
        answer.assert_t401();
        // ODISC-4.3-1: iss of the token is that very identifier too.
        assert_eq!(answer.kind(), Some(RejectionKind::UntrustedIssuer), "{other}");
    }
}

#[tokio::test]
async fn members_that_are_not_known_are_ignored() {
    let realm = Realm::up();
    let mut document = realm.document();
    let more = json!({ "keys": [], "jwks_uri": "https://evil.example", "issuer": 7 });
    document["x_more"] = more;
    document["mtls_endpoint_aliases"] = json!({ "jwks_uri": "https://evil.example" });
    document["claims_supported"] = json!(["sub", "iss"]);
    realm.fetch.json_at(OAUTH, document);
    // R8414-3.2-1: unknown members.
    realm.serves().await;
    assert_eq!(realm.asked(), [OAUTH, JWKS]);
}

/// Metadata that names these algorithms for ID tokens and, falsely, for others.
fn naming(realm: &Realm, algorithms: &Value) -> Value {
    let mut document = realm.document();
    for name in
        ["id_token_signing_alg_values_supported", "request_object_signing_alg_values_supported"]
    {
        document[name] = algorithms.clone();
    }
    document
}

#[tokio::test]
async fn algorithms_of_id_tokens_are_not_those_of_access_tokens() {
    for algorithms in [json!(["RS256"]), json!([]), json!(["none", "HS256"]), json!("ES256")] {
        let realm = Realm::up();
        realm.fetch.json_at(OAUTH, naming(&realm, &algorithms));
        // ODISC-3-1: the list forbids none of the accepted ones.
        realm.serves().await;
    }
    let realm = Realm::up();
    realm.fetch.json_at(OAUTH, naming(&realm, &json!(["ES256", "EdDSA"])));
    let issuer = Issuer::discover(ISSUER).algorithms([Algorithm::EdDSA]);
    let server = trusting(issuer).fetch(realm.fetch.clone()).build().expect("valid");
    let answer = present(&server, &realm.token()).await;
    answer.assert_t401();
    // ODISC-3-1: nor does it allow one.
    assert_eq!(answer.kind(), Some(RejectionKind::UnacceptableAlgorithm));
}

#[tokio::test]
async fn an_introspection_endpoint_that_cannot_be_used_costs_no_key() {
    let realm = Realm::up();
    let mut document = realm.document();
    document["introspection_endpoint"] = json!("http://as.example.com/introspect");
    realm.fetch.json_at(OAUTH, document);
    let log = Capture::start();
    realm.serves().await;
    let unused = "introspection_endpoint of the metadata not used";
    let told = log.of(KEYS).into_iter().find(|event| event.get("message") == Some(unused));
    let told = told.expect("a warning");
    assert_eq!(told.get("problem"), Some("is plain http to a host that is not loopback"));
}

#[tokio::test]
async fn metadata_without_a_key_set_is_an_outage_that_says_so() {
    let realm = Realm::up();
    realm.fetch.json_at(OAUTH, json!({ "issuer": ISSUER }));
    let log = Capture::start();
    assert_unavailable(&realm.send(&realm.token()).await);
    let error = RefreshError::Metadata(MetadataError::JwksUri);
    assert_eq!(realm.told.all(), [Happened::Metadata, Happened::NoKeys(error)]);
    let failed = failures(&log);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].get("cause"), Some("there is none"));
}

#[tokio::test]
async fn a_key_set_of_mostly_unusable_keys_serves_with_the_good_one() {
    let good = key(Algorithm::ES256, "good");
    let (jwk, other) = (good.public_jwk(), key(Algorithm::ES256, "other"));
    let with = |member: &str, value: Value| {
        let mut changed = other.public_jwk();
        changed[member] = value;
        changed
    };
    let unusable = json!([
        null, 7, "key", [], {}, { "kty": "AKP", "kid": "good" }, { "kty": "OKP", "crv": "Ed448" },
        { "kty": "oct", "kid": "good", "k": "AAAA" }, { "kty": "RSA", "kid": "good" },
        { "kty": "RSA", "n": "AQAB", "e": "AQAB" }, with("use", json!("enc")),
        with("key_ops", json!(["sign"])), with("alg", json!("RS256")), with("alg", json!("none")),
        with("crv", json!("P-521")), with("x", json!("AAAA")), with("x", json!("?")),
        with("kid", json!(7)), with("kty", json!("ec")), with("d", json!("AAAA")),
    ]);
    let unusable = unusable.as_array().expect("an array").clone();
    for place in [0, unusable.len() / 2, unusable.len()] {
        let mut realm = Realm::up();
        realm.issuer.rotate(good.clone());
        let mut keys = unusable.clone();
        keys.insert(place, jwk.clone());
        realm.fetch.json_at(JWKS, json!({ "keys": keys }));
        let log = Capture::start();
        // R7517-5-2: none of them is fatal for the set.
        realm.serves().await;
        assert_eq!(realm.told.all(), [Happened::Metadata, Happened::Keys(1)]);
        let refreshed = log.of(KEYS).into_iter().find(|event| event.get("skipped").is_some());
        let skipped = refreshed.expect("a line").get("skipped").expect("reasons").to_owned();
        for reason in ["Malformed", "Algorithm", "KeyType", "OutOfRange", "Private", "Use"] {
            assert!(skipped.contains(reason), "{reason}: {skipped}");
        }
    }
    let realm = Realm::up();
    realm.fetch.json_at(JWKS, json!({ "keys": unusable }));
    let log = Capture::start();
    assert_unavailable(&realm.send(&realm.token()).await);
    let_others_run().await;
    let failed = failures(&log);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].get("cause").is_some_and(|cause| cause.contains("Private")));
}
