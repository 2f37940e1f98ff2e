//! Tokens bound to a key (RFC 9449).

use http::StatusCode;
use serde_json::{Value, json};
use tower_resource_server::Algorithm;
use tower_resource_server::testing::{ProofBuilder, ProofFlaw, SigningKey};

use crate::bed::{Answer, Bed, REDIRECT, VERIFIER};

impl Bed {
    fn proof(&self, key: &SigningKey) -> ProofBuilder {
        key.proof("POST", &format!("{}/token", self.mock.issuer)).clock(&self.clock)
    }

    async fn prove(&self, proofs: &[ProofBuilder], form: &[(&str, &str)]) -> Answer {
        let proofs: Vec<_> = proofs.iter().map(ProofBuilder::build).collect();
        let fields: Vec<_> = proofs.iter().map(|proof| ("dpop", proof.as_str())).collect();
        self.post("/token", &fields, form).await
    }

    /// Redeems a code with that proof.
    async fn redeem_with(&self, client: &str, code: &str, proof: ProofBuilder) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.prove(&[proof], &form).await
    }

    async fn refresh_with(&self, client: &str, token: &Value, proofs: &[ProofBuilder]) -> Answer {
        let token = token.as_str().expect("a refresh token");
        let form =
            [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)];
        self.prove(proofs, &form).await
    }
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256)
}

#[tokio::test]
async fn a_proof_binds_the_tokens() {
    let (bed, key) = (Bed::new().await, key());
    let client = bed.public().await;
    let code = bed.code(&client, &[]).await;
    let answer = bed.redeem_with(&client, &code, bed.proof(&key)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    // AS-R9449-5-1, AS-R6749-5.1-1: another type would be a token that is not bound.
    assert_eq!(answer.json()["token_type"], "DPoP");
    let token = bed.introspect(&answer.json()["access_token"]).await;
    assert_eq!(token["cnf"], json!({ "jkt": key.thumbprint() }));
    assert_eq!(token["token_type"], "DPoP");

    // The refresh token of a public client is bound as well (§5).
    let refresh = &answer.json()["refresh_token"];
    bed.refresh_with(&client, refresh, &[]).await.is_refused(400, "invalid_grant");
    let other = [bed.proof(&self::key())];
    bed.refresh_with(&client, refresh, &other).await.is_refused(400, "invalid_grant");
    let renewed = bed.refresh_with(&client, refresh, &[bed.proof(&key)]).await.json();
    assert_eq!(renewed["token_type"], "DPoP");
}

#[tokio::test]
async fn a_code_may_be_bound_before() {
    let (bed, key) = (Bed::new().await, key());
    let client = bed.public().await;
    let jkt = key.thumbprint();
    let bound = async || bed.code(&client, &[("dpop_jkt", &jkt)]).await;
    // AS-R9449-10-1: to the key that redeems it, and no other.
    let other = bed.redeem_with(&client, &bound().await, bed.proof(&self::key())).await;
    other.is_refused(400, "invalid_grant");
    bed.redeem(&client, &bound().await, &[]).await.is_refused(400, "invalid_dpop_proof");
    let answer = bed.redeem_with(&client, &bound().await, bed.proof(&key)).await;
    assert_eq!(answer.status, StatusCode::OK);
    bed.authorize(&client, &[("dpop_jkt", "x")]).await.is_returned("invalid_request");
}

#[tokio::test]
async fn a_nonce_comes_first_where_it_is_required() {
    let bed = Bed::with(|options| options.require_nonce = true).await;
    let (client, key) = (bed.public().await, key());
    let code = bed.code(&client, &[]).await;
    let refused = async |proof: ProofBuilder| {
        let answer = bed.redeem_with(&client, &code, proof).await;
        // AS-R9449-8-1: 400, JSON, no-store, and the nonce; no challenge.
        answer.is_refused(400, "use_dpop_nonce");
        assert_eq!(answer.field("www-authenticate"), None);
        assert_eq!(answer.headers.get_all("dpop-nonce").iter().count(), 1);
        answer.field("dpop-nonce").expect("a nonce").to_owned()
    };
    refused(bed.proof(&key)).await;
    let nonce = refused(bed.proof(&key).nonce("made-up")).await;
    // The code has not been spent by it.
    let answer = bed.redeem_with(&client, &code, bed.proof(&key).nonce(&nonce)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.field("dpop-nonce"), None, "it is still young");

    // The next comes before this one ends (§8.2), and then it ends.
    bed.clock.advance(std::time::Duration::from_secs(200));
    let refresh = answer.json()["refresh_token"].clone();
    let answer = bed.refresh_with(&client, &refresh, &[bed.proof(&key).nonce(&nonce)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(answer.field("dpop-nonce").is_some());
    bed.clock.advance(std::time::Duration::from_secs(200));
    let refresh = answer.json()["refresh_token"].clone();
    let answer = bed.refresh_with(&client, &refresh, &[bed.proof(&key).nonce(&nonce)]).await;
    answer.is_refused(400, "use_dpop_nonce");
}

#[tokio::test]
async fn a_bad_proof_gives_no_token() {
    let (bed, key) = (Bed::new().await, key());
    let client = bed.public().await;
    let tokens = bed.tokens(&client, &[]).await;
    let url = format!("{}/token", bed.mock.issuer);
    let good = bed.proof(&key);
    for proofs in [
        vec![bed.proof(&key), bed.proof(&key)],
        vec![key.proof("GET", &url).clock(&bed.clock)],
        vec![key.proof("POST", &format!("{}/other", bed.mock.issuer)).clock(&bed.clock)],
        vec![bed.proof(&key).header("typ", "jwt")],
        vec![bed.proof(&key).claim("jti", "")],
        vec![bed.proof(&key).claim("nonce", 1)],
        vec![bed.proof(&key).signed_with(&self::key())],
        vec![bed.proof(&key).flaw(ProofFlaw::IatOld)],
        vec![bed.proof(&key).flaw(ProofFlaw::KeyPrivate)],
        vec![bed.proof(&key).raw_payload("{")],
    ] {
        let answer = bed.refresh_with(&client, &tokens["refresh_token"], &proofs).await;
        answer.is_refused(400, "invalid_dpop_proof");
    }
    // It is good once, and only if it has not been.
    let answer =
        bed.refresh_with(&client, &tokens["refresh_token"], std::slice::from_ref(&good)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let refresh = &answer.json()["refresh_token"];
    bed.refresh_with(&client, refresh, &[good]).await.is_refused(400, "invalid_dpop_proof");
}

/// RFC 9449 §5.2.
#[tokio::test]
async fn a_client_may_insist_on_proofs() {
    let bed = Bed::new().await;
    let (client, _) = bed.client_with(json!({ "dpop_bound_access_tokens": true })).await;
    let code = bed.code(&client, &[]).await;
    bed.redeem(&client, &code, &[]).await.is_refused(400, "invalid_dpop_proof");
    let answer = bed.redeem_with(&client, &code, bed.proof(&key())).await;
    assert_eq!(answer.json()["token_type"], "DPoP");
}
