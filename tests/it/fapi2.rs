//! The FAPI 2.0 Security Profile as a preset.

use std::time::Duration;

use base64::Engine;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tower::{ServiceBuilder, ServiceExt};
use tower_resource_server::layer::FormTokenLayer;
use tower_resource_server::testing::{
    FixedClock, ProofFlaw, ScriptedFetch, SigningKey, TestCertificate, TestIssuer,
};
use tower_resource_server::{
    Algorithm, AllowedIssuers, Builder, ClientAuthentication, ConfigError, Credential,
    CredentialSource, DenyList, Dpop, Fapi2, Freshness, Introspection, Issuer, IssuerResolver,
    JwkSet, PeerAddress, PrivateKey, RejectionKind, RequestHead, ResolveFuture, ResourceServer,
    Scopes, SealedNonces, SecureTransport, SenderConstraint, TrustedProxies,
};

use crate::dpop::{Client, URI, dpop, proven, with_proof};
use crate::metadata::document;
use crate::support::{
    Answer, Bed, Handler, ISSUER, NOW, RESOURCE, bearer, get, key, proof_vector, publishing, read,
    send, token_by, trusting, vector_builder, vector_token,
};

const ALGS: &str = "ES256 EdDSA Ed25519 PS256";

fn fapi2() -> Fapi2 {
    Fapi2::new().short_lived_tokens()
}

/// A server of the profile.
fn bed() -> Bed {
    Bed::with(|builder| builder.fapi2(fapi2()))
}

/// The request as one that came over TLS.
fn over_tls(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    request.extensions_mut().insert(SecureTransport::new());
    request
}

/// The answer to a request over TLS.
async fn ask(server: &ResourceServer, request: Request<Full<Bytes>>) -> Answer {
    send(server.authenticate(), over_tls(request)).await
}

/// The only fault of a server of the profile with that setting, made before it and after it.
fn contradiction(change: impl Fn(Builder) -> Builder) -> (&'static str, String) {
    let builder = || TestIssuer::new(ISSUER).resource_server(RESOURCE);
    let built =
        [change(builder()).fapi2(fapi2()).build(), change(builder().fapi2(fapi2())).build()];
    let [first, second] = built.map(|built| built.expect_err("a contradiction"));
    assert_eq!(first.to_string(), second.to_string(), "the order of settings does not matter");
    only(&first)
}

fn only(error: &ConfigError) -> (&'static str, String) {
    let [fault] = error.faults() else { panic!("{error}") };
    assert!(!fault.suggestion().is_empty());
    (fault.setting(), fault.problem().to_owned())
}

fn conforms(change: impl Fn(Builder) -> Builder) {
    let builder = TestIssuer::new(ISSUER).resource_server(RESOURCE).fapi2(fapi2());
    if let Err(error) = change(builder).build() {
        panic!("{error}");
    }
}

#[tokio::test]
async fn requests_come_over_tls() {
    let bed = bed();
    let client = Client::new(&bed);
    // FAPI2-5.2.1-1: a request of which nothing says that it came over TLS.
    let answer = send(bed.server.authenticate(), client.request()).await;
    assert_eq!(answer.kind(), Some(RejectionKind::InsecureTransport));
    ask(&bed.server, client.request()).await.assert_ok();
}

#[test]
fn urls_are_https_on_loopback_too() {
    let jwks = "http://localhost:1/jwks.json";
    let with_issuer = |issuer: fn() -> Issuer| {
        let fetch = ScriptedFetch::new();
        let builder = ResourceServer::builder(RESOURCE).issuer(issuer()).fetch(fetch);
        only(&builder.fapi2(fapi2()).build().expect_err("plain http"))
    };
    let keys = || TestIssuer::new(ISSUER).jwks();
    // FAPI2-5.2.1-1: the issuer, its keys, the server itself.
    assert_eq!(
        with_issuer(|| Issuer::jwks("http://localhost:1", TestIssuer::new("x").jwks())).0,
        "issuer"
    );
    assert_eq!(
        with_issuer(|| Issuer::jwks_uri(ISSUER, "http://localhost:1/jwks.json")).0,
        "jwks_uri"
    );
    let plain = ResourceServer::builder("http://localhost:1").issuer(Issuer::jwks(ISSUER, keys()));
    assert_eq!(only(&plain.fapi2(fapi2()).build().expect_err("plain http")).0, "resource");
    assert_eq!(contradiction(|builder| builder.base_url("http://api.example.com")).0, "base_url");
    assert_eq!(contradiction(Builder::allow_loopback).0, "allow_loopback");
    // Elsewhere the loopback exception stands.
    let builder =
        ResourceServer::builder("http://localhost:1").issuer(Issuer::jwks_uri(ISSUER, jwks));
    let fetch = ScriptedFetch::new();
    assert!(builder.fetch(fetch).build().is_ok());
}

#[tokio::test]
async fn tokens_stand_in_the_header_alone() {
    let bed = bed();
    let client = Client::new(&bed);
    let request =
        |uri: String| over_tls(Request::get(uri).body(Full::default()).expect("a request"));
    // FAPI2-5.3.4-2-1
    send(bed.server.authenticate(), request(format!("/r?access_token={}", client.token)))
        .await
        .assert_n401();
    let form = Request::post("/r").header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(Full::from(format!("access_token={}", bed.token()))).expect("a request");
    let answer = through_form_layer(&bed, form).await;
    // FAPI2-5.3.4-2-1: nor in a form: the handler does not run, and the token was not
    // even looked at.
    answer.assert_n401();
    assert_eq!(answer.kind(), Some(RejectionKind::MissingCredentials));
    // Without the profile, the same layers read it.
    let lax = Bed::new();
    let form = Request::post("/r").header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(Full::from(format!("access_token={}", lax.token()))).expect("a request");
    through_form_layer(&lax, form).await.assert_ok();

    #[derive(Debug)]
    struct Cookie;
    impl CredentialSource for Cookie {
        fn find<'a>(&self, _: &RequestHead<'a>) -> Result<Option<Credential<'a>>, RejectionKind> {
            Ok(None)
        }
    }
    let (setting, problem) = contradiction(|builder| builder.credential_source(Cookie));
    assert_eq!(setting, "credential_source", "{problem}");
}

#[tokio::test]
async fn whether_tokens_are_revoked_is_settled() {
    let builder = || TestIssuer::new(ISSUER).resource_server(RESOURCE).fapi2(Fapi2::new());
    // FAPI2-5.3.4-3-1: neither a source nor a word on it.
    let (setting, problem) = only(&builder().build().expect_err("nothing on revocation"));
    assert_eq!(setting, "fapi2");
    assert!(problem.contains("revoked"), "{problem}");
    // FAPI2-5.3.4-3-1: either will do.
    assert!(builder().revocation(DenyList::default()).build().is_ok());
    assert!(builder().fapi2(fapi2()).build().is_ok());

    let bed = bed();
    let client = Client::new(&bed);
    let expired = Client::with(&bed, |token| token.claim("exp", NOW - 60));
    let forged = Client::with(&bed, |token| {
        token.signed_with(&key(Algorithm::ES256, "stranger")).header("kid", "stranger")
    });
    // FAPI2-5.3.4-3-1: validity, integrity, expiration.
    ask(&bed.server, client.request()).await.assert_ok();
    ask(&bed.server, expired.request()).await.assert_t401();
    ask(&bed.server, forged.request()).await.assert_t401();
}

#[tokio::test]
async fn a_token_has_to_suffice() {
    let bed = bed();
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["write"])));
    let answer = send(layers, over_tls(Client::new(&bed).request())).await;
    // FAPI2-5.3.4-4-1
    answer.assert_s403("write");
    assert_eq!(answer.schemes(), ["DPoP"]);
}

#[tokio::test]
async fn tokens_are_bound() {
    let bed = bed();
    let unbound = ask(&bed.server, bearer(&bed.token())).await;
    // FAPI2-5.3.4-5-1, D-6: another scheme is what the client needs.
    unbound.assert_n401();
    assert_eq!(unbound.schemes(), ["DPoP"]);
    let client = Client::new(&bed);
    let downgraded = ask(&bed.server, bearer(&client.token)).await;
    downgraded.assert_n401();
    assert_eq!(downgraded.schemes(), ["DPoP"]);
    // FAPI2-5.3.4-5-1: with a proof, which is verified.
    ask(&bed.server, client.request()).await.assert_ok();
    let stranger = SigningKey::generate(Algorithm::ES256);
    let foreign = stranger.proof("GET", URI).token(&client.token).clock(&bed.clock);
    ask(&bed.server, with_proof(&foreign)).await.assert_t401();
    assert_eq!(document(&bed.server).await["dpop_bound_access_tokens_required"], true);
}

#[tokio::test]
async fn certificates_bind_tokens_where_that_is_wanted() {
    for constraint in [SenderConstraint::MutualTls, SenderConstraint::Bound] {
        conforms(|builder| builder.sender_constraint(constraint));
        let bed = Bed::with(|builder| builder.sender_constraint(constraint).fapi2(fapi2()));
        let certificate = TestCertificate::random();
        let token = bed.issuer.token().bound_to_certificate(certificate.client()).build();
        // FAPI2-5.3.4-5-1: with the certificate and in no other way.
        ask(&bed.server, certificate.attach(bearer(&token))).await.assert_ok();
        ask(&bed.server, bearer(&token)).await.assert_t401();
        ask(&bed.server, bearer(&bed.token())).await.assert_t401();
        let form = Request::post("/r")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::from(format!("access_token={token}")))
            .expect("a request");
        let answer = through_form_layer(&bed, certificate.attach(form)).await;
        answer.assert_n401();
        assert_eq!(answer.kind(), Some(RejectionKind::MissingCredentials));
    }
}

/// The answer of a server behind a layer that reads forms, to a request over TLS.
async fn through_form_layer(bed: &Bed, form: Request<Full<Bytes>>) -> Answer {
    let handler = Handler::default();
    let service = ServiceBuilder::new()
        .layer(FormTokenLayer::new())
        .layer(bed.server.authenticate())
        .service(handler.clone());
    let response = service.oneshot(over_tls(form)).await.expect("infallible");
    read(response, handler.calls() > 0).await
}

fn asking(endpoint: &str) -> Introspection {
    Introspection::at(endpoint, ClientAuthentication::client_id_only("api"))
}

/// A server of the profile that says nothing of revocation and trusts that issuer.
fn revoking(issuer: Issuer) -> Builder {
    let builder = ResourceServer::builder(RESOURCE).issuer(issuer).fetch(ScriptedFetch::new());
    builder.fapi2(Fapi2::new())
}

#[test]
fn issuers_that_are_asked_about_every_token_settle_revocation() {
    let endpoint = "https://as.example.com/introspect";
    let signed = || Issuer::jwks(ISSUER, TestIssuer::new(ISSUER).jwks());
    let opaque = |identifier: &str| Issuer::introspection(identifier, asking(endpoint));
    // FAPI2-5.3.4-3-1: opaque tokens, and signed ones that are asked about.
    assert!(revoking(opaque(ISSUER)).build().is_ok());
    assert!(revoking(signed().introspect(asking(endpoint).every_token())).build().is_ok());
    // FAPI2-5.3.4-3-1: not if some are not.
    for issuer in [signed().introspect(asking(endpoint)), signed()] {
        assert_eq!(only(&revoking(issuer).build().expect_err("unsettled")).0, "fapi2");
    }
    let other = Issuer::jwks("https://b.example.com", TestIssuer::new("b").jwks());
    let mixed = revoking(opaque(ISSUER)).issuer(other);
    assert_eq!(only(&mixed.build().expect_err("unsettled")).0, "fapi2");
}

#[test]
fn what_an_issuer_said_of_a_token_is_soon_asked_again() {
    let remembered = |seconds| {
        let asking = asking("https://as.example.com/introspect");
        let asking = asking.cache_for(Duration::from_secs(seconds));
        revoking(Issuer::introspection(ISSUER, asking))
    };
    for brief in [0, 60] {
        assert!(remembered(brief).build().is_ok());
    }
    for long in [61, 3600] {
        let (setting, problem) = only(&remembered(long).build().expect_err("unsettled"));
        // FAPI2-5.3.4-3-1: for an hour a revoked token would go on being used.
        assert_eq!((setting, problem.contains("60 s")), ("fapi2", true));
        // FAPI2-5.3.4-3-1: unless something else settles it.
        assert!(remembered(long).revocation(DenyList::default()).build().is_ok());
        assert!(remembered(long).fapi2(fapi2()).build().is_ok());
    }
}

#[tokio::test]
async fn a_proxy_that_was_called_without_tls_is_believed() {
    let forwarded = |request: Request<Full<Bytes>>, name: &'static str, value: String| {
        let mut request = over_tls(request);
        let value = HeaderValue::try_from(value).expect("a field value");
        request.headers_mut().insert(name, value);
        request.extensions_mut().insert(PeerAddress::new([192, 0, 2, 10].into()));
        request
    };
    for (family, name, field) in [
        (TrustedProxies::x_forwarded(["192.0.2.10"]), "x-forwarded-proto", ""),
        (TrustedProxies::forwarded(["192.0.2.10"]), "forwarded", "proto="),
    ] {
        let with = |builder: Builder| builder.trusted_proxies(family.clone());
        let bed = Bed::with(|builder| with(builder).fapi2(fapi2()));
        let client = Client::new(&bed);
        for scheme in ["https", "HTTPS"] {
            let request = forwarded(client.request(), name, format!("{field}{scheme}"));
            send(bed.server.authenticate(), request).await.assert_ok();
        }
        send(bed.server.authenticate(), over_tls(client.request())).await.assert_ok();
        let plain = |client: &Client| {
            let uri = URI.replace("https:", "http:");
            let proof = client.key.proof("GET", &uri).token(&client.token).clock(&bed.clock);
            forwarded(with_proof(&proof), name, format!("{field}http"))
        };
        let answer = send(bed.server.authenticate(), plain(&client)).await;
        // FAPI2-5.2.1-1: the proof names what the client called, and that had no TLS.
        answer.assert_p401_listing(ALGS, RejectionKind::ProofUriMismatch);
        let other = Bed::with(with);
        let client = Client::new(&other);
        // Elsewhere that is the target.
        send(other.server.authenticate(), plain(&client)).await.assert_ok();
    }
}

#[test]
fn introspection_is_held_to_the_profile() {
    let plain = revoking(Issuer::introspection(ISSUER, asking("http://localhost:1/introspect")));
    // FAPI2-5.2.1-1
    assert_eq!(only(&plain.build().expect_err("plain http")).0, "introspection");
    let answers = |algorithm| {
        let asking = asking("https://as.example.com/introspect").signed_answers([algorithm]);
        let keys = TestIssuer::new(ISSUER).jwks();
        revoking(Issuer::jwks(ISSUER, keys).introspect(asking.every_token())).build()
    };
    assert!(answers(Algorithm::PS256).is_ok());
    // FAPI2-5.4-1-1: of signed answers too.
    assert_eq!(only(&answers(Algorithm::RS256).expect_err("RS256")).0, "introspection");
}

#[test]
fn assertions_of_this_server_are_signed_with_the_same_few() {
    let der = include_bytes!("../../src/testing/keys/rsa-2048-one.der");
    let encoded = base64::engine::general_purpose::STANDARD.encode(der);
    let pem =
        format!("-----BEGIN RSA PRIVATE KEY-----\n{encoded}\n-----END RSA PRIVATE KEY-----\n");
    let rsa = || PrivateKey::from_pem(&pem).expect("a private key");
    let with = |key| {
        let credentials = ClientAuthentication::private_key_jwt("api", key);
        let asking = Introspection::at("https://as.example.com/introspect", credentials);
        revoking(Issuer::introspection(ISSUER, asking)).build()
    };
    let (setting, problem) = only(&with(rsa()).expect_err("RS256"));
    // FAPI2-5.4-1-1: an RSA key signs with RS256 unless it is told otherwise.
    assert_eq!((setting, problem.contains("RS256")), ("client_authentication", true));
    assert!(with(rsa().algorithm(Algorithm::PS256)).is_ok());
}

/// Finds one issuer, with the algorithms it accepts.
#[derive(Debug)]
struct Finds(Vec<Algorithm>, SigningKey);

impl IssuerResolver for Finds {
    fn resolve<'a>(&'a self, identifier: &'a str) -> ResolveFuture<'a> {
        let keys = json!({ "keys": [self.1.public_jwk()] }).to_string();
        let keys = JwkSet::from_json(keys.as_bytes()).expect("a key set");
        let issuer = Issuer::jwks(identifier, keys);
        let issuer = match &*self.0 {
            [] => issuer,
            chosen => issuer.algorithms(chosen.iter().copied()),
        };
        Box::pin(async move { Ok(Some(issuer)) })
    }
}

#[tokio::test]
async fn issuers_that_are_found_later_are_held_to_the_profile() {
    use Algorithm::{ES256, RS256};
    let token_of = async |chosen: &[Algorithm], signed: Algorithm| {
        let signer = key(signed, "k");
        let finds = Finds(chosen.to_vec(), signer.clone());
        let builder = ResourceServer::builder(RESOURCE).clock(FixedClock::at(NOW));
        let builder = builder.resolve_issuers(AllowedIssuers::exact([ISSUER]), finds);
        assert_eq!(only(&revocation_of(builder)).0, "fapi2", "they are not asked");
        let finds = Finds(chosen.to_vec(), signer.clone());
        let builder = ResourceServer::builder(RESOURCE).clock(FixedClock::at(NOW));
        let builder = builder.resolve_issuers(AllowedIssuers::exact([ISSUER]), finds);
        let server = builder.fapi2(fapi2()).build().expect("valid");
        let client = SigningKey::generate(ES256);
        let token = token_by(&signer).bound_to(&client).build();
        let proof = client.proof("GET", URI).token(&token).clock(&FixedClock::at(NOW));
        ask(&server, with_proof(&proof)).await
    };
    token_of(&[], ES256).await.assert_ok();
    token_of(&[ES256], ES256).await.assert_ok();
    // FAPI2-5.4-1-1: neither by default nor by choice, which is a fault of the resolver's.
    assert!(!token_of(&[], RS256).await.handled);
    assert!(!token_of(&[RS256], RS256).await.handled);
    assert!(!token_of(&[ES256, RS256], ES256).await.handled);
}

fn revocation_of(builder: Builder) -> ConfigError {
    builder.fapi2(Fapi2::new()).build().expect_err("nothing on revocation")
}

#[tokio::test]
async fn unbound_tokens_cannot_be_let_in() {
    for lax in [SenderConstraint::Any, SenderConstraint::Bearer] {
        let (setting, _) = contradiction(|builder| builder.sender_constraint(lax));
        assert_eq!(setting, "sender_constraint");
        let bed = bed();
        for layer in [
            bed.server.authenticate().sender_constraint(lax),
            bed.server.authenticate().sender_constraint(lax).require(Scopes::all(["read"])),
            bed.server.authenticate().require(Scopes::all(["read"])).sender_constraint(lax),
        ] {
            for request in [bearer(&bed.token()), Client::new(&bed).request(), get(&[])] {
                let answer = send(layer.clone(), over_tls(request)).await;
                assert_eq!(answer.kind(), Some(RejectionKind::InvalidRequirement));
                assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
            }
        }
        assert_eq!(document(&bed.server).await["dpop_bound_access_tokens_required"], true);
    }
    conforms(|builder| builder.sender_constraint(SenderConstraint::Dpop));
    let bed = bed();
    let strict = bed.server.authenticate().sender_constraint(SenderConstraint::Dpop);
    send(strict, over_tls(Client::new(&bed).request())).await.assert_ok();
}

#[tokio::test]
async fn tokens_are_signed_with_few_algorithms() {
    use Algorithm::{ES256, ES384, Ed25519, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    for algorithm in Algorithm::ALL.iter().copied() {
        let signer = key(algorithm, "k");
        let better = key(ES256, "better");
        let issuer = publishing([signer.public_jwk(), better.public_jwk()]);
        let server = trusting(issuer).fapi2(fapi2()).build().expect("one key will do");
        let client = SigningKey::generate(ES256);
        let token = token_by(&signer).bound_to(&client).build();
        let proof = client.proof("GET", URI).token(&token).clock(&FixedClock::at(NOW));
        let answer = ask(&server, with_proof(&proof)).await;
        match algorithm {
            PS256 | ES256 | EdDSA | Ed25519 => answer.assert_ok(),
            // FAPI2-5.4-1-1, R9068-2.1-1, D-8: RS256 goes with the others, supported as it is
            // without the profile.
            RS256 | RS384 | RS512 | PS384 | PS512 | ES384 | _ => {
                answer.assert_t401();
                assert_eq!(answer.kind(), Some(RejectionKind::UnacceptableAlgorithm));
                let without = trusting(publishing([signer.public_jwk()])).build().expect("valid");
                let proof = client.proof("GET", URI).token(&token).clock(&FixedClock::at(NOW));
                // R9068-2.1-1: accepted by default.
                send(without.authenticate(), with_proof(&proof)).await.assert_ok();
            }
        }
    }
}

#[tokio::test]
async fn proofs_are_signed_with_the_same_few_and_challenges_say_so() {
    use Algorithm::{ES256, Ed25519, EdDSA, PS256};
    for algorithm in Algorithm::ALL.iter().copied() {
        let bed = bed();
        let key = SigningKey::generate(algorithm);
        let token = bed.issuer.token().scope("read").bound_to(&key).build();
        let answer = ask(&bed.server, Client { key, token }.request()).await;
        if [PS256, ES256, EdDSA, Ed25519].contains(&algorithm) {
            answer.assert_ok();
        } else {
            // FAPI2-5.4-1-1: the policy and the challenge agree.
            answer.assert_p401_listing(ALGS, RejectionKind::UnacceptableProofAlgorithm);
        }
    }
    let bed = bed();
    let challenged = ask(&bed.server, get(&[])).await;
    // FAPI2-5.4-1-1: so do the first challenge and the metadata document.
    assert_eq!(challenged.challenge_of("DPoP").get("algs"), Some(ALGS));
    let listed = document(&bed.server).await;
    let listed = listed["dpop_signing_alg_values_supported"].clone();
    assert_eq!(listed, json!(ALGS.split(' ').collect::<Vec<_>>()));
    let unsigned =
        proven(|builder| builder.fapi2(fapi2()), |proof| proof.flaw(ProofFlaw::AlgorithmNone));
    // FAPI2-5.4-1-1: `none` is refused before anything else would be: this one is not over TLS.
    assert!(!unsigned.await.handled);
    let client = Client::new(&bed);
    let unsigned = client.proof().flaw(ProofFlaw::AlgorithmNone).build();
    ask(&bed.server, dpop(&client.token, &[&unsigned])).await.assert_p401();
}

#[test]
fn other_algorithms_are_not_chosen() {
    let of_tokens = |algorithms: &[Algorithm]| {
        let issuer = TestIssuer::new(ISSUER);
        let trusted = Issuer::jwks(ISSUER, issuer.jwks()).algorithms(algorithms.iter().copied());
        ResourceServer::builder(RESOURCE).issuer(trusted).fapi2(fapi2()).build()
    };
    assert!(of_tokens(&[Algorithm::ES256, Algorithm::PS256]).is_ok());
    let error = of_tokens(&[Algorithm::ES256, Algorithm::RS256]).expect_err("RS256");
    let (setting, problem) = only(&error);
    // FAPI2-5.4-1-1: said, and not overruled.
    assert_eq!((setting, problem.contains("RS256")), ("issuer", true));
    let of_proofs = |algorithms: &'static [Algorithm]| {
        move |builder: Builder| builder.dpop(Dpop::new().algorithms(algorithms.iter().copied()))
    };
    conforms(of_proofs(&[Algorithm::EdDSA]));
    let (setting, problem) = contradiction(of_proofs(&[Algorithm::ES256, Algorithm::ES384]));
    // FAPI2-5.4-1-1
    assert_eq!((setting, problem.contains("ES384")), ("dpop", true));
}

#[tokio::test]
async fn rsa_keys_have_2048_bits_at_least() {
    let bed = bed();
    let client = Client::new(&bed);
    let small = json!({ "kty": "RSA", "e": "AQAB", "n": "xcXF".repeat(42) });
    let proof = client.proof().header("alg", "PS256").header("jwk", small.clone()).build();
    // FAPI2-5.4-2-1: of proofs …
    let answer = ask(&bed.server, dpop(&client.token, &[&proof])).await;
    answer.assert_p401_listing(ALGS, RejectionKind::UnusableProofKey);
    // FAPI2-5.4-2-1: … and of issuers.
    let error = trusting(publishing([small])).fapi2(fapi2()).build().expect_err("no usable key");
    assert_eq!(only(&error).0, "jwks");
}

/// The kind of refusal of a token with that claim dated so far ahead.
async fn token_ahead(claim: &str, seconds: u64) -> Option<RejectionKind> {
    let bed = bed();
    let client = Client::with(&bed, |token| token.claim(claim, NOW + seconds));
    ask(&bed.server, client.request()).await.kind()
}

#[tokio::test]
async fn times_a_little_ahead_are_accepted_and_others_are_not() {
    for claim in ["iat", "nbf"] {
        // FAPI2-5.3.2-1: of tokens.
        assert_eq!(token_ahead(claim, 10).await, None);
        assert_eq!(token_ahead(claim, 60).await, Some(RejectionKind::TokenNotYetValid));
    }
    let server = vector_builder().leeway(Duration::from_secs(30)).fapi2(fapi2()).build();
    let server = server.expect("valid");
    let token = vector_token("at-valid-dpop");
    let send_vector = async |name: &str| {
        let vector = proof_vector(name);
        let url = vector["url"].as_str().expect("a URL");
        let mut request = dpop(&token, &[vector["proof"].as_str().expect("a proof")]);
        *request.uri_mut() = url.parse().expect("a URL");
        ask(&server, request).await
    };
    // FAPI2-5.3.2-1: of proofs, +10 s and +60 s.
    send_vector("p-valid-iat-future").await.assert_ok();
    let answer = send_vector("p-iat-future").await;
    answer.assert_p401();
    assert_eq!(answer.kind(), Some(RejectionKind::ProofNotYetValid));
}

#[test]
fn the_tolerances_are_within_the_profile() {
    let seconds = Duration::from_secs;
    for good in [10, 59] {
        conforms(|builder| builder.leeway(seconds(good)));
        conforms(|builder| builder.dpop(Dpop::new().max_ahead(seconds(good))));
    }
    for bad in [0, 9, 60, 300] {
        assert_eq!(contradiction(|builder| builder.leeway(seconds(bad))).0, "leeway");
        let ahead = |builder: Builder| builder.dpop(Dpop::new().max_ahead(seconds(bad)));
        assert_eq!(contradiction(ahead).0, "dpop");
    }
    let nonces = |freshness| {
        move |builder: Builder| {
            let dpop = Dpop::new().nonces(SealedNonces::random()).freshness(freshness);
            builder.dpop(dpop)
        }
    };
    conforms(nonces(Freshness::Both));
    assert_eq!(contradiction(nonces(Freshness::Nonce)).0, "dpop");
}

#[tokio::test]
async fn keys_may_share_an_id() {
    let signers = [key(Algorithm::ES256, "same"), key(Algorithm::PS256, "same")];
    let rs256 = key(Algorithm::RS256, "same");
    let issuer = publishing([&signers[0], &signers[1], &rs256].map(SigningKey::public_jwk));
    let server = trusting(issuer).fapi2(fapi2()).build().expect("valid");
    let client = SigningKey::generate(Algorithm::ES256);
    for signer in &signers {
        let token = token_by(signer).bound_to(&client).build();
        let proof = client.proof("GET", URI).token(&token).clock(&FixedClock::at(NOW));
        // FAPI2-SC-dup-kid-1: kty and alg tell them apart.
        ask(&server, with_proof(&proof)).await.assert_ok();
    }
}

#[tokio::test]
async fn proofs_are_used_once() {
    let bed = bed();
    let client = Client::new(&bed);
    let proof = client.proof().build();
    ask(&bed.server, dpop(&client.token, &[&proof])).await.assert_ok();
    // FAPI2-SC-replay-1: without any further setting.
    let again = ask(&bed.server, dpop(&client.token, &[&proof])).await;
    again.assert_p401_listing(ALGS, RejectionKind::ReplayedProof);
    let open = |builder: Builder| builder.danger().accept_unrecorded_proofs();
    // FAPI2-SC-replay-1: neither records that count nor nonces.
    assert_eq!(contradiction(open).0, "danger");
    // FAPI2-SC-replay-1: nonces are enough.
    conforms(|builder| open(builder).dpop(Dpop::new().nonces(SealedNonces::random())));
}

#[test]
fn no_protection_is_given_up() {
    for open in [
        |builder: Builder| builder.danger().accept_any_audience(),
        |builder: Builder| builder.danger().ignore_unverifiable_confirmation(),
        |builder: Builder| builder.danger().accept_unknown_status(),
    ] {
        let (setting, problem) = contradiction(open);
        assert_eq!(setting, "danger", "{problem}");
    }
}

#[test]
fn all_contradictions_are_told_at_once() {
    let error = TestIssuer::new(ISSUER)
        .resource_server(RESOURCE)
        .leeway(Duration::ZERO)
        .fapi2(Fapi2::new())
        .sender_constraint(SenderConstraint::Bearer)
        .realm("\n")
        .build()
        .expect_err("four faults");
    let settings: Vec<_> = error.faults().iter().map(|fault| fault.setting()).collect();
    assert_eq!(settings, ["leeway", "sender_constraint", "fapi2", "realm"]);
}

const ID: &str = "c770aef3-6784-41f7-8E0E-ff5f97bddb3a";

/// The interaction ids of the response to a request with these.
async fn echoed(bed: &Bed, request: Request<Full<Bytes>>, ids: &[&[u8]]) -> Vec<String> {
    let mut request = over_tls(request);
    for id in ids {
        let id = HeaderValue::from_bytes(id).expect("a field value");
        request.headers_mut().append("x-fapi-interaction-id", id);
    }
    let answer = send(bed.server.authenticate(), request).await;
    let lines = answer.headers.get_all("x-fapi-interaction-id").iter();
    lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect()
}

#[tokio::test]
async fn the_interaction_id_comes_back_where_that_is_wanted() {
    let silent = bed();
    let request = Client::new(&silent).request();
    // FAPI2-x-1: not unless asked for.
    assert!(echoed(&silent, request, &[ID.as_bytes()]).await.is_empty());
    let bed = Bed::with(|builder| builder.fapi2(fapi2().echo_interaction_id()));
    let accepted = || Client::new(&bed).request();
    let refused = || get(&[]);
    let malformed = || dpop("x", &[]);
    for request in [accepted(), refused(), malformed(), bearer("x")] {
        // FAPI2-x-1: accepted and refused.
        assert_eq!(echoed(&bed, request, &[ID.as_bytes()]).await, [ID]);
    }
    let client = Client::new(&bed);
    for _ in 0..2 {
        // FAPI2-x-1: of a token seen before, and of one that is new.
        assert_eq!(echoed(&bed, client.request(), &[ID.as_bytes()]).await, [ID]);
    }
    let long = "a".repeat(4096);
    let bad: [&[&[u8]]; 9] = [
        &[],
        &[b""],
        &[b"1"],
        &[&ID.as_bytes()[1..]],
        &[b"c770aef3-6784-41f7-8e0e-ff5f97bddb3a0"],
        &[b"c770aef3-6784-41f7-8e0e_ff5f97bddb3a"],
        &[b"g770aef3-6784-41f7-8e0e-ff5f97bddb3a"],
        &[b"c770aef3-6784-41f7-8e0e-ff5f97bddb\xf6a"],
        &[long.as_bytes()],
    ];
    for ids in bad {
        for request in [accepted(), refused()] {
            // FAPI2-x-1: nothing but one UUID.
            assert!(echoed(&bed, request, ids).await.is_empty(), "{ids:?}");
        }
    }
    assert!(echoed(&bed, accepted(), &[ID.as_bytes(), ID.as_bytes()]).await.is_empty());
}
