//! Checks of Bearer tokens.

use tower_resource_server::Algorithm;
use tower_resource_server::testing::{Flaw, SigningKey, TestCertificate, TokenBuilder};

use super::Check;
use super::answer::{challenges, no_store};
use crate::RESOURCE;
use crate::authority::Authority;
use crate::contestants::Demand;
use crate::requests::{Template, anonymous, bearer, with};

/// All of them, with tokens of that authority.
#[must_use]
pub fn checks(authority: &Authority) -> Vec<Check> {
    let mut checks = accepted(authority);
    checks.extend(signatures(authority));
    checks.extend(claims(authority));
    checks.extend(bindings(authority));
    checks.extend(answers(authority));
    checks
}

/// The one question that needs another authority.
#[must_use]
pub fn accepts(name: &'static str, authority: &Authority) -> Check {
    Check::accepts(name, made(&authority.token()))
}

fn made(token: &TokenBuilder) -> Template {
    bearer(&token.build())
}

fn accepted(authority: &Authority) -> Vec<Check> {
    let token = authority.token();
    let audiences = token.clone().audiences(["https://other.example.com", RESOURCE]);
    let lower = with(anonymous(), "authorization", &format!("bearer {}", token.build()));
    vec![
        Check::accepts("accepts `aud` as an array that holds the resource", made(&audiences)),
        Check::accepts("accepts the scheme in lower case", lower),
    ]
}

fn signatures(authority: &Authority) -> Vec<Check> {
    let refuses = |name, flaw| Check::refuses(name, made(&authority.token().flaw(flaw)));
    vec![
        refuses("refuses a bad signature", Flaw::BadSignature),
        refuses("refuses `alg` none", Flaw::AlgorithmNone),
        refuses("refuses HS256 keyed with the public key", Flaw::HmacWithPublicKey),
        refuses("refuses HS256 keyed with the public key in PEM", Flaw::HmacWithPublicKeyPem),
        refuses("refuses an unknown `crit`", Flaw::UnknownCritical),
        refuses("refuses an unknown `kid`", Flaw::UnknownKeyId),
    ]
}

fn claims(authority: &Authority) -> Vec<Check> {
    let flawed = |flaw| made(&authority.token().flaw(flaw));
    let without = |claim| made(&authority.token().without_claim(claim));
    let every = Flaw::ALL.into_iter().map(&flawed).collect();
    vec![
        Check::refuses("refuses an expired token (an hour ago)", flawed(Flaw::Expired)),
        Check::refuses("refuses a token without `exp`", without("exp")),
        Check::refuses(
            "refuses a token before its `nbf` (an hour ahead)",
            flawed(Flaw::NotYetValid),
        ),
        Check::refuses("refuses another `iss`", flawed(Flaw::WrongIssuer)),
        Check::refuses("refuses a token without `iss`", without("iss")),
        Check::refuses("refuses another `aud`", flawed(Flaw::WrongAudience)),
        Check::refuses("refuses a token without `aud`", without("aud")),
        Check::refuses("refuses `typ` JWT where RFC 9068 says at+jwt", flawed(Flaw::WrongType)),
        Check::counts("flawed tokens of this crate's test kit that are not let through", every),
    ]
}

fn bindings(authority: &Authority) -> Vec<Check> {
    let key = SigningKey::generate(Algorithm::ES256);
    let to_key = made(&authority.token().bound_to(&key));
    let certificate = TestCertificate::random();
    let to_certificate = authority.token().bound_to_certificate(certificate.client());
    let good = authority.token().build();
    let two = with(bearer(&good), "authorization", &format!("Bearer {good}"));
    vec![
        Check::refuses("refuses, as Bearer, a token bound to a key (`cnf.jkt`)", to_key),
        Check::refuses(
            "refuses, as Bearer, a token bound to a certificate (`cnf.x5t#S256`)",
            made(&to_certificate),
        ),
        Check::refuses("refuses two `Authorization` fields", two),
    ]
}

fn answers(authority: &Authority) -> Vec<Check> {
    let expired = || made(&authority.token().flaw(Flaw::Expired));
    let good = made(&authority.token());
    vec![
        Check::answer("answers no credentials with", Demand::Valid, anonymous(), challenges),
        Check::answer("answers an expired token with", Demand::Valid, expired(), challenges),
        Check::answer("answers a scope that is missing with", Demand::Scope, good, challenges),
        Check::answer("sets `no-store` on a 401", Demand::Valid, expired(), no_store),
    ]
}
