//! Tokens and keys show nowhere: not in what types print, not in what refusals say.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt::Debug;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_resource_server::fetch::TowerFetch;
use tower_resource_server::render::{Empty, Envelope, JsonRpc, OAuthJson, ProblemJson};
use tower_resource_server::testing::{Flaw, ScriptedFetch};
use tower_resource_server::{
    Credential, CredentialSource, Issuer, JwkSet, RejectionKind, RequestHead, ResourceServer,
    Scopes,
};

use crate::dpop::Client;
use crate::requirements::grant;
use crate::support::{Answer, Bed, ISSUER, Logs, RESOURCE, bearer, get, present, send};
use crate::ways::{SECRETS, marked, ways};

/// What of a token or a proof must not be seen: its parts, and every text it could hold.
fn secrets_of(token: &str) -> Vec<String> {
    let parts = token.split(['.', ' ', '"']).filter(|part| part.len() > 5);
    parts.map(str::to_owned).chain(SECRETS.map(str::to_owned)).collect()
}

/// The same, and the members of the key that the proof carries.
fn secrets_of_proof(proof: &str) -> Vec<String> {
    let header = proof.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header: Value =
        header.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    let members = header["jwk"].as_object().into_iter().flatten();
    let numbers = members.filter_map(|(_, value)| value.as_str()).filter(|text| text.len() > 20);
    numbers.map(str::to_owned).chain(secrets_of(proof)).collect()
}

#[track_caller]
fn assert_hides(shown: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!shown.contains(secret.as_str()), "{secret} in {shown}");
    }
}

/// Both ways to print.
fn debug(value: &impl Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

#[tokio::test]
async fn what_carries_a_token_does_not_print_it() {
    let bed = Bed::new();
    let token = marked(&bed).build();
    let secrets: Vec<_> =
        token.split('.').chain(["claim-secret", "jti-secret"]).map(str::to_owned).collect();
    let grant = grant(&bed.server, &token).await;
    assert_hides(&debug(&grant), &secrets);
    let rejection = grant.require(Scopes::all(["more"])).expect_err("not enough");
    assert_hides(&debug(&rejection), &secrets_of(&token));
    assert_hides(&rejection.to_string(), &secrets_of(&token));
    let error = grant.claims::<Vec<u8>>().expect_err("no array");
    assert_hides(&format!("{error:?}{error}"), &secrets_of(&token));
    let request = bearer(&token);
    assert_hides(&debug(&RequestHead::of(&request)), &secrets_of(&token));
}

#[test]
fn the_head_of_a_request_prints_no_query() {
    let mut request = get(&[("cookie", "session=abcdef")]);
    *request.uri_mut() = Uri::from_static("/path?access_token=secret");
    let shown = debug(&RequestHead::of(&request));
    assert!(shown.contains("/path"));
    assert!(!shown.contains("secret") && !shown.contains("abcdef"), "{shown}");
}

#[tokio::test]
async fn a_server_that_has_seen_a_token_does_not_print_it() {
    let bed = Bed::new();
    let token = marked(&bed).build();
    bed.bearer(&token).await.assert_ok();
    let authenticate = bed.server.authenticate();
    let require = bed.server.require(Scopes::all(["a"]));
    let shown = [
        debug(&bed.server),
        debug(&authenticate),
        debug(&authenticate.layer(Handled)),
        debug(&require),
        debug(&require.layer(Handled)),
        debug(&bed.server.metadata()),
        debug(&bed.server.metadata_layer()),
        debug(&bed.server.metadata_layer().layer(Handled)),
    ];
    for shown in shown {
        assert_hides(&shown, &secrets_of(&token));
        assert_hides(&shown, &key_material(&bed));
    }
}

#[derive(Clone, Debug)]
struct Handled;

/// The numbers that make the key, in the forms in which something might print them.
fn key_material(bed: &Bed) -> Vec<String> {
    let jwk = bed.issuer.key().public_jwk();
    let mut forms = Vec::new();
    for name in ["x", "y"] {
        let text = jwk[name].as_str().expect("a coordinate").to_owned();
        let bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
        let start = format!("{:?}", &bytes[..6]);
        forms.push(start.trim_end_matches(']').trim_start_matches('[').to_owned());
        forms.push(text);
    }
    forms
}

#[tokio::test]
async fn what_carries_a_proof_does_not_print_it() {
    let bed = Bed::new();
    let client = Client::with(&bed, |token| token.claim("x", "claim-secret"));
    let proof = client.proof().claim("jti", "proof-secret").nonce("nonce-secret");
    let request = proof.authorize(get(&[]));
    let layer = bed.server.authenticate();
    send(layer.clone(), request.clone()).await.assert_ok();
    present(&bed.server, &client.token).await.assert_t401();
    let mut secrets = secrets_of_proof(&proof.build());
    secrets.extend(secrets_of(&client.token));
    for shown in [
        debug(&RequestHead::of(&request)),
        debug(&bed.server),
        debug(&layer.layer(Handled)),
        debug(&client.key),
        debug(&proof),
    ] {
        assert_hides(&shown, &secrets);
    }
    for name in ["authorization", "dpop"] {
        assert!(request.headers()[name].is_sensitive(), "{name}");
    }
}

#[test]
fn what_holds_keys_does_not_print_them() {
    let bed = Bed::new();
    let issuer = bed.issuer.trusted();
    for shown in [
        debug(&bed.issuer),
        debug(bed.issuer.key()),
        debug(&bed.issuer.jwks()),
        debug(&issuer),
        debug(&bed.issuer.resource_server(RESOURCE)),
        debug(&bed.issuer.resource_server(RESOURCE).danger()),
        debug(&bed.issuer.token()),
    ] {
        let flat: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_hides(&flat, &key_material(&bed));
        assert!(!flat.contains("PRIVATE") && !flat.contains("\"d\""), "{flat}");
    }
}

#[test]
fn what_fetches_does_not_print_what_it_got() {
    let bed = Bed::new();
    let fetch = ScriptedFetch::new().always_json(bed.issuer.jwks_json());
    let tower = TowerFetch::new(Handled);
    for shown in [debug(&fetch), debug(&tower)] {
        assert_hides(&shown, &key_material(&bed));
    }
}

#[test]
fn errors_about_keys_do_not_quote_them() {
    let secret = r#"{"keys":[{"kty":"oct","k":"very-secret-bytes"}"#;
    let error = JwkSet::from_json(secret.as_bytes()).expect_err("not closed");
    assert!(!format!("{error}{error:?}").contains("very-secret"));
    let whole = JwkSet::from_json(format!("{secret}]}}").as_bytes()).expect("a key set");
    let built = ResourceServer::builder(RESOURCE).issuer(Issuer::jwks(ISSUER, whole)).build();
    let error = built.expect_err("no usable key");
    assert!(!format!("{error}{error:?}").contains("very-secret"));
}

#[test]
fn there_is_a_way_to_every_kind() {
    let reached: HashSet<_> = ways().iter().map(|way| way.kind).collect();
    for kind in RejectionKind::ALL {
        assert!(reached.contains(kind), "{kind}");
    }
}

fn whole(answer: &Answer) -> String {
    let rejection = answer.rejection.as_ref().expect("a refusal");
    let body = String::from_utf8_lossy(&answer.body);
    format!("{:?}\n{body}\n{rejection}\n{rejection:?}", answer.headers)
}

async fn no_way_echoes(envelope: impl Envelope + Clone) {
    for way in ways() {
        let (logs, guard) = Logs::capture();
        let (answer, sent) = way.refuse(envelope.clone()).await;
        drop(guard);
        assert!(!answer.handled);
        assert!(logs.text().contains(way.kind.name()), "{} is logged", way.kind);
        let mut secrets = secrets_of(&sent.token);
        secrets.extend(sent.proof.iter().flat_map(|proof| secrets_of_proof(proof)));
        assert_hides(&whole(&answer), &secrets);
        // The log names the client, once the token is verified.
        secrets.retain(|secret| secret != "client-secret");
        assert_hides(&logs.text(), &secrets);
    }
}

#[tokio::test]
async fn no_refusal_echoes_what_was_sent() {
    no_way_echoes(OAuthJson::default()).await;
    no_way_echoes(ProblemJson::default()).await;
    no_way_echoes(JsonRpc::default()).await;
    no_way_echoes(Empty::default()).await;
}

#[derive(Debug)]
struct FromCookie;

impl CredentialSource for FromCookie {
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<Option<Credential<'a>>, RejectionKind> {
        let cookie = head.headers().get("cookie").and_then(|value| value.to_str().ok());
        Ok(cookie.and_then(|cookie| cookie.strip_prefix("token=")).map(Credential::bearer))
    }
}

#[tokio::test]
async fn a_token_from_another_place_is_not_echoed_either() {
    let bed = Bed::with(|builder| builder.credential_source(FromCookie));
    let token = marked(&bed).flaw(Flaw::BadSignature).build();
    let answer =
        send(bed.server.authenticate(), get(&[("cookie", &format!("token={token}"))])).await;
    answer.assert_t401();
    assert_hides(&whole(&answer), &secrets_of(&token));
}

#[tokio::test]
async fn every_proof_beside_a_bearer_token_is_forwarded_as_sensitive() {
    let bed = Bed::new();
    let authorization = format!("Bearer {}", bed.token());
    let request = get(&[("authorization", &authorization), ("dpop", "a.b.c"), ("dpop", "d.e.f")]);
    let handler = tower::service_fn(|request: Request<Full<Bytes>>| async move {
        let proofs: Vec<_> = request.headers().get_all("dpop").iter().cloned().collect();
        assert_eq!(proofs, ["a.b.c", "d.e.f"]);
        assert!(proofs.iter().all(HeaderValue::is_sensitive));
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let answer = bed.server.authenticate().layer(handler).oneshot(request).await;
    assert_eq!(answer.expect("infallible").status(), 200);
}
