//! Clocks that jump, and times that no clock should show.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tower_resource_server::testing::{ProofBuilder, SigningKey, TestIssuer};
use tower_resource_server::{
    Algorithm, Clock, Dpop, Freshness, NonceIssuer, RejectionKind, SealedNonces,
};

use crate::dpop::{DpopBed, URI, with_proof};
use crate::support::{ISSUER, NOW, RESOURCE, send};

const HOUR: Duration = Duration::from_secs(3600);

const MODES: [Freshness; 3] = [Freshness::Iat, Freshness::Nonce, Freshness::Both];

/// A bed of that mode whose token is good for days before and after, and its nonces.
struct Jumping {
    bed: DpopBed,
    nonces: SealedNonces,
}

impl Jumping {
    fn new(mode: Freshness) -> Self {
        let nonces = SealedNonces::random();
        let dpop = Dpop::new().freshness(mode);
        let dpop = match mode {
            Freshness::Iat => dpop,
            _ => dpop.nonces(nonces.clone()),
        };
        let mut bed = DpopBed::new(dpop);
        let token = bed.bed.issuer.token().bound_to(&bed.key).expires_in(48 * HOUR);
        bed.token = token.claim("iat", NOW - 86_400).build();
        Self { bed, nonces }
    }

    /// A new proof, made by the server's present time, with a nonce of that time. Without nonces
    /// that claim means nothing.
    fn proof(&self) -> ProofBuilder {
        self.bed.proof().nonce(self.nonces.issue(RESOURCE, self.bed.bed.clock.now()))
    }

    async fn accepts(&self, proof: &ProofBuilder) -> bool {
        self.bed.prove(proof).await.status == 200
    }

    /// None of these is accepted, nor does it run the handler; the client can tell why.
    async fn refuses(&self, proofs: &[&ProofBuilder]) {
        for proof in proofs {
            let answer = self.bed.prove(proof).await;
            assert!(!answer.handled, "used twice");
            match answer.status.as_u16() {
                401 => assert_eq!(answer.challenge().scheme, "DPoP"),
                _ => answer.assert_x503(),
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_used_twice_when_the_clock_jumps_ahead_and_back() {
    for mode in MODES {
        let jumping = Jumping::new(mode);
        let clock = &jumping.bed.bed.clock;
        let before = jumping.proof();
        assert!(jumping.accepts(&before).await);
        clock.advance(HOUR);
        jumping.refuses(&[&before]).await;
        // Others go on, so that the store drops what is over.
        let mut ahead = Vec::new();
        for _ in 0..200 {
            let proof = jumping.proof();
            assert!(jumping.accepts(&proof).await, "{mode:?}");
            ahead.push(proof);
        }
        clock.rewind(HOUR);
        jumping.refuses(&[&before, &ahead[0], &ahead[199]]).await;
        // What was never used may have to wait, where the store cannot tell; it is not let off.
        let after = jumping.proof();
        let first = jumping.accepts(&after).await;
        jumping.refuses(&[&before, &after]).await;
        clock.advance(Duration::from_secs(121));
        let later = jumping.proof();
        assert!(jumping.accepts(&later).await || !first, "{mode:?}");
        jumping.refuses(&[&before, &after, &later]).await;
        clock.advance(HOUR - Duration::from_secs(121));
        let again = jumping.proof();
        assert!(jumping.accepts(&again).await, "{mode:?}: all is well again");
        jumping.refuses(&[&before, &ahead[0], &ahead[199], &after, &later, &again]).await;
    }
}

#[tokio::test]
async fn nothing_is_used_twice_when_the_clock_jumps_back_and_ahead() {
    for mode in MODES {
        let jumping = Jumping::new(mode);
        let clock = &jumping.bed.bed.clock;
        let before = jumping.proof();
        assert!(jumping.accepts(&before).await);
        clock.rewind(HOUR);
        jumping.refuses(&[&before]).await;
        let back = jumping.proof();
        assert!(jumping.accepts(&back).await, "{mode:?}");
        jumping.refuses(&[&before, &back]).await;
        clock.advance(HOUR);
        jumping.refuses(&[&before, &back]).await;
        assert!(jumping.accepts(&jumping.proof()).await, "{mode:?}");
        jumping.refuses(&[&before, &back]).await;
    }
}

#[tokio::test]
async fn a_jump_is_told_for_what_it_is() {
    let iat = Jumping::new(Freshness::Iat);
    let proof = iat.proof();
    iat.bed.bed.clock.rewind(HOUR);
    iat.bed.prove(&proof).await.assert_p401_of(RejectionKind::ProofNotYetValid);
    iat.bed.bed.clock.advance(2 * HOUR);
    iat.bed.prove(&proof).await.assert_p401_of(RejectionKind::ExpiredProof);
    for mode in [Freshness::Nonce, Freshness::Both] {
        let jumping = Jumping::new(mode);
        let proof = jumping.proof();
        jumping.bed.bed.clock.rewind(HOUR);
        // The new nonce is by the new time, and makes up for the jump at once.
        let nonce = jumping.bed.prove(&proof).await.assert_nonce401();
        jumping.bed.prove(&jumping.bed.proof().nonce(nonce)).await.assert_ok();
        jumping.bed.bed.clock.advance(2 * HOUR);
        jumping.bed.prove(&proof).await.assert_nonce401();
    }
}

/// Shows any time there is, which the clock of the kit does not.
#[derive(Clone, Debug)]
struct AnyTime(Arc<Mutex<SystemTime>>);

impl AnyTime {
    fn at(time: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(time)))
    }

    fn set(&self, time: SystemTime) {
        *self.0.lock().expect("no panic") = time;
    }
}

impl Clock for AnyTime {
    fn now(&self) -> SystemTime {
        *self.0.lock().expect("no panic")
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

/// The end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// From long before 1970 to the last moment there is.
fn extremes() -> Vec<SystemTime> {
    let mut ends = vec![UNIX_EPOCH, now()];
    for seconds in [1, NOW, LAST, 1 << 48, (1 << 53) + 1, u64::MAX >> 2] {
        let far = Duration::new(seconds, 999_999_999);
        ends.extend(
            [UNIX_EPOCH.checked_sub(far), UNIX_EPOCH.checked_add(far)].into_iter().flatten(),
        );
    }
    assert!(ends.len() > 8, "few times can be shown here");
    ends
}

/// What a server of that mode answers at that time to a token and a proof of that time, and to
/// the same once more.
async fn at_that_time(mode: Freshness, time: SystemTime, clock: &AnyTime) -> [u16; 2] {
    let nonces = SealedNonces::random();
    let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
    let dpop = Dpop::new().freshness(mode);
    let dpop = if mode == Freshness::Iat { dpop } else { dpop.nonces(nonces.clone()) };
    let builder = issuer.resource_server(RESOURCE).clock(clock.clone()).dpop(dpop);
    let server = builder.build().expect("a valid configuration");
    clock.set(time);
    let key = SigningKey::generate(Algorithm::ES256);
    let token = issuer.token().bound_to(&key).build();
    let nonce = nonces.issue(RESOURCE, time);
    let proof = key.proof("GET", URI).token(&token).clock(clock).nonce(nonce);
    let mut statuses = [0; 2];
    for status in &mut statuses {
        *status = send(server.authenticate(), with_proof(&proof)).await.status.as_u16();
    }
    statuses
}

#[tokio::test]
async fn no_time_makes_the_server_panic_or_take_a_proof_twice() {
    for mode in MODES {
        for time in extremes() {
            let clock = AnyTime::at(now());
            let [first, second] = at_that_time(mode, time, &clock).await;
            assert!([200, 401, 503].contains(&first), "{mode:?} {time:?}: {first}");
            assert!([401, 503].contains(&second), "{mode:?} {time:?}: {second}");
        }
    }
}

#[tokio::test]
async fn from_1970_to_9999_all_is_well() {
    for mode in MODES {
        for seconds in [0, 1, NOW, u64::from(u32::MAX) + 1, LAST - 600] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            // Started at that time, for a store goes by the time it has seen.
            let clock = AnyTime::at(time);
            assert_eq!(at_that_time(mode, time, &clock).await, [200, 401], "{mode:?} {seconds}");
        }
    }
}

#[test]
fn a_server_is_built_or_not_at_any_time_and_does_not_panic() {
    for time in extremes() {
        for nonces in [None, Some(SealedNonces::random())] {
            let dpop = nonces.iter().fold(Dpop::new(), |dpop, nonces| dpop.nonces(nonces.clone()));
            let issuer = TestIssuer::new(ISSUER);
            let builder = issuer.resource_server(RESOURCE).clock(AnyTime::at(time)).dpop(dpop);
            let faults = builder.build().err().map_or(0, |error| error.faults().len());
            assert!(faults == 0 || nonces.is_some() && faults == 1, "{time:?}");
        }
    }
}
