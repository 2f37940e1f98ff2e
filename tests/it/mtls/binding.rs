//! A token and the certificate of the connection (RFC 8705 §3).

use http::{Request, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower_resource_server::testing::{FixedClock, ScriptedFetch, SigningKey, TestCertificate};
use tower_resource_server::{
    Algorithm, Binding, ClientAuthentication, ClientCertificate, Grant, Introspection, Issuer,
    RejectionKind, ResourceServer, Scopes, SenderConstraint,
};

use super::{Mtls, refused};
use crate::dpop::Client;
use crate::support::{
    Answer, Bed, Handler, ISSUER, NOW, RESOURCE, bearer, get, published, send, send_around,
};

/// The certificate of RFC 8705 appendix A, in DER.
fn published_certificate() -> TestCertificate {
    TestCertificate::from_der(der(&published("RFC8705-A", "cert_der_base64")))
}

fn der(base64: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(base64).expect("base64")
}

/// The answer to a token with that `cnf` on a connection with that certificate.
async fn confirmed(bed: &Bed, cnf: &Value, certificate: &TestCertificate) -> Answer {
    let token = bed.issuer.token().scope("read").claim("cnf", cnf.clone()).build();
    send(bed.server.authenticate(), certificate.attach(bearer(&token))).await
}

#[tokio::test]
async fn the_certificate_of_the_connection_is_the_one_the_token_is_bound_to() {
    let mtls = Mtls::new();
    // A token that is new, and one that was seen before, by whomever.
    for _ in 0..2 {
        let answer = mtls.send(mtls.sound()).await;
        // R8705-3-1: the certificate that the TLS layer tells of is the one of `cnf`.
        answer.assert_ok();
        let other = TestCertificate::random().attach(mtls.request());
        let answer = mtls.send(other).await;
        // R8705-3-1: another is not.
        refused(&answer, RejectionKind::CertificateMismatch);
        // R8705-3-2: 401, invalid_token, in the challenge of Bearer; the other scheme has no error.
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.challenge_of("Bearer").get("error"), Some("invalid_token"));
        assert_eq!(answer.challenge_of("DPoP").get("error"), None);
    }
}

#[tokio::test]
async fn without_a_certificate_a_bound_token_is_worthless() {
    let mtls = Mtls::new();
    for _ in 0..2 {
        let answer = mtls.send(mtls.request()).await;
        // R8705-3-3: a stolen token on a connection without certificate.
        refused(&answer, RejectionKind::MissingCertificate);
        mtls.send(mtls.sound()).await.assert_ok();
    }
    let optional = mtls.bed.server.authenticate().optional();
    // R8705-3-3: where anonymous requests are let through, a bad token is not taken for none.
    refused(&send(optional, mtls.request()).await, RejectionKind::MissingCertificate);
}

#[tokio::test]
async fn a_certificate_beside_other_tokens_means_nothing() {
    let mtls = Mtls::new();
    let unbound = mtls.certificate.attach(bearer(&mtls.bed.token()));
    mtls.send(unbound).await.assert_ok();
    let client = Client::new(&mtls.bed);
    mtls.send(mtls.certificate.attach(client.request())).await.assert_ok();
}

#[tokio::test]
async fn the_thumbprint_is_that_of_the_vector() {
    let bed = Bed::new();
    let certificate = published_certificate();
    let thumbprint = published("RFC8705-A", "x5t_S256");
    assert_eq!(certificate.client().thumbprint().to_string(), thumbprint);
    assert_eq!(format!("{:?}", certificate.client().thumbprint()), thumbprint);
    // R8705-3.1-1: unpadded base64url of the SHA-256 of the DER.
    // R8705-6.2-1: the certificate is self-signed, and expired the year before.
    confirmed(&bed, &json!({ "x5t#S256": thumbprint }), &certificate).await.assert_ok();
}

#[tokio::test]
async fn a_thumbprint_in_another_form_is_malformed() {
    let bed = Bed::new();
    let certificate = published_certificate();
    let thumbprint = published("RFC8705-A", "x5t_S256");
    let digest = certificate.client().thumbprint().as_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = thumbprint.replace('-', "+").replace('_', "/");
    let malformed = [
        json!(format!("{thumbprint}=")),
        json!(hex),
        json!(hex.to_uppercase()),
        json!(base64.clone() + "="),
        json!(thumbprint[..42]),
        json!(format!("{thumbprint}A")),
        json!(format!(" {thumbprint}")),
        json!(published("RFC8705-3.1 example", "x5t_S256")),
        json!(""),
        json!(null),
        json!(7),
        json!(true),
        json!([thumbprint]),
        json!({ "x5t#S256": thumbprint }),
    ];
    for value in malformed {
        let answer = confirmed(&bed, &json!({ "x5t#S256": value }), &certificate).await;
        // R8705-3.1-1: padded, in hex, cut, not canonical, or no string at all.
        refused(&answer, RejectionKind::InvalidClaim);
    }
}

#[tokio::test]
async fn the_hash_of_the_pem_text_is_that_of_something_else() {
    let bed = Bed::new();
    let certificate = published_certificate();
    let base64 = published("RFC8705-A", "cert_der_base64");
    for text in [
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n"),
        base64.clone(),
    ] {
        let of_text = ClientCertificate::from_der(&text).thumbprint().to_string();
        let answer = confirmed(&bed, &json!({ "x5t#S256": of_text }), &certificate).await;
        // R8705-3.1-1: a hash of the text is well-formed, and wrong.
        refused(&answer, RejectionKind::CertificateMismatch);
    }
    let by_hand: [u8; 32] = Sha256::digest(der(&base64)).into();
    assert_eq!(certificate.client().thumbprint().as_bytes(), &by_hand);
    // R8705-3.1-1: the digest of the DER is all that there is to a certificate.
    assert_eq!(ClientCertificate::from_sha256(by_hand), *certificate.client());
}

#[tokio::test]
async fn so_it_is_with_tokens_that_the_issuer_is_asked_about() {
    let certificate = TestCertificate::random();
    let thumbprint = certificate.client().thumbprint().to_string();
    let answer = json!({
        "active": true,
        "sub": "user-1",
        "aud": RESOURCE,
        "cnf": { "x5t#S256": thumbprint },
    });
    let credentials = ClientAuthentication::client_secret_basic("api-1", "secret");
    let introspection = Introspection::at("https://as.example.com/introspect", credentials);
    let server = ResourceServer::builder(RESOURCE)
        .issuer(Issuer::introspection(ISSUER, introspection))
        .fetch(ScriptedFetch::new().always_json(answer))
        .clock(FixedClock::at(NOW))
        .build()
        .expect("a valid configuration");
    let request = || bearer("opaque-token");
    // The token is new, and then remembered.
    for _ in 0..2 {
        let answer = send(server.authenticate(), TestCertificate::random().attach(request())).await;
        // R8705-3.2-1: `cnf` of the answer binds the token as that of a JWT does.
        refused(&answer, RejectionKind::CertificateMismatch);
        let answer = send(server.authenticate(), request()).await;
        // R8705-3.2-1: without a certificate too.
        refused(&answer, RejectionKind::MissingCertificate);
        send(server.authenticate(), certificate.attach(request())).await.assert_ok();
    }
}

#[tokio::test]
async fn the_chain_is_not_asked_for() {
    let bed = Bed::new();
    // Nobody signed it, and it is not even a certificate.
    let stranger = TestCertificate::random();
    let cnf = json!({ "x5t#S256": stranger.client().thumbprint().to_string() });
    // R8705-6.2-1: for the binding, the thumbprint is all that counts.
    confirmed(&bed, &cnf, &stranger).await.assert_ok();
}

#[tokio::test]
async fn members_beside_it_that_are_not_known_mean_nothing() {
    let bed = Bed::new();
    let certificate = TestCertificate::random();
    let thumbprint = certificate.client().thumbprint().to_string();
    for (name, value) in [("kid", json!("k")), ("foo", json!(1)), ("x5t#S512", json!("x"))] {
        let cnf = json!({ "x5t#S256": thumbprint, name: value });
        confirmed(&bed, &cnf, &certificate).await.assert_ok();
    }
    let other = json!({ "x5t": thumbprint });
    let answer = confirmed(&bed, &other, &certificate).await;
    refused(&answer, RejectionKind::UnsupportedConfirmation);
}

#[tokio::test]
async fn a_key_and_a_certificate_must_both_hold() {
    let bed = Bed::new();
    let (key, certificate) = (SigningKey::generate(Algorithm::ES256), TestCertificate::random());
    let token = bed.issuer.token().scope("read");
    let token = token.bound_to(&key).bound_to_certificate(certificate.client()).build();
    let client = Client { key, token };
    let guard = || bed.server.authenticate();
    let stranger =
        Client { key: SigningKey::generate(Algorithm::ES256), token: client.token.clone() };
    let other = TestCertificate::random();
    // R7800-3.1-3: a sound proof and the right certificate.
    send(guard(), certificate.attach(client.request())).await.assert_ok();
    let cases = [
        // R7800-3.1-3: a sound proof, and another certificate or none.
        (other.attach(client.request()), RejectionKind::CertificateMismatch),
        (client.request(), RejectionKind::MissingCertificate),
        // R7800-3.1-3: the right certificate, and the proof of another key.
        (certificate.attach(stranger.request()), RejectionKind::ProofKeyMismatch),
    ];
    for (request, kind) in cases {
        let answer = send(guard(), request).await;
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(kind));
        assert_eq!(answer.challenge().scheme, "DPoP");
    }
    // R7800-3.1-3: the right certificate, and no proof.
    let answer = send(guard(), certificate.attach(bearer(&client.token))).await;
    refused(&answer, RejectionKind::BoundTokenAsBearer);
}

#[tokio::test]
async fn a_refused_certificate_leaves_the_proof_unused() {
    let bed = Bed::new();
    let (key, certificate) = (SigningKey::generate(Algorithm::ES256), TestCertificate::random());
    let token = bed.issuer.token().bound_to(&key).bound_to_certificate(certificate.client());
    let client = Client { key, token: token.build() };
    let request = client.request();
    let answer = send(bed.server.authenticate(), request.clone()).await;
    assert_eq!(answer.kind(), Some(RejectionKind::MissingCertificate));
    // The proof was not recorded, so a thief of token and proof has not used it up either.
    send(bed.server.authenticate(), certificate.attach(request)).await.assert_ok();
}

#[tokio::test]
async fn such_a_token_is_sent_as_bearer() {
    let mtls = Mtls::new();
    // R8705-7.2-1: by the certificate alone, under the scheme Bearer, in any case of letters.
    for scheme in ["Bearer", "bearer"] {
        let line = format!("{scheme} {}", mtls.token);
        let request = mtls.certificate.attach(get(&[("authorization", &line)]));
        mtls.send(request).await.assert_ok();
    }
    let client = Client { key: SigningKey::generate(Algorithm::ES256), token: mtls.token.clone() };
    let answer = mtls.send(mtls.certificate.attach(client.request())).await;
    // R8705-7.2-1: and under no other: a proof is no way to use it.
    answer.assert_t401();
    assert_eq!(answer.challenge().scheme, "DPoP");
    assert_eq!(answer.kind(), Some(RejectionKind::UnboundToken));
    let bare = mtls.certificate.attach(get(&[("authorization", &format!("DPoP {}", mtls.token))]));
    assert!(!mtls.send(bare).await.handled);
}

#[tokio::test]
async fn what_nobody_verifies_can_be_ignored_and_a_certificate_cannot() {
    let mtls = Mtls::with(|builder| builder.danger().ignore_unverifiable_confirmation());
    refused(&mtls.send(mtls.request()).await, RejectionKind::MissingCertificate);
    let other = TestCertificate::random().attach(mtls.request());
    refused(&mtls.send(other).await, RejectionKind::CertificateMismatch);
    mtls.send(mtls.sound()).await.assert_ok();
    let bed = &mtls.bed;
    let malformed = json!({ "x5t#S256": "x" });
    let answer = confirmed(bed, &malformed, &mtls.certificate).await;
    refused(&answer, RejectionKind::InvalidClaim);
    let beside =
        json!({ "kid": "k", "x5t#S256": mtls.certificate.client().thumbprint().to_string() });
    let token = bed.issuer.token().claim("cnf", beside).build();
    refused(&mtls.send(bearer(&token)).await, RejectionKind::MissingCertificate);
    let unknown = json!({ "kid": "k" });
    confirmed(bed, &unknown, &mtls.certificate).await.assert_ok();
    let strict = Bed::with(|builder| {
        let builder = builder.sender_constraint(SenderConstraint::Bound);
        builder.danger().ignore_unverifiable_confirmation()
    });
    let answer = confirmed(&strict, &unknown, &mtls.certificate).await;
    refused(&answer, RejectionKind::UnboundToken);
}

/// What a handler is told of the binding.
async fn binding(bed: &Bed, request: Request<http_body_util::Full<bytes::Bytes>>) -> Binding {
    use tower::{Layer, ServiceExt};
    let told = std::sync::Arc::new(std::sync::Mutex::new(None));
    let tell = std::sync::Arc::clone(&told);
    let handler = tower::service_fn(move |request: Request<_>| {
        let grant = request.extensions().get::<Grant>().expect("accepted");
        *tell.lock().expect("no panic") = Some(grant.binding().clone());
        tower::Service::call(&mut Handler::default(), request)
    });
    let answer = bed.server.authenticate().layer(handler).oneshot(request).await;
    assert_eq!(answer.expect("infallible").status(), StatusCode::OK);
    told.lock().expect("no panic").take().expect("the handler ran")
}

#[tokio::test]
async fn the_grant_says_what_was_verified() {
    let mtls = Mtls::new();
    let thumbprint = *mtls.certificate.client().thumbprint();
    let certain = binding(&mtls.bed, mtls.sound()).await;
    assert_eq!(certain, Binding::MutualTls(thumbprint));
    assert_eq!(certain.name(), "mtls");
    assert_eq!((certain.key(), certain.certificate()), (None, Some(&thumbprint)));

    let client = Client::new(&mtls.bed);
    let token = mtls.bed.issuer.token().bound_to(&client.key);
    let token = token.bound_to_certificate(mtls.certificate.client()).build();
    let client = Client { token, ..client };
    let both = binding(&mtls.bed, mtls.certificate.attach(client.request())).await;
    assert_eq!(both.name(), "dpop+mtls");
    assert_eq!(both.certificate(), Some(&thumbprint));
    assert_eq!(both.key().map(ToString::to_string), Some(client.key.thumbprint()));

    // Shown beside a token that is bound to no certificate, it proves nothing.
    let beside = mtls.certificate.attach(bearer(&mtls.bed.token()));
    assert_eq!(binding(&mtls.bed, beside).await, Binding::Bearer);
}

#[tokio::test]
async fn scopes_are_asked_for_after_the_certificate() {
    let mtls = Mtls::new();
    let guard = mtls.bed.server.authenticate().require(Scopes::all(["write"]));
    let answer = send(guard.clone(), mtls.request()).await;
    refused(&answer, RejectionKind::MissingCertificate);
    let answer = send_around(guard, Handler::default(), mtls.sound()).await;
    answer.assert_s403("write");
    assert_eq!(answer.schemes(), ["Bearer"]);
}
