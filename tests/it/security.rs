//! What attackers try with tokens that are genuine (RFC 9700, RFC 7800).

use serde_json::{Value, json};
use tower_resource_server::testing::{FixedClock, TestIssuer};
use tower_resource_server::{Algorithm, Binding, Issuer, JwkSet, RejectionKind};

use crate::support::{
    Bed, ISSUER, NOW, RESOURCE, bearer, grant, key, present, publishing, send, token_by, trusting,
};

const OTHER: &str = "https://other-api.example.com";

/// Another issuer, whose tokens are for [`OTHER`].
const OTHER_ISSUER: &str = "https://other-as.example.com";

/// Audiences differ by server and, within one, by issuer. The mounts of one server share a memory.
#[tokio::test]
async fn a_token_remembered_for_one_audience_opens_no_other() {
    let [ours, theirs] = [ISSUER, OTHER_ISSUER].map(|issuer| {
        TestIssuer::with_key(issuer, key(Algorithm::ES256, "k")).clock(FixedClock::at(NOW))
    });
    let trusted = |issuer: &TestIssuer| {
        let keys = JwkSet::from_json(&issuer.jwks_bytes()).expect("a key set");
        Issuer::jwks(issuer.issuer(), keys)
    };
    let server = trusting(trusted(&ours)).issuer(trusted(&theirs).audience(OTHER));
    let server = server.build().expect("valid");
    let good = [ours.token(), theirs.token().audience(OTHER)].map(|token| token.build());
    let crossed = [ours.token().audience(OTHER), theirs.token()].map(|token| token.build());
    let mounts = [server.authenticate(), server.authenticate()];
    for mount in mounts.iter().chain(&mounts) {
        for token in &good {
            send(mount.clone(), bearer(token)).await.assert_ok();
        }
        for token in &crossed {
            let answer = send(mount.clone(), bearer(token)).await;
            // R9700-2.3-1: also once tokens of that audience have been accepted and remembered.
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience));
        }
    }
}

#[tokio::test]
async fn a_token_that_one_server_remembers_opens_no_other_server() {
    let signer = key(Algorithm::ES256, "k");
    let issuer = publishing([signer.public_jwk()]);
    let ours = trusting(issuer.clone()).build().expect("valid");
    let theirs = trusting(issuer).audience(OTHER).build().expect("valid");
    let for_us = token_by(&signer).build();
    let for_them = token_by(&signer).audience(OTHER).build();
    for _ in 0..2 {
        present(&ours, &for_us).await.assert_ok();
        present(&theirs, &for_them).await.assert_ok();
        for (server, token) in [(&ours, &for_them), (&theirs, &for_us)] {
            let answer = present(server, token).await;
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience));
        }
    }
}

/// Confirmations that nothing here can verify.
fn confirmations() -> [Value; 4] {
    [json!({ "kid": "k" }), json!({ "jwk": {} }), json!({}), json!({ "from-the-future": 1 })]
}

#[tokio::test]
async fn a_bound_token_is_refused_where_nothing_can_verify_the_binding() {
    let bed = Bed::new();
    for confirmation in confirmations() {
        let token = bed.issuer.token().claim("cnf", confirmation).build();
        for _ in 0..2 {
            let answer = bed.bearer(&token).await;
            // R7800-3.1-2: it fails closed, remembered or not.
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::UnsupportedConfirmation));
        }
    }
}

#[tokio::test]
async fn the_dangerous_opt_out_takes_a_bound_token_for_a_bearer_token() {
    let bed = Bed::with(|builder| builder.danger().ignore_unverifiable_confirmation());
    for confirmation in confirmations() {
        let token = bed.issuer.token().claim("cnf", confirmation).build();
        // R7800-3.1-2: only by this opt-out.
        bed.bearer(&token).await.assert_ok();
        assert_eq!(grant(&bed.server, &token).await.binding(), &Binding::Bearer);
    }
}

#[tokio::test]
async fn a_confirmation_that_is_no_object_is_refused_in_any_case() {
    let strict = Bed::new();
    let lax = Bed::with(|builder| builder.danger().ignore_unverifiable_confirmation());
    for bed in [strict, lax] {
        for confirmation in [json!("x"), json!(null), json!([]), json!(1), json!([{ "jkt": "x" }])]
        {
            let answer = bed.bearer(&bed.issuer.token().claim("cnf", confirmation).build()).await;
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::InvalidClaim));
        }
    }
}

#[tokio::test]
async fn a_grant_from_outside_does_not_survive_the_layer() {
    let bed = Bed::new();
    let admin = grant(&bed.server, &bed.issuer.token().subject("admin").build()).await;
    let mut request = bearer(&bed.issuer.token().subject("guest").build());
    request.extensions_mut().insert(admin.clone());
    let answer = send(bed.server.authenticate(), request).await;
    answer.assert_ok();
    assert_eq!(answer.body, "guest");

    let mut request = crate::support::get(&[]);
    request.extensions_mut().insert(admin);
    let answer = send(bed.server.authenticate().optional(), request).await;
    assert_eq!(answer.body, "anonymous");
}

#[tokio::test]
async fn a_remembered_token_expires_all_the_same() {
    let bed = Bed::new();
    let token = bed.token();
    bed.bearer(&token).await.assert_ok();
    bed.clock.advance(std::time::Duration::from_secs(359));
    bed.bearer(&token).await.assert_ok();
    bed.clock.advance(std::time::Duration::from_secs(1));
    let answer = bed.bearer(&token).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::ExpiredToken));
}

#[tokio::test]
async fn a_remembered_token_vouches_for_no_variant_of_it() {
    let bed = Bed::new();
    let token = bed.token();
    bed.bearer(&token).await.assert_ok();
    let (signed, signature) = token.rsplit_once('.').expect("a JWS");
    let header = signed.split('.').next().expect("a header");
    let foreign = bed.issuer.token().subject("admin").build();
    let payload = foreign.split('.').nth(1).expect("a payload");
    for variant in [
        format!("{header}.{payload}.{signature}"),
        format!("{signed}."),
        format!("{signed}.{signature}A"),
        format!("{signed}.{signature}="),
        format!("{signed}.{}", signature.to_lowercase()),
        token[..token.len() - 1].to_owned(),
    ] {
        bed.bearer(&variant).await.assert_t401();
    }
}

#[tokio::test]
async fn the_identity_of_a_request_is_its_own_tokens() {
    let bed = Bed::new();
    for subject in ["alice", "bob", "alice"] {
        let token = bed.issuer.token().subject(subject).build();
        for _ in 0..2 {
            assert_eq!(grant(&bed.server, &token).await.principal(), Some((ISSUER, subject)));
        }
    }
    assert_eq!(bed.server.resource(), RESOURCE);
}
