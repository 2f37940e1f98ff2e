//! Several defects in one request: which of them is the answer (decision D-1).

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use proptest::prelude::*;
use proptest::sample::subsequence;
use tower_resource_server::testing::{
    FixedClock, ProofFlaw, ScriptedFetch, SigningKey, TestIssuer, TokenBuilder,
};
use tower_resource_server::{
    Algorithm, Builder, Claim, ClaimOutcome, Dpop, Issuer, ProofUse, RejectionKind, ReplayStore,
    ResourceServer, Scopes, SealedNonces, SenderConstraint, StepUp,
};

use crate::dpop::flaws::reason;
use crate::dpop::{DpopBed, Ledger, URI, dpop};
use crate::support::{Answer, ISSUER, NOW, RESOURCE, bearer, get, send};

/// One thing wrong with a request, or with what the server has for it; in the order of D-1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Defect {
    Size,
    Multiplicity,
    Scheme,
    Proof,
    Nonce,
    Date,
    Keys,
    Token,
    Binding,
    Replay,
    StepUp,
    Scope,
}

impl Defect {
    const ALL: [Self; 12] = [
        Self::Size,
        Self::Multiplicity,
        Self::Scheme,
        Self::Proof,
        Self::Nonce,
        Self::Date,
        Self::Keys,
        Self::Token,
        Self::Binding,
        Self::Replay,
        Self::StepUp,
        Self::Scope,
    ];

    const fn kind(self) -> RejectionKind {
        match self {
            Self::Size => RejectionKind::TokenTooLarge,
            Self::Multiplicity => RejectionKind::MultipleCredentials,
            Self::Scheme => RejectionKind::UnsupportedScheme,
            Self::Proof => RejectionKind::BadProofSignature,
            Self::Nonce => RejectionKind::MissingProofNonce,
            Self::Date => RejectionKind::ExpiredProof,
            Self::Keys => RejectionKind::KeysUnavailable,
            Self::Token => RejectionKind::ExpiredToken,
            Self::Binding => RejectionKind::ProofKeyMismatch,
            Self::Replay => RejectionKind::ReplayedProof,
            Self::StepUp => RejectionKind::InsufficientAuthentication,
            Self::Scope => RejectionKind::InsufficientScope,
        }
    }

    /// Status, scheme of the first challenge, and error.
    const fn wire(self) -> (u16, Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Size | Self::Multiplicity => (400, None, Some("invalid_request")),
            Self::Scheme => (401, Some("Bearer"), None),
            Self::Proof | Self::Date | Self::Replay => {
                (401, Some("DPoP"), Some("invalid_dpop_proof"))
            }
            Self::Nonce => (401, Some("DPoP"), Some("use_dpop_nonce")),
            Self::Keys => (503, None, None),
            Self::Token | Self::Binding => (401, Some("DPoP"), Some("invalid_token")),
            Self::StepUp => (401, Some("DPoP"), Some("insufficient_user_authentication")),
            Self::Scope => (403, Some("DPoP"), Some("insufficient_scope")),
        }
    }
}

/// Says of every proof that it was used, and counts.
#[derive(Debug)]
struct UsedUp(Ledger);

impl ReplayStore for UsedUp {
    fn claim(&self, proof: &ProofUse) -> Claim {
        drop(self.0.claim(proof));
        Claim::Done(Ok(ClaimOutcome::Replay))
    }
}

/// A server and a request with these defects.
struct Scene {
    server: ResourceServer,
    store: Ledger,
    request: Request<Full<Bytes>>,
    defects: Vec<Defect>,
}

impl Scene {
    fn of(defects: &[Defect]) -> Self {
        let issuer = TestIssuer::new(ISSUER).clock(FixedClock::at(NOW));
        let store = Ledger::default();
        let builder = ResourceServer::builder(RESOURCE).clock(FixedClock::at(NOW));
        let server = configured(builder, &issuer, &store, defects).build().expect("valid");
        Self { server, store, request: request(&issuer, defects), defects: defects.to_vec() }
    }

    async fn answer(&self) -> Answer {
        let mut guard = self.server.authenticate();
        if self.defects.contains(&Defect::StepUp) {
            guard = guard.require(StepUp::acr(["urn:mfa"]));
        }
        if self.defects.contains(&Defect::Scope) {
            guard = guard.require(Scopes::all(["write"]));
        }
        send(guard, self.request.clone()).await
    }

    /// The first defect is the answer, each time, and nothing is recorded before its turn.
    async fn assert_first_wins(&self) {
        let first = *self.defects.iter().min().expect("a defect");
        for times in 1..=3 {
            let answer = self.answer().await;
            assert_eq!(answer.kind(), Some(first.kind()), "{:?}", self.defects);
            assert!(!answer.handled, "{:?}", self.defects);
            let (status, scheme, error) = first.wire();
            assert_eq!(answer.status, StatusCode::from_u16(status).expect("a status"));
            let challenges = answer.challenges();
            let challenge = challenges.first();
            assert_eq!(challenge.is_none(), status == 503);
            assert_eq!(challenge.and_then(|challenge| challenge.get("error")), error);
            let named = challenge.map(|challenge| &*challenge.scheme);
            assert!(scheme.is_none() || named == scheme, "{named:?}");
            // A proof is not used up by a request that brought no grant to ask for more.
            let asked = match first {
                Defect::Replay => times,
                // Without a store that says otherwise, the second time is a replay.
                Defect::StepUp | Defect::Scope => return assert_eq!(self.store.recorded(), 1),
                _ => 0,
            };
            assert_eq!(self.store.asked(), asked, "{:?}", self.defects);
        }
    }
}

fn configured(
    mut builder: Builder,
    issuer: &TestIssuer,
    store: &Ledger,
    defects: &[Defect],
) -> Builder {
    let has = |defect| defects.contains(&defect);
    let mut dpop = Dpop::new();
    if has(Defect::Nonce) {
        dpop = dpop.nonces(SealedNonces::random());
    }
    dpop = match has(Defect::Replay) {
        true => dpop.replay_store(UsedUp(store.clone())),
        false => dpop.replay_store(store.clone()),
    };
    if has(Defect::Scheme) {
        builder = builder.sender_constraint(SenderConstraint::Bearer);
    }
    let keys = match has(Defect::Keys) {
        true => Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks.json"),
        false => issuer.trusted(),
    };
    builder.issuer(keys).fetch(ScriptedFetch::new()).dpop(dpop)
}

fn request(issuer: &TestIssuer, defects: &[Defect]) -> Request<Full<Bytes>> {
    let has = |defect| defects.contains(&defect);
    let key = SigningKey::generate(Algorithm::ES256);
    let bound_to = if has(Defect::Binding) { key.clone().stranger() } else { key.clone() };
    let change = |token: TokenBuilder, defect, name: &str, value: serde_json::Value| {
        if has(defect) { token.claim(name, value) } else { token }
    };
    let token = issuer.token().scope("read").bound_to(&bound_to);
    let token = change(token, Defect::Token, "exp", (NOW - 3600).into());
    let token = change(token, Defect::Size, "pad", "p".repeat(20_000).into()).build();
    let mut proof = key.proof("GET", URI).token(&token).clock(&FixedClock::at(NOW));
    if has(Defect::Proof) {
        proof = proof.flaw(ProofFlaw::BadSignature);
    }
    if has(Defect::Date) {
        proof = proof.flaw(ProofFlaw::IatOld);
    }
    let mut request = dpop(&token, &[&proof.build()]);
    if has(Defect::Multiplicity) {
        let again = request.headers()["authorization"].clone();
        request.headers_mut().append("authorization", again);
    }
    request
}

/// Another key of the same kind.
trait Stranger {
    fn stranger(self) -> Self;
}

impl Stranger for SigningKey {
    fn stranger(self) -> Self {
        Self::generate(self.algorithm())
    }
}

#[tokio::test]
async fn each_defect_alone_is_the_answer() {
    for defect in Defect::ALL {
        Scene::of(&[defect]).assert_first_wins().await;
    }
    let scene = Scene::of(&[]);
    scene.answer().await.assert_ok();
    assert_eq!(scene.store.recorded(), 1);
}

#[tokio::test]
async fn of_two_defects_the_first_of_the_order_is_the_answer() {
    for (at, first) in Defect::ALL.into_iter().enumerate() {
        for second in &Defect::ALL[at + 1..] {
            // R9449-4.3-1, D-1
            Scene::of(&[*second, first]).assert_first_wins().await;
        }
    }
}

#[tokio::test]
async fn step_up_names_the_scope_as_well() {
    let answer = Scene::of(&[Defect::StepUp, Defect::Scope]).answer().await;
    // D-7
    assert_eq!(answer.challenge().get("scope"), Some("write"));
    assert_eq!(answer.challenge().get("acr_values"), Some("urn:mfa"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_defect_is_ever_made_good_by_others(
        defects in subsequence(Defect::ALL.to_vec(), 1..=Defect::ALL.len()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // R9449-7.1-2: the handler does not run, whichever checks fail.
        runtime.expect("a runtime").block_on(Scene::of(&defects).assert_first_wins());
    }
}

#[tokio::test]
async fn every_flaw_of_a_proof_comes_before_the_nonce_save_its_date() {
    let nonces = Dpop::new().max_proof_bytes(65_536).nonces(SealedNonces::random());
    let bed = DpopBed::recording_with(nonces, |builder| builder);
    for flaw in ProofFlaw::ALL {
        let answer = bed.prove(&bed.proof().flaw(flaw)).await;
        match flaw {
            ProofFlaw::IatOld | ProofFlaw::IatAhead | ProofFlaw::IatNegative => {
                assert_eq!(answer.kind(), Some(RejectionKind::MissingProofNonce), "{flaw:?}");
                answer.assert_nonce401();
            }
            _ => answer.assert_p401_of(reason(flaw)),
        }
    }
    assert_eq!(bed.ledger().asked(), 0);
}

#[tokio::test]
async fn every_flaw_of_a_proof_comes_before_the_token() {
    let bed = DpopBed::recording_with(Dpop::new().max_proof_bytes(65_536), |builder| builder);
    let expired = bed.bed.issuer.token().claim("exp", NOW - 3600).bound_to(&bed.key).build();
    for token in ["garbage", "a.b.c", &expired] {
        for flaw in ProofFlaw::ALL {
            let proof = bed.proof().token(token).flaw(flaw).build();
            bed.send(dpop(token, &[&proof])).await.assert_p401_of(reason(flaw));
        }
        let answer = bed.send(dpop(token, &[&bed.proof().token(token).build()])).await;
        assert_eq!(answer.challenge_of("DPoP").get("error"), Some("invalid_token"));
    }
    // Nor is a binding or a replay looked at while the proof is wrong.
    let stranger = SigningKey::generate(Algorithm::ES256);
    for flaw in ProofFlaw::ALL {
        let proof = bed.proof_by(&stranger).flaw(flaw);
        bed.prove(&proof).await.assert_p401_of(reason(flaw));
    }
    assert_eq!(bed.ledger().asked(), 0);
}

#[tokio::test]
async fn syntax_comes_before_what_is_accepted() {
    let bed = DpopBed::recording();
    let only = |constraint| bed.bed.server.authenticate().sender_constraint(constraint);
    // R400 before N401, in the one challenge there is.
    let answer = send(only(SenderConstraint::Dpop), bearer("a b")).await;
    answer.assert_r400();
    assert_eq!(answer.schemes(), ["DPoP"]);
    let answer = send(only(SenderConstraint::Bearer), dpop("a b", &[])).await;
    answer.assert_r400();
    assert_eq!(answer.schemes(), ["Bearer"]);
    // And before the proof, absent or broken or double.
    for proofs in [&[][..], &["garbage"], &["garbage", "garbage"]] {
        bed.send(dpop("a b", proofs)).await.assert_r400();
        let answer = send(only(SenderConstraint::Bearer), dpop("a", proofs)).await;
        answer.assert_n401_of(&["Bearer"]);
    }
    let huge = "x".repeat(20_000);
    for credentials in [format!("DPoP {huge}"), format!("DPoP {huge} b"), format!("Basic {huge}")] {
        let answer = bed.send(get(&[("authorization", &credentials)])).await;
        answer.assert_r400();
        assert_eq!(answer.kind(), Some(RejectionKind::TokenTooLarge));
    }
}
