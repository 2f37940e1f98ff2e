//! Checks of DPoP.

use tower_resource_server::Algorithm;
use tower_resource_server::testing::{Flaw, ProofBuilder, ProofFlaw, SigningKey};

use super::answer::{challenges, no_store};
use super::{Ask, Check};
use crate::authority::Authority;
use crate::contestants::Demand;
use crate::requests::{Template, anonymous, bearer, dpop, dpop_without_proof, proof, with};

/// A client's key, and what is sent of it.
struct Client<'a> {
    authority: &'a Authority,
    key: SigningKey,
    token: String,
}

/// All of them, with tokens of that authority.
#[must_use]
pub fn checks(authority: &Authority) -> Vec<Check> {
    let key = SigningKey::generate(Algorithm::ES256);
    let token = authority.token().bound_to(&key).build();
    let client = Client { authority, key, token };
    let mut checks = client.proofs();
    checks.extend(client.tokens());
    checks.extend(client.answers());
    checks
}

impl Client<'_> {
    fn proof(&self) -> ProofBuilder {
        proof(&self.key, &self.token)
    }

    fn request(&self) -> Template {
        dpop(&self.token, &self.proof())
    }

    fn flawed(&self, flaw: ProofFlaw) -> Template {
        dpop(&self.token, &self.proof().flaw(flaw))
    }

    fn proofs(&self) -> Vec<Check> {
        let refuses = |name, flaw| Check::refuses(name, self.flawed(flaw));
        let every = ProofFlaw::ALL.into_iter().map(|flaw| self.flawed(flaw)).collect();
        let used = self.request();
        let replayed = Ask::Answer(Demand::Valid, vec![used.clone(), used], |answer| {
            super::refused(answer.status())
        });
        let other = self.proof().claim("htu", "https://api.example.com/other");
        let other_path = dpop(&self.token, &other);
        let two = with(self.request(), "dpop", &self.proof().build());
        vec![
            Check::accepts("accepts a good proof", self.request()),
            Check { name: "refuses a proof used before", ask: replayed },
            refuses("refuses another `htm`", ProofFlaw::HtmOther),
            refuses("refuses another host in `htu`", ProofFlaw::HtuOtherHost),
            Check::refuses("refuses another path in `htu`", other_path),
            refuses("refuses a slash after the path in `htu`", ProofFlaw::HtuTrailingSlash),
            refuses("refuses a proof without `ath`", ProofFlaw::AthMissing),
            refuses("refuses another `ath`", ProofFlaw::AthOfOtherToken),
            refuses("refuses `iat` an hour ago", ProofFlaw::IatOld),
            refuses("refuses `iat` an hour ahead", ProofFlaw::IatAhead),
            refuses("refuses `typ` JWT", ProofFlaw::WrongType),
            refuses("refuses `alg` none", ProofFlaw::AlgorithmNone),
            refuses("refuses a bad signature", ProofFlaw::BadSignature),
            refuses("refuses an unknown `crit`", ProofFlaw::UnknownCritical),
            Check::refuses("refuses two `DPoP` fields", two),
            Check::counts("flawed proofs of this crate's test kit that are not let through", every),
        ]
    }

    fn tokens(&self) -> Vec<Check> {
        let stranger = SigningKey::generate(Algorithm::ES256);
        let unbound = self.authority.token().build();
        let bound = || self.authority.token().bound_to(&self.key);
        let with_token = |token: String| dpop(&token, &proof(&self.key, &token));
        let expired = with_token(bound().flaw(Flaw::Expired).build());
        let audience = with_token(bound().flaw(Flaw::WrongAudience).build());
        let signature = with_token(bound().flaw(Flaw::BadSignature).build());
        vec![
            Check::refuses(
                "refuses a proof by a key that the token is not bound to",
                dpop(&self.token, &proof(&stranger, &self.token)),
            ),
            Check::refuses("refuses a token that is bound to no key", with_token(unbound)),
            Check::refuses(
                "refuses the bound token without a proof",
                dpop_without_proof(&self.token),
            ),
            Check::refuses("refuses the bound token as Bearer", bearer(&self.token)),
            Check::refuses("refuses an expired token", expired),
            Check::refuses("refuses a token with another `aud`", audience),
            Check::refuses("refuses a token with a bad signature", signature),
        ]
    }

    fn answers(&self) -> Vec<Check> {
        let bad = || self.flawed(ProofFlaw::BadSignature);
        let good = self.request();
        vec![
            Check::answer("answers no credentials with", Demand::Valid, anonymous(), challenges),
            Check::answer("answers a bad proof with", Demand::Valid, bad(), challenges),
            Check::answer("answers a scope that is missing with", Demand::Scope, good, challenges),
            Check::answer("sets `no-store` on a 401", Demand::Valid, bad(), no_store),
        ]
    }
}
