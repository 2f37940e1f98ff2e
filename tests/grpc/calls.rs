//! Real calls of a real tonic client, over HTTP/2 on a loopback port.

use std::time::Duration;

use futures_util::stream;
use tonic::{Code, Status};
use tower_resource_server::testing::{Flaw, ScriptedFetch, SigningKey, TestIssuer};
use tower_resource_server::{
    Algorithm, Dpop, Issuer, Scopes, SealedNonces, SenderConstraint, StepUp,
};

use crate::service::{Client, Served, all, metadata};
use crate::support::{Bed, Challenge, NOW};

async fn served(bed: &Bed) -> Served {
    Served::behind(bed.server.authenticate()).await
}

fn challenges(status: &Status) -> Vec<Challenge> {
    metadata(status, "www-authenticate").iter().map(|text| Challenge::parse(text)).collect()
}

/// The error of the first challenge.
fn error(status: &Status) -> Option<String> {
    challenges(status).first().and_then(|challenge| challenge.get("error").map(str::to_owned))
}

fn refused(outcome: Result<impl Sized, Status>) -> Status {
    outcome.err().expect("a refusal")
}

#[tokio::test]
async fn calls_of_every_kind_pass_with_a_token() {
    let bed = Bed::new();
    let served = served(&bed).await;
    let client = served.client().await.bearer(&bed.token());
    let added = client.add(1).await.expect("a valid token");
    assert_eq!((added.value, added.caller.as_str()), (2, "user-1"));
    assert_eq!(all(client.count(3).await.expect("a stream")).await.expect("whole"), [3, 2, 1]);
    let sum = client.sum(stream::iter([1, 2, 3])).await.expect("a valid token");
    assert_eq!((sum.value, sum.caller.as_str()), (6, "user-1"));
    let doubled = client.double(stream::iter([1, 2])).await.expect("a stream");
    assert_eq!(all(doubled).await.expect("whole"), [2, 4]);
    assert_eq!(served.tools.calls(), 4);
}

/// One refusal of a call of each kind.
async fn refusals(client: &Client) -> Vec<Status> {
    let mut refusals = vec![refused(client.add(1).await), refused(client.count(1).await)];
    // Streams that never end: the answer does not wait for them.
    refusals.push(refused(client.sum(stream::pending()).await));
    refusals.push(refused(client.double(stream::pending()).await));
    refusals
}

#[tokio::test]
async fn calls_of_every_kind_are_refused_at_once_without_one() {
    let bed = Bed::new();
    let served = served(&bed).await;
    let client = served.client().await;
    for status in refusals(&client).await {
        // GRPC-resp-4-1, GRPC-req-6-1: refused at once, whether or not the client has ended its
        // part of the stream.
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(status.message(), "The request carries no access token");
        // GRPC-resp-6-1: the challenges, each by itself.
        let challenges = challenges(&status);
        let schemes: Vec<_> = challenges.iter().map(|c| c.scheme.as_str()).collect();
        assert_eq!(schemes, ["Bearer", "DPoP"]);
        assert_eq!(error(&status), None);
        assert_eq!(metadata(&status, "cache-control"), ["no-store"]);
        assert!(metadata(&status, "dpop-nonce").is_empty());
    }
    assert_eq!(served.tools.calls(), 0);
    let client = client.bearer("garbage");
    for status in refusals(&client).await {
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(error(&status).as_deref(), Some("invalid_token"));
    }
    assert_eq!(served.tools.calls(), 0);
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_16() {
    let bed = Bed::new();
    let served = served(&bed).await;
    let client = served.client().await;
    let expired = bed.issuer.token().claim("exp", NOW - 600).build();
    let foreign = bed.issuer.token().audience("https://other.example.com").build();
    let forged = bed.issuer.token().flaw(Flaw::BadSignature).build();
    for (token, message) in [
        (expired.as_str(), "The access token expired"),
        (foreign.as_str(), "The access token is meant for another resource"),
        (forged.as_str(), "The signature of the access token is not valid"),
    ] {
        let status = refused(client.clone().bearer(token).add(1).await);
        // GRPC-resp-4-1: an invalid token.
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(status.message(), message);
        assert_eq!(error(&status).as_deref(), Some("invalid_token"));
    }
}

#[tokio::test]
async fn authorization_metadata_is_the_header_field() {
    let bed = Bed::new();
    let served = served(&bed).await;
    let token = bed.token();
    let client = served.client().await.bearer(&token);
    let status = refused(client.clone().bearer(&token).add(1).await);
    // GRPC-req-4-1: two fields are one too many, as in HTTP.
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), "The request carries more than one credential");
    assert_eq!(error(&status).as_deref(), Some("invalid_request"));
    for value in ["Bearer a b", "Bearer \"", "Bearer a,b"] {
        let client = served.client().await.with("authorization", value);
        let status = refused(client.add(1).await);
        assert_eq!(status.code(), Code::Unauthenticated, "{value}");
        assert_eq!(error(&status).as_deref(), Some("invalid_request"), "{value}");
    }
    let status = refused(served.client().await.with("authorization", "Basic eDp5").add(1).await);
    assert_eq!((status.code(), error(&status)), (Code::Unauthenticated, None));
    assert_eq!(served.tools.calls(), 0);
}

#[tokio::test]
async fn too_small_a_scope_is_7_and_names_what_is_missing() {
    let bed = Bed::new();
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["tools/write"])));
    let served = Served::behind(layers).await;
    let client = served.client().await;
    let status = refused(client.clone().bearer(&bed.token()).add(1).await);
    // GRPC-resp-5-1: insufficient_scope.
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(error(&status).as_deref(), Some("insufficient_scope"));
    assert_eq!(challenges(&status)[0].get("scope"), Some("tools/write"));
    let token = bed.issuer.token().scope("tools/write").build();
    client.bearer(&token).add(1).await.expect("a token with the scope");
}

#[tokio::test]
async fn what_a_method_demands_by_itself_is_answered_the_same_way() {
    let bed = Bed::new();
    let served = served(&bed).await;
    let client = served.client().await;
    let status = refused(client.clone().bearer(&bed.token()).unary("/demo.Tools/Purge", 1).await);
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(error(&status).as_deref(), Some("insufficient_scope"));
    assert_eq!(challenges(&status)[0].get("scope"), Some("tools/delete"));
    assert_eq!(metadata(&status, "cache-control"), ["no-store"]);
    let token = bed.issuer.token().scope("tools/delete").build();
    client.bearer(&token).unary("/demo.Tools/Purge", 1).await.expect("a token with the scope");
}

#[tokio::test]
async fn anonymous_calls_pass_an_optional_layer_and_no_further() {
    let bed = Bed::new();
    let served = Served::behind(bed.server.authenticate().optional()).await;
    let client = served.client().await;
    let greeted = client.unary("/demo.Tools/Greet", 0).await.expect("anybody may");
    assert_eq!(greeted.caller, "anonymous");
    let known = client.clone().bearer(&bed.token());
    assert_eq!(known.unary("/demo.Tools/Greet", 0).await.expect("anybody may").caller, "user-1");
    let status = refused(client.unary("/demo.Tools/Purge", 0).await);
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(challenges(&status).len(), 2);
    let status = refused(client.bearer("garbage").unary("/demo.Tools/Greet", 0).await);
    assert_eq!(status.code(), Code::Unauthenticated, "its sender meant to be known");
}

#[tokio::test]
async fn a_missing_layer_is_13() {
    let served = Served::behind(tower::layer::util::Identity::new()).await;
    let client = served.client().await.bearer(&Bed::new().token());
    for path in ["/demo.Tools/Greet", "/demo.Tools/Purge"] {
        let status = refused(client.unary(path, 0).await);
        // GRPC-resp-5-1: a bug of ours.
        assert_eq!(status.code(), Code::Internal);
        assert!(metadata(&status, "www-authenticate").is_empty());
    }
    let bed = Bed::new();
    let served = Served::behind(bed.server.require(Scopes::all(["read"]))).await;
    let status = refused(served.client().await.bearer(&bed.token()).add(1).await);
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(served.tools.calls(), 0);
}

#[tokio::test]
async fn an_outage_is_14_and_says_when_to_try_again() {
    let down = TestIssuer::new("https://down.example.com");
    let keys = Issuer::jwks_uri(down.issuer(), "https://down.example.com/jwks.json");
    let bed = Bed::with(|builder| builder.issuer(keys).fetch(ScriptedFetch::new()));
    let served = served(&bed).await;
    let token = down.token().claim("iat", NOW).claim("exp", NOW + 300).build();
    let status = refused(served.client().await.bearer(&token).add(1).await);
    // GRPC-resp-5-1: an outage.
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "The keys that verify access tokens are unavailable");
    assert!(metadata(&status, "www-authenticate").is_empty());
    assert_eq!(metadata(&status, "retry-after").len(), 1);
}

#[tokio::test]
async fn too_weak_an_authentication_is_16_and_says_what_would_do() {
    let bed = Bed::new();
    let step_up = StepUp::acr(["urn:mfa"]).max_age(Duration::from_secs(300));
    let served = Served::behind(bed.server.authenticate().require(step_up)).await;
    let client = served.client().await;
    let status = refused(client.clone().bearer(&bed.token()).add(1).await);
    // GRPC-resp-4-1: step-up.
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(error(&status).as_deref(), Some("insufficient_user_authentication"));
    let challenge = &challenges(&status)[0];
    assert_eq!(challenge.get("acr_values"), Some("urn:mfa"));
    assert_eq!(challenge.get("max_age"), Some("300"));
    let strong = bed.issuer.token().claim("acr", "urn:mfa").claim("auth_time", NOW).build();
    client.bearer(&strong).add(1).await.expect("a strong authentication");
}

#[tokio::test]
async fn a_stream_over_the_wire_ends_with_its_token() {
    let bed = Bed::new();
    let served = Served::behind(bed.server.authenticate().close_on_expiry()).await;
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let sent = stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|value: i64| (value, receiver))
    });
    let client = served.client().await.bearer(&bed.token());
    let mut doubled = client.double(sent).await.expect("a valid token");
    sender.send(1).expect("open");
    assert_eq!(doubled.message().await.expect("in time").map(|number| number.value), Some(2));
    bed.clock.advance(Duration::from_secs(24 * 3600));
    sender.send(2).expect("open");
    // One that is ready still comes, if it is ready by then.
    let end = match doubled.message().await {
        Ok(Some(number)) if number.value == 4 => doubled.message().await,
        end => end,
    };
    let status = end.expect_err("expired");
    // GRPC-req-7-1: with 16, in real trailers.
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unauthenticated, "The access token expired")
    );
    assert_eq!(error(&status).as_deref(), Some("invalid_token"));
}

const ADD: &str = "https://api.example.com/demo.Tools/Add";

/// Metadata with a bound token and a proof for that URI and method.
fn proving(client: Client, bed: &Bed, (htm, htu): (&str, &str), nonce: Option<&str>) -> Client {
    let key = SigningKey::generate(Algorithm::ES256);
    let token = bed.issuer.token().bound_to(&key).build();
    let mut proof = key.proof(htm, htu).token(&token).clock(&bed.clock);
    if let Some(nonce) = nonce {
        proof = proof.nonce(nonce);
    }
    client.with("authorization", &format!("DPoP {token}")).with("dpop", &proof.build())
}

#[tokio::test]
async fn proofs_are_for_post_and_the_path_of_the_method() {
    let bed = Bed::new();
    let served = served(&bed).await;
    let client = served.client().await;
    // GRPC-req-5-1: htm POST, htu the authority and the path of the method.
    let added = proving(client.clone(), &bed, ("POST", ADD), None).add(1).await;
    assert_eq!(added.expect("a sound proof").value, 2);
    for (htm, htu) in [
        ("GET", ADD),
        ("POST", "https://api.example.com/demo.Tools/Sum"),
        ("POST", "https://api.example.com/demo.tools/add"),
        ("POST", "https://other.example.com/demo.Tools/Add"),
    ] {
        let status = refused(proving(client.clone(), &bed, (htm, htu), None).add(1).await);
        // GRPC-req-5-1: another method is another URI; case counts.
        assert_eq!(status.code(), Code::Unauthenticated, "{htm} {htu}");
        assert_eq!(error(&status).as_deref(), Some("invalid_dpop_proof"), "{htm} {htu}");
    }
    let once = proving(client, &bed, ("POST", ADD), None);
    once.add(1).await.expect("a sound proof");
    let status = refused(once.add(1).await);
    assert_eq!(status.message(), "The DPoP proof was used before");
    assert_eq!(served.tools.calls(), 2);
}

#[tokio::test]
async fn a_nonce_comes_as_metadata_and_is_enough_to_go_on() {
    let bed = Bed::with(|builder| builder.dpop(Dpop::new().nonces(SealedNonces::random())));
    let served = served(&bed).await;
    let client = served.client().await;
    let status = refused(proving(client.clone(), &bed, ("POST", ADD), None).add(1).await);
    // GRPC-resp-4-1: a nonce is missing.
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(error(&status).as_deref(), Some("use_dpop_nonce"));
    // GRPC-resp-6-1: the nonce, once.
    let nonces = metadata(&status, "dpop-nonce");
    assert_eq!(nonces.len(), 1);
    let added = proving(client, &bed, ("POST", ADD), Some(&nonces[0])).add(1).await;
    assert_eq!(added.expect("the nonce of the server").value, 2);
}

#[tokio::test]
async fn a_server_of_bound_tokens_alone_challenges_with_dpop_alone() {
    let bed = Bed::with(|builder| builder.sender_constraint(SenderConstraint::Dpop));
    let served = served(&bed).await;
    let status = refused(served.client().await.bearer(&bed.token()).add(1).await);
    assert_eq!(status.code(), Code::Unauthenticated);
    let challenges = challenges(&status);
    assert_eq!(challenges.len(), 1);
    assert_eq!((challenges[0].scheme.as_str(), error(&status)), ("DPoP", None));
}

#[tokio::test]
async fn messages_arrive_as_they_were_written() {
    let bed = Bed::new();
    let reason = "100% of the quota #1 <is> used; see `quota`?";
    let never = tower_resource_server::Predicate::new(reason, |_| false);
    let served = Served::behind(bed.server.authenticate().require(never)).await;
    let status = refused(served.client().await.bearer(&bed.token()).add(1).await);
    // GRPC-resp-3-1: encoded and decoded again.
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, reason));
}
