//! What binds a token to its sender, and who may say so: RFC 7800, RFC 9700, RFC 7519 §4.1.7.

use http::{HeaderName, HeaderValue, Request};
use serde_json::{Value, json};
use tower_resource_server::testing::SigningKey;
use tower_resource_server::{
    Algorithm, PeerAddress, RejectionKind, Scopes, SenderConstraint, TrustedProxies,
};

use crate::dpop::Client;
use crate::support::{Answer, Bed, bearer, get, published, send};

/// The answer to a token with that `cnf`, under DPoP with a proof of `key` and under Bearer.
async fn confirmed(bed: &Bed, key: &SigningKey, cnf: &Value) -> [Answer; 2] {
    let token = bed.issuer.token().scope("read").claim("cnf", cnf.clone()).build();
    let client = Client { key: key.clone(), token };
    let under_bearer = bed.bearer(&client.token).await;
    [client.call(bed).await, under_bearer]
}

#[tokio::test]
async fn cnf_is_an_object_whose_unknown_members_mean_nothing() {
    let bed = Bed::new();
    let key = SigningKey::generate(Algorithm::ES256);
    let jkt = key.thumbprint();
    for cnf in [json!("x"), json!(jkt), json!([{ "jkt": jkt }]), json!(7), json!(true), json!(null)]
    {
        for answer in confirmed(&bed, &key, &cnf).await {
            // R7800-3.1-1: anything but an object is refused, with a sound proof too.
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::InvalidClaim), "{cnf}");
        }
    }
    for (name, value) in [("foo", json!(1)), ("kid", json!("k")), ("jwk", json!({}))] {
        let [proven, under_bearer] =
            confirmed(&bed, &key, &json!({ "jkt": jkt, name: value })).await;
        // R7800-3.1-1: beside `jkt`, members that are not known are ignored.
        proven.assert_ok();
        under_bearer.assert_t401();
    }
}

#[tokio::test]
async fn a_sound_proof_is_only_half_of_a_key_and_a_certificate() {
    let bed = Bed::new();
    let key = SigningKey::generate(Algorithm::ES256);
    let both = json!({ "jkt": key.thumbprint(), "x5t#S256": published("RFC8705-A", "x5t_S256") });
    let [proven, under_bearer] = confirmed(&bed, &key, &both).await;
    // R7800-3.1-3: the proof holds, and no certificate is there.
    proven.assert_t401();
    assert_eq!(proven.challenge().scheme, "DPoP");
    assert_eq!(proven.kind(), Some(RejectionKind::MissingCertificate));
    under_bearer.assert_t401();
    let stranger = SigningKey::generate(Algorithm::ES256);
    let [other, _] = confirmed(&bed, &stranger, &both).await;
    assert_eq!(other.kind(), Some(RejectionKind::ProofKeyMismatch));
    let [proven, _] = confirmed(&bed, &key, &json!({ "jkt": key.thumbprint() })).await;
    proven.assert_ok();
}

fn only_dpop(answer: &Answer) {
    answer.assert_n401();
    assert_eq!(answer.kind(), Some(RejectionKind::UnsupportedScheme));
    assert_eq!(answer.schemes(), ["DPoP"]);
    assert!(answer.challenge().get("algs").is_some());
}

#[tokio::test]
async fn a_server_or_a_route_can_demand_bound_tokens() {
    let strict = Bed::with(|builder| builder.sender_constraint(SenderConstraint::Dpop));
    let bed = Bed::new();
    let read = || Scopes::all(["read"]);
    let guard = bed.server.authenticate();
    let outer = guard.clone().sender_constraint(SenderConstraint::Dpop);
    let inner = bed.server.require(read()).sender_constraint(SenderConstraint::Dpop);
    // R9700-2.2.1-1: per server, per layer and per route, an unbound token is no fault of the
    // token, and the answer offers DPoP alone. (For mutual TLS, see there.)
    only_dpop(&strict.bearer(&strict.token()).await);
    only_dpop(&send(outer.clone(), bearer(&bed.token())).await);
    only_dpop(&send((guard.clone(), inner.clone()), bearer(&bed.token())).await);
    // R9700-2.2.1-1: the same routes serve who proves possession.
    Client::new(&strict).call(&strict).await.assert_ok();
    let client = Client::new(&bed);
    send(outer, client.request()).await.assert_ok();
    send((guard.clone(), inner), client.request()).await.assert_ok();
    // R9700-2.2.1-1: and the routes beside them take unbound tokens as before.
    send((guard, bed.server.require(read())), bearer(&bed.token())).await.assert_ok();
}

const FORGED: [(&str, &str); 6] = [
    ("x-forwarded-host", "evil.example.com"),
    ("forwarded", "host=evil.example.com"),
    ("x-forwarded-proto", "http"),
    ("forwarded", "proto=http"),
    ("x-forwarded-prefix", "/evil"),
    ("host", "evil.example.com"),
];

/// What a proof would have to name if that field were believed.
fn believed(value: &str) -> &'static str {
    match value {
        "http" | "proto=http" => "http://api.example.com/r",
        "/evil" => "https://api.example.com/evil/r",
        _ => "https://evil.example.com/r",
    }
}

fn with_line<B>(mut request: Request<B>, (name, value): (&'static str, &str)) -> Request<B> {
    let value = HeaderValue::from_str(value).expect("a field value");
    request.headers_mut().insert(HeaderName::from_static(name), value);
    request
}

fn from_peer<B>(mut request: Request<B>, peer: Option<[u8; 4]>) -> Request<B> {
    if let Some(peer) = peer {
        request.extensions_mut().insert(PeerAddress::new(peer.into()));
    }
    request
}

const PROXY: [u8; 4] = [192, 0, 2, 10];
const STRANGER: [u8; 4] = [198, 51, 100, 7];

/// Servers that trust no proxy, and that trust one in either family.
fn servers() -> [Bed; 3] {
    [
        Bed::new(),
        Bed::with(|b| b.trusted_proxies(TrustedProxies::forwarded(["192.0.2.10"]))),
        Bed::with(|b| b.trusted_proxies(TrustedProxies::x_forwarded(["192.0.2.10"]))),
    ]
}

#[tokio::test]
async fn forwarding_fields_of_strangers_change_nothing() {
    for bed in servers() {
        let client = Client::new(&bed);
        let guard = bed.server.authenticate();
        for peer in [None, Some(STRANGER)] {
            for line in FORGED {
                let honest = from_peer(with_line(client.request(), line), peer);
                // R9700-4.13-1: a proof for the configured URL is good, whatever the field says …
                send(guard.clone(), honest).await.assert_ok();
                let htu = believed(line.1);
                let forged = client.proof().claim("htu", htu).authorize(get(&[]));
                let answer = send(guard.clone(), from_peer(with_line(forged, line), peer)).await;
                // R9700-4.13-1: … and one for what the field says is not.
                answer.assert_p401();
                assert_eq!(answer.kind(), Some(RejectionKind::ProofUriMismatch), "{line:?}");
            }
        }
    }
}

#[tokio::test]
async fn forwarding_fields_of_a_trusted_proxy_count() {
    let [_, forwarded, x_forwarded] = servers();
    for (bed, family) in [(forwarded, "forwarded"), (x_forwarded, "x-forwarded")] {
        let client = Client::new(&bed);
        for line in FORGED.into_iter().filter(|(name, _)| name.starts_with(family)) {
            let proof = client.proof().claim("htu", believed(line.1));
            let request = from_peer(with_line(proof.authorize(get(&[])), line), Some(PROXY));
            // R9700-4.13-1: so it was the peer that made the difference.
            send(bed.server.authenticate(), request).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn a_token_is_good_for_many_requests() {
    let bed = Bed::new();
    let client = Client::new(&bed);
    // R7519-4.1.7-1: the `jti` of a token is no replay check; each proof is another.
    client.call(&bed).await.assert_ok();
    client.call(&bed).await.assert_ok();
    let unbound = bed.token();
    // R7519-4.1.7-1: nor without proofs.
    bed.bearer(&unbound).await.assert_ok();
    bed.bearer(&unbound).await.assert_ok();
    let again = client.request();
    send(bed.server.authenticate(), again.clone()).await.assert_ok();
    let answer = send(bed.server.authenticate(), again).await;
    answer.assert_p401();
    assert_eq!(answer.kind(), Some(RejectionKind::ReplayedProof), "the `jti` of a proof is one");
}

#[tokio::test]
async fn a_layer_that_takes_any_token_names_no_scheme_that_the_one_around_it_refuses() {
    let bed = Bed::with(|builder| builder.sender_constraint(SenderConstraint::Dpop));
    let guard = bed.server.authenticate().optional();
    let any = bed.server.require(Scopes::all(["read"])).sender_constraint(SenderConstraint::Any);
    let answer = send((guard.clone(), any.clone()), get(&[])).await;
    // R9449-7.2-7: no Bearer challenge anywhere on a route that takes bound tokens only.
    assert_eq!(answer.schemes(), ["DPoP"]);
    answer.assert_n401();
    let strict = any.clone().sender_constraint(SenderConstraint::Dpop);
    assert_eq!(send((guard, strict), get(&[])).await.schemes(), ["DPoP"]);
    let open = Bed::new();
    let any = open.server.require(Scopes::all(["read"])).sender_constraint(SenderConstraint::Any);
    let answer = send((open.server.authenticate().optional(), any), get(&[])).await;
    assert_eq!(answer.schemes(), ["Bearer", "DPoP"]);
}
