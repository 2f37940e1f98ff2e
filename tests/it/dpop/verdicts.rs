//! The verdicts of the matrix on answers under DPoP.

use std::collections::HashSet;

use http::StatusCode;
use tower_resource_server::RejectionKind;

use crate::support::{Answer, Challenge};

/// `algs` of a server that says nothing about algorithms.
pub(crate) const ALGS: &str = "ES256 EdDSA Ed25519 ES384 PS256 RS256";

/// RFC 9449 §8.1: `1*NQCHAR`.
pub(crate) fn is_nonce(text: &str) -> bool {
    let is_nqchar = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.bytes().all(is_nqchar)
}

impl Answer {
    /// P401 of the matrix: `invalid_dpop_proof` in the DPoP challenge, which is the first, by a
    /// server that says nothing about algorithms.
    pub(crate) fn assert_p401_of(&self, kind: RejectionKind) {
        self.assert_p401_listing(ALGS, kind);
    }

    /// The same by a server with these algorithms.
    pub(crate) fn assert_p401_listing(&self, algs: &str, kind: RejectionKind) {
        assert_eq!(self.kind(), Some(kind), "{self:?}");
        self.assert_error_of("DPoP", StatusCode::UNAUTHORIZED, "invalid_dpop_proof");
        assert_eq!(self.challenge().get("algs"), Some(algs));
    }

    /// P401 of a proof that was used before.
    pub(crate) fn assert_replayed(&self) {
        self.assert_p401_of(RejectionKind::ReplayedProof);
    }

    /// NONCE401: `use_dpop_nonce` in the only challenge, and exactly one nonce, which is returned;
    /// by a server that says nothing about algorithms.
    pub(crate) fn assert_nonce401(&self) -> String {
        self.assert_nonce401_listing(ALGS)
    }

    /// The same by a server with these algorithms.
    pub(crate) fn assert_nonce401_listing(&self, algs: &str) -> String {
        self.assert_error_of("DPoP", StatusCode::UNAUTHORIZED, "use_dpop_nonce");
        assert_eq!(self.schemes(), ["DPoP"]);
        assert_eq!(self.challenge().get("algs"), Some(algs));
        self.nonce()
    }

    /// The one nonce of a response (R9449-8-2), of characters that a nonce may have.
    pub(crate) fn nonce(&self) -> String {
        let nonces = self.all("dpop-nonce");
        assert_eq!(nonces.len(), 1, "{self:?}");
        assert!(is_nonce(nonces[0]), "{nonces:?}");
        nonces[0].to_owned()
    }

    /// T401 of that scheme: `invalid_token` in its challenge, which is the first.
    pub(crate) fn assert_t401_of(&self, scheme: &str, kind: RejectionKind) {
        assert_eq!(self.kind(), Some(kind), "{self:?}");
        self.assert_error_of(scheme, StatusCode::UNAUTHORIZED, "invalid_token");
    }

    /// N401 with a challenge for each of these schemes, in this order, and no other.
    pub(crate) fn assert_n401_of(&self, schemes: &[&str]) {
        assert_eq!(self.status, StatusCode::UNAUTHORIZED, "{self:?}");
        self.assert_closed();
        assert_eq!(self.schemes(), schemes);
        self.challenges().iter().for_each(assert_no_error);
    }

    /// The first challenge is of that scheme and has that error; the others have none.
    pub(crate) fn assert_error_of(&self, scheme: &str, status: StatusCode, error: &str) {
        assert_eq!(self.status, status, "{self:?}");
        self.assert_closed();
        let challenges = self.challenges();
        let (first, others) = challenges.split_first().expect("a challenge");
        assert_eq!((&*first.scheme, first.get("error")), (scheme, Some(error)), "{self:?}");
        assert_eq!(first.names().last(), Some(&"error_description"));
        others.iter().for_each(assert_no_error);
    }

    /// The handler did not run, nothing may store the answer, and no scheme is named twice; every
    /// DPoP challenge names algorithms.
    fn assert_closed(&self) {
        assert!(!self.handled, "the handler ran");
        assert_eq!(self.all("cache-control"), ["no-store"]);
        let schemes = self.schemes();
        assert_eq!(schemes.iter().collect::<HashSet<_>>().len(), schemes.len());
        for challenge in self.challenges() {
            assert_eq!(challenge.get("algs").is_some(), challenge.scheme == "DPoP");
        }
    }
}

fn assert_no_error(challenge: &Challenge) {
    for name in ["error", "error_description", "error_uri"] {
        assert_eq!(challenge.get(name), None, "{challenge:?}");
    }
}
