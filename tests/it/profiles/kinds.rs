//! No kind of JWT passes for another (RFC 8725 §3.12).

use serde_json::{Value, json};
use tower_resource_server::testing::{FixedClock, ScriptedFetch, SigningKey, TokenBuilder};
use tower_resource_server::{
    Algorithm, ClientAuthentication, Introspection, Profile, RejectionKind, ResourceServer,
};

use super::fixtures;
use crate::dpop::{Client, URI, dpop};
use crate::support::{Bed, ISSUER, NOW, RESOURCE, present, publishing, send, trusting};

/// An authorization server, and a client that is one too: it signs with the server's own key, so
/// that nothing but the kind of a JWT keeps it out.
struct Slots {
    key: SigningKey,
    server: ResourceServer,
    client: Client,
    kinds: Vec<(&'static str, String)>,
}

const ACCESS_TOKEN: &str = "access token";
const PROOF: &str = "proof";
const INTROSPECTION: &str = "introspection";

impl Slots {
    fn new(profile: Profile) -> Self {
        let key = SigningKey::generate(Algorithm::ES256).with_kid("k");
        let issuer = publishing([key.public_jwk()]).profile(profile).audience(RESOURCE);
        let issuer = issuer.audience_name("client-1");
        let server = trusting(issuer).build().expect("valid");
        let bed = Bed::new();
        let sign =
            |typ: Option<&str>, claims: Value| signed(bed.issuer.token(), &key, typ, &claims);
        let token = sign(type_of(profile), access_token(profile, &key));
        let client = Client { key: key.clone(), token: token.clone() };
        let mut kinds = vec![
            (ACCESS_TOKEN, token),
            (PROOF, client.proof().build()),
            (INTROSPECTION, sign(Some("token-introspection+jwt"), introspection())),
            ("typed client assertion", sign(Some("client-authentication+jwt"), assertion())),
            ("logout token", sign(Some("logout+jwt"), logout_token())),
        ];
        // Those whose header says nothing of them, or little.
        for (kind, claims) in [
            ("ID token", id_token()),
            ("ID token without marks", unmarked_id_token()),
            ("userinfo", userinfo()),
            ("authorization response", authorization_response()),
            ("metadata", metadata()),
            ("client assertion", assertion()),
            ("logout token of old", logout_token()),
        ] {
            kinds.extend([Some("JWT"), None].map(|typ| (kind, sign(typ, claims.clone()))));
        }
        Self { key, server, client, kinds }
    }

    /// A server that asks about opaque tokens, and gets that for an answer.
    fn asking(&self, answer: &str) -> ResourceServer {
        let endpoint = "https://as.example.com/introspect";
        let credentials = ClientAuthentication::client_secret_basic("api-1", "s3cr3t");
        let introspection =
            Introspection::at(endpoint, credentials).signed_answers([Algorithm::ES256]);
        let issuer = publishing([self.key.public_jwk()]).introspect(introspection);
        let media_type = "application/token-introspection+jwt";
        let fetch = ScriptedFetch::new().at(endpoint, 200, media_type, answer.to_owned());
        trusting(issuer).fetch(fetch).build().expect("valid")
    }
}

/// A token with that type and those claims alone.
fn signed(token: TokenBuilder, key: &SigningKey, typ: Option<&str>, claims: &Value) -> String {
    let mut header = json!({ "alg": "ES256", "kid": "k", "jwk": key.bare_jwk() });
    if let Some(typ) = typ {
        header["typ"] = json!(typ);
    }
    let token = token.raw_header(header.to_string()).raw_payload(claims.to_string());
    token.signed_with(key).build()
}

fn type_of(profile: Profile) -> Option<&'static str> {
    match profile {
        Profile::Rfc9068 => Some("at+jwt"),
        Profile::Cognito | Profile::Okta => None,
        _ => Some("JWT"),
    }
}

/// One that every preset takes for an access token, if it has the right type; bound to the key.
fn access_token(profile: Profile, key: &SigningKey) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "user-1", "iat": NOW, "exp": NOW + 300, "jti": "1",
        "client_id": "client-1", "azp": "client-1", "cid": "client-1", "token_use": "access",
        "cnf": { "jkt": key.thumbprint() },
    });
    if profile == Profile::Keycloak {
        claims["typ"] = json!("DPoP");
    }
    claims
}

fn id_token() -> Value {
    json!({
        "iss": ISSUER, "aud": "client-1", "sub": "user-1", "iat": NOW, "exp": NOW + 300,
        "jti": "2", "azp": "client-1", "nonce": "n", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        "typ": "ID", "token_use": "id",
    })
}

/// One whose claims alone keep it out: nonce and hashes may be absent (OpenID Connect Core §2).
fn unmarked_id_token() -> Value {
    json!({
        "iss": ISSUER, "aud": "client-1", "sub": "user-1", "iat": NOW, "exp": NOW + 300,
        "typ": "ID", "token_use": "id",
    })
}

/// OpenID Connect Core §5.3.2, with the times that some servers add.
fn userinfo() -> Value {
    json!({
        "iss": ISSUER, "aud": "client-1", "sub": "user-1", "iat": NOW, "exp": NOW + 300,
        "email": "ada@example.com", "email_verified": true, "name": "Ada Example",
    })
}

/// JARM §2.1.
fn authorization_response() -> Value {
    json!({
        "iss": ISSUER, "aud": "client-1", "iat": NOW, "exp": NOW + 300,
        "code": "SplxlOBeZQQYbYS6WxSbIA", "state": "af0ifjsldkj",
    })
}

/// RFC 9701 §5.
fn introspection() -> Value {
    json!({
        "iss": ISSUER, "aud": RESOURCE, "iat": NOW,
        "token_introspection": {
            "active": true, "aud": RESOURCE, "sub": "user-1", "client_id": "client-1",
        },
    })
}

/// RFC 9728 §2.2.
fn metadata() -> Value {
    json!({ "iss": ISSUER, "resource": RESOURCE, "authorization_servers": [ISSUER] })
}

/// RFC 7523 §3: the client speaks for itself.
fn assertion() -> Value {
    json!({
        "iss": "client-1", "sub": "client-1", "aud": ISSUER, "jti": "3", "iat": NOW,
        "exp": NOW + 300,
    })
}

fn logout_token() -> Value {
    json!({
        "iss": ISSUER, "aud": "client-1", "sub": "user-1", "iat": NOW, "exp": NOW + 120,
        "jti": "4", "sid": "5", "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    })
}

fn profiles() -> impl Iterator<Item = Profile> {
    let presets = fixtures().map(|fixture| fixture.profile);
    [Profile::Rfc9068].into_iter().chain(presets)
}

#[tokio::test]
async fn only_an_access_token_is_taken_for_one() {
    for profile in profiles() {
        let slots = Slots::new(profile);
        for (kind, jwt) in &slots.kinds {
            let proof = slots.client.key.proof("GET", URI).token(jwt).clock(&FixedClock::at(NOW));
            let answer = send(slots.server.authenticate(), dpop(jwt, &[&proof.build()])).await;
            // R8725-3.12-1: each other kind is refused where an access token belongs.
            if *kind == ACCESS_TOKEN {
                answer.assert_ok();
            } else {
                answer.assert_t401();
                present(&slots.server, jwt).await.assert_t401();
            }
            assert_eq!(answer.handled, *kind == ACCESS_TOKEN, "{profile:?} {kind}");
        }
    }
}

#[tokio::test]
async fn only_a_proof_is_taken_for_one() {
    for profile in profiles() {
        let slots = Slots::new(profile);
        for (kind, jwt) in &slots.kinds {
            let request = dpop(&slots.client.token, &[jwt]);
            let answer = send(slots.server.authenticate(), request).await;
            // R8725-3.12-1: and where a proof belongs, signed by the bound key as they all are.
            if *kind == PROOF {
                answer.assert_ok();
            } else {
                answer.assert_p401();
            }
            assert_eq!(answer.handled, *kind == PROOF, "{profile:?} {kind}");
        }
    }
}

#[tokio::test]
async fn only_an_introspection_answer_is_taken_for_one() {
    for profile in profiles() {
        let slots = Slots::new(profile);
        for (kind, jwt) in &slots.kinds {
            let answer = present(&slots.asking(jwt), "an-opaque-token").await;
            // R8725-3.12-1: and where the answer about a token belongs, signed by its issuer.
            if *kind == INTROSPECTION {
                answer.assert_ok();
            } else {
                answer.assert_x503();
                assert_eq!(answer.kind(), Some(RejectionKind::IntrospectionUnavailable));
            }
            assert_eq!(answer.handled, *kind == INTROSPECTION, "{profile:?} {kind}");
        }
    }
}
