//! The settings of DPoP: what is a fault, what is warned of, how long proofs are good.

use std::time::Duration;

use tower_resource_server::testing::{SigningKey, TestIssuer};
use tower_resource_server::{
    Algorithm, Builder, Dpop, Freshness, RejectionKind, SealedNonces, TrustedProxies,
};

use crate::dpop::{DpopBed, URI, with_proof};
use crate::support::{Bed, ISSUER, Logs, NOW, RESOURCE, bearer, send};

/// Each fault of a server with those settings, as its developer reads it.
fn faults(change: impl FnOnce(Builder) -> Builder) -> Vec<String> {
    match change(TestIssuer::new(ISSUER).resource_server(RESOURCE)).build() {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

fn dpop_faults(dpop: Dpop) -> Vec<String> {
    faults(|builder| builder.dpop(dpop))
}

const AGE: &str = "dpop: max_age is not from 1 s to 600 s; use 120 s; a longer one lets proofs be \
                   made long before they are used";
const AHEAD: &str = "dpop: max_ahead is more than 300 s; use 30 s";
const BYTES: &str = "dpop: max_proof_bytes is not from 1024 to 65536; use 8192";
const NO_ALGORITHM: &str = "dpop: no algorithm of proofs; list at least ES256";
const TWICE: &str = "dpop: an algorithm of proofs is listed twice; list each once";
const MODES: &str = "dpop: freshness and nonces do not go together; set nonces() for \
                     Freshness::Nonce and Both, and leave it out for Iat";

/// What proofs could not name is said, and not just that something is wrong.
#[test]
fn a_resource_whose_host_no_proof_can_name_is_a_fault() {
    for (resource, origin) in
        [("https://[v1.a]/x", "https://[v1.a]"), ("https://[1::2::3]", "https://[1::2::3]")]
    {
        let server = || TestIssuer::new(ISSUER).resource_server(resource);
        let error = server().build().expect_err(resource).to_string();
        let problem = format!("resource: proofs cannot name the host of {origin:?}");
        assert!(error.contains(&problem), "{error}");
        assert!(server().base_url(RESOURCE).build().is_ok(), "{resource}");
    }
}

#[test]
fn a_window_that_is_too_wide_is_a_fault() {
    let (millis, seconds) = (Duration::from_millis, Duration::from_secs);
    for age in [seconds(1), seconds(120), seconds(600)] {
        assert!(dpop_faults(Dpop::new().max_age(age)).is_empty(), "{age:?}");
    }
    for age in [Duration::ZERO, millis(999), millis(600_001), seconds(601), Duration::MAX] {
        // R9449-11.1-1: a build error above 600 s.
        assert_eq!(dpop_faults(Dpop::new().max_age(age)), [AGE], "{age:?}");
    }
    for ahead in [Duration::ZERO, seconds(30), seconds(300)] {
        assert!(dpop_faults(Dpop::new().max_ahead(ahead)).is_empty(), "{ahead:?}");
    }
    for ahead in [millis(300_001), Duration::MAX] {
        assert_eq!(dpop_faults(Dpop::new().max_ahead(ahead)), [AHEAD], "{ahead:?}");
    }
}

#[test]
fn sizes_and_algorithms_have_their_bounds() {
    for bytes in [1024, 8192, 65_536] {
        assert!(dpop_faults(Dpop::new().max_proof_bytes(bytes)).is_empty(), "{bytes}");
    }
    for bytes in [0, 1023, 65_537, usize::MAX] {
        assert_eq!(dpop_faults(Dpop::new().max_proof_bytes(bytes)), [BYTES], "{bytes}");
    }
    assert_eq!(dpop_faults(Dpop::new().algorithms([])), [NO_ALGORITHM]);
    let twice = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::ES256];
    assert_eq!(dpop_faults(Dpop::new().algorithms(twice)), [TWICE]);
    assert!(dpop_faults(Dpop::new().algorithms([Algorithm::ES384])).is_empty());
}

#[test]
fn freshness_and_nonces_go_together() {
    let nonces = || Dpop::new().nonces(SealedNonces::random());
    assert!(dpop_faults(nonces()).is_empty());
    for mode in [Freshness::Nonce, Freshness::Both] {
        assert!(dpop_faults(nonces().freshness(mode)).is_empty());
        assert_eq!(dpop_faults(Dpop::new().freshness(mode)), [MODES]);
    }
    assert!(dpop_faults(Dpop::new().freshness(Freshness::Iat)).is_empty());
    // R9449-11.3-1: nonces that are asked for and not looked at would be a downgrade.
    assert_eq!(dpop_faults(nonces().freshness(Freshness::Iat)), [MODES]);
}

#[test]
fn every_fault_is_told_at_once() {
    let day = Duration::from_secs(86_400);
    let dpop = Dpop::new().max_age(day).max_ahead(day).max_proof_bytes(1).algorithms([]);
    let proxies = TrustedProxies::forwarded(["10.0.0.1/8", "ingress"]);
    let all = faults(|builder| {
        let builder = builder.dpop(dpop.freshness(Freshness::Nonce)).trusted_proxies(proxies);
        builder.base_url("api.example.com/r?q")
    });
    assert_eq!(all[..5], [NO_ALGORITHM, AGE, AHEAD, BYTES, MODES]);
    assert_eq!(
        all[5..],
        [
            "trusted_proxies: \"10.0.0.1/8\" has bits set beyond its prefix length; write the \
             first address of the network, such as 10.0.0.0/8, or one address alone",
            "trusted_proxies: \"ingress\" is no address; write it like 10.0.0.7, ::1 or \
             10.0.0.0/8",
            "base_url: \"api.example.com/r?q\" is not an absolute http or https URL without \
             query; use the URL of the root of the service, as clients call it",
        ]
    );
}

/// The answer to a proof whose `iat` is that many seconds off, by that server.
async fn off_by(dpop: Dpop, seconds: i64) -> Option<RejectionKind> {
    let bed = DpopBed::new(dpop);
    let now = i64::try_from(NOW).expect("a time");
    let answer = bed.prove(&bed.proof().at(now + seconds)).await;
    match answer.kind() {
        None => answer.assert_ok(),
        Some(kind) => answer.assert_p401_of(kind),
    }
    answer.kind()
}

#[tokio::test]
async fn by_default_proofs_are_good_from_30_s_before_until_120_s_after_their_time() {
    use RejectionKind::{ExpiredProof, ProofNotYetValid};
    // R9449-11.1-1: seconds or minutes; 120 s back and 30 s ahead.
    // R9449-11.1-2: +10 s is accepted, +60 s is not.
    for (seconds, refusal) in [
        (0, None),
        (-120, None),
        (-121, Some(ExpiredProof)),
        (-3600, Some(ExpiredProof)),
        (10, None),
        (30, None),
        (31, Some(ProofNotYetValid)),
        (60, Some(ProofNotYetValid)),
        (3600, Some(ProofNotYetValid)),
    ] {
        assert_eq!(off_by(Dpop::new(), seconds).await, refusal, "{seconds}");
    }
    let narrow = || Dpop::new().max_age(Duration::from_secs(1)).max_ahead(Duration::ZERO);
    for (seconds, refusal) in
        [(0, None), (-1, None), (-2, Some(ExpiredProof)), (1, Some(ProofNotYetValid))]
    {
        assert_eq!(off_by(narrow(), seconds).await, refusal, "{seconds}");
    }
}

#[tokio::test]
async fn tokens_that_live_long_without_nonces_are_warned_of_once() {
    let (logs, _guard) = Logs::capture();
    let warnings = || logs.text().matches("so proofs can be made in advance").count();
    let key = SigningKey::generate(Algorithm::ES256);
    let hour = Duration::from_secs(3600);
    let ask = async |bed: &Bed, lifetime: Duration| {
        let token = bed.issuer.token().bound_to(&key).expires_in(lifetime).build();
        let proof = key.proof("GET", URI).token(&token).clock(&bed.clock);
        send(bed.server.authenticate(), with_proof(&proof)).await
    };
    let bed = Bed::new();
    ask(&bed, hour).await.assert_ok();
    let bearer_token = bed.issuer.token().expires_in(2 * hour).build();
    send(bed.server.authenticate(), bearer(&bearer_token)).await.assert_ok();
    assert_eq!(warnings(), 0, "{}", logs.text());
    for _ in 0..3 {
        ask(&bed, hour + Duration::from_secs(1)).await.assert_ok();
    }
    // R9449-11.2-1: once, and it names the server.
    assert_eq!(warnings(), 1, "{}", logs.text());
    assert!(logs.text().contains("resource=https://api.example.com"));
    // R9449-11.2-1: with nonces there is nothing to warn of.
    let nonces = SealedNonces::random();
    let issued = tower_resource_server::NonceIssuer::issue(
        &nonces,
        RESOURCE,
        tower_resource_server::Clock::now(&bed.clock),
    );
    let with_nonces = Bed::with(|builder| builder.dpop(Dpop::new().nonces(nonces)));
    let token = with_nonces.issuer.token().bound_to(&key).expires_in(2 * hour).build();
    let proof = key.proof("GET", URI).token(&token).clock(&with_nonces.clock).nonce(issued);
    send(with_nonces.server.authenticate(), with_proof(&proof)).await.assert_ok();
    assert_eq!(warnings(), 1, "{}", logs.text());
}
