//! Input of every kind: whatever it is, it is refused in order, and nothing panics.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_resource_server::testing::{FixedClock, Flaw, TestIssuer};
use tower_resource_server::{
    Algorithm, Builder, CryptoBackend, JwkSet, RejectionKind, ResourceServer,
};

use crate::support::{
    Answer, Bed, ISSUER, NOW, RESOURCE, bearer, key, payload, publishing, send, token_by, trusting,
};

/// The answer to a request that never has anything to wait for.
fn answer(server: &ResourceServer, request: Request<Full<Bytes>>) -> Answer {
    send(server.authenticate(), request).now_or_never().expect("fixed keys are there at once")
}

/// The answer to these Authorization lines; `None` where HTTP itself refuses one.
fn authorization(server: &ResourceServer, lines: &[&[u8]]) -> Option<Answer> {
    let mut request = crate::support::get(&[]);
    for line in lines {
        let value = HeaderValue::from_bytes(line).ok()?;
        request.headers_mut().append("authorization", value);
    }
    Some(answer(server, request))
}

fn with_token(server: &ResourceServer, token: &[u8]) -> Option<Answer> {
    authorization(server, &[&[b"Bearer ", token].concat()])
}

/// Refused with 400 or 401, a sound challenge and no trace of the input.
fn assert_refused(answer: &Answer) {
    match answer.status {
        StatusCode::BAD_REQUEST => answer.assert_r400(),
        StatusCode::UNAUTHORIZED if answer.challenge().get("error").is_some() => {
            answer.assert_t401();
        }
        _ => answer.assert_n401(),
    }
}

fn issuer_of(algorithm: Algorithm) -> TestIssuer {
    TestIssuer::with_key(ISSUER, key(algorithm, "test-1")).clock(FixedClock::at(NOW))
}

fn server_for(issuer: &TestIssuer, backend: CryptoBackend) -> ResourceServer {
    let builder = issuer.resource_server(RESOURCE).clock(FixedClock::at(NOW));
    builder.crypto_backend(backend).build().expect("valid")
}

/// Why a token with that flaw is refused.
fn reason(flaw: Flaw) -> RejectionKind {
    match flaw {
        Flaw::AlgorithmNone
        | Flaw::AlgorithmLowerCase
        | Flaw::AlgorithmMissing
        | Flaw::HmacWithPublicKey
        | Flaw::HmacWithPublicKeyPem => RejectionKind::UnacceptableAlgorithm,
        Flaw::BadSignature
        | Flaw::EmptySignature
        | Flaw::ZeroSignature
        | Flaw::DerSignature
        | Flaw::TruncatedSignature
        | Flaw::WrongKey
        | Flaw::EmbeddedKey
        | Flaw::KeyUrl => RejectionKind::BadSignature,
        Flaw::UnknownKeyId => RejectionKind::UnknownKey,
        Flaw::UnknownCritical | Flaw::EmptyCritical | Flaw::UnencodedPayload => {
            RejectionKind::UnsupportedCritical
        }
        Flaw::WrongType | Flaw::MissingType => RejectionKind::WrongTokenType,
        Flaw::Expired => RejectionKind::ExpiredToken,
        Flaw::NotYetValid => RejectionKind::TokenNotYetValid,
        Flaw::WrongAudience => RejectionKind::WrongAudience,
        Flaw::WrongIssuer => RejectionKind::UntrustedIssuer,
        Flaw::JsonSerialization => RejectionKind::MalformedAuthorization,
        _ => RejectionKind::MalformedToken,
    }
}

fn assert_every_flaw_is_refused(algorithm: Algorithm) {
    let issuer = issuer_of(algorithm);
    let servers: Vec<_> =
        CryptoBackend::ALL.iter().copied().map(|backend| server_for(&issuer, backend)).collect();
    let sound = issuer.token().build();
    for flaw in Flaw::ALL {
        let token = issuer.token().flaw(flaw).build();
        for server in &servers {
            let answer = answer(server, bearer(&token));
            assert_refused(&answer);
            assert_eq!(answer.kind(), Some(reason(flaw)), "{algorithm} {flaw:?}");
        }
    }
    for server in &servers {
        answer(server, bearer(&sound)).assert_ok();
    }
}

#[test]
fn every_flaw_of_an_es256_token_is_refused() {
    assert_every_flaw_is_refused(Algorithm::ES256);
}

#[test]
fn every_flaw_of_an_es384_token_is_refused() {
    assert_every_flaw_is_refused(Algorithm::ES384);
}

#[test]
fn every_flaw_of_an_eddsa_token_is_refused() {
    assert_every_flaw_is_refused(Algorithm::EdDSA);
}

#[test]
fn every_flaw_of_an_ed25519_token_is_refused() {
    assert_every_flaw_is_refused(Algorithm::Ed25519);
}

#[test]
fn every_flaw_of_an_rs256_token_is_refused() {
    assert_every_flaw_is_refused(Algorithm::RS256);
}

#[test]
fn every_flaw_of_a_ps256_token_is_refused() {
    assert_every_flaw_is_refused(Algorithm::PS256);
}

#[test]
fn valid_tokens_of_every_algorithm_are_accepted_by_every_backend() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let issuer = issuer_of(algorithm);
        let token = issuer.token().build();
        for &backend in CryptoBackend::ALL {
            answer(&server_for(&issuer, backend), bearer(&token)).assert_ok();
        }
    }
}

#[test]
fn no_algorithm_passes_for_another_of_its_family() {
    let families = [
        [Algorithm::RS256, Algorithm::RS512, Algorithm::PS256],
        [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA],
    ];
    for family in families {
        for algorithm in family {
            let issuer = issuer_of(algorithm);
            for other in family.into_iter().filter(|other| *other != algorithm) {
                let token = issuer.token().header("alg", other.name()).build();
                for &backend in CryptoBackend::ALL {
                    answer(&server_for(&issuer, backend), bearer(&token)).assert_t401();
                }
            }
        }
    }
}

#[test]
fn any_byte_at_any_place_of_a_short_token_is_refused() {
    let bed = Bed::new();
    let short = b"e30.e30.AAAA";
    for at in 0..short.len() {
        for byte in 0..=u8::MAX {
            let mut token = short.to_vec();
            token[at] = byte;
            let Some(answer) = with_token(&bed.server, &token) else {
                assert!(byte.is_ascii_control(), "{byte:#x}");
                continue;
            };
            assert_refused(&answer);
            let inside = (1..short.len() - 1).contains(&at);
            let in_grammar = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            if inside {
                assert_eq!(answer.status == StatusCode::UNAUTHORIZED, in_grammar, "{byte:#x}");
            }
        }
    }
}

#[test]
fn any_byte_at_any_place_of_a_short_field_is_refused() {
    let bed = Bed::new();
    for field in [&b"Bearer e30.e30.AAAA"[..], b"Bearer", b"Bearer ", b"Basic QQ==", b"x", b""] {
        for at in 0..=field.len() {
            for byte in 0..=u8::MAX {
                let mut inserted = field.to_vec();
                inserted.insert(at, byte);
                authorization(&bed.server, &[&inserted]).iter().for_each(assert_refused);
                let mut replaced = field.to_vec();
                replaced.splice(at..(at + 1).min(field.len()), [byte]);
                authorization(&bed.server, &[&replaced]).iter().for_each(assert_refused);
            }
        }
    }
}

#[test]
fn fields_of_a_mebibyte_are_refused_unread() {
    let size = 1024 * 1024;
    let bed = Bed::new();
    for unit in ["a", ".", " ", "=", ",", "\t", "\"", "Bearer ", "eyJ"] {
        let long = unit.repeat(size / unit.len());
        for field in [long.clone(), format!("Bearer {long}"), format!("Basic {long}")] {
            let answer = authorization(&bed.server, &[field.as_bytes()]).expect("legal in HTTP");
            assert_refused(&answer);
        }
    }
    let long = format!("Bearer {}", "a".repeat(size));
    let answer = authorization(&bed.server, &[long.as_bytes()]).expect("legal in HTTP");
    assert_eq!(answer.kind(), Some(RejectionKind::TokenTooLarge));
}

/// A server that reads tokens of up to a mebibyte.
fn patient() -> Bed {
    Bed::with(|builder: Builder| builder.max_token_bytes(1024 * 1024))
}

#[test]
fn a_hundred_thousand_dots_are_no_token() {
    let dots = ".".repeat(100_000);
    let answer = with_token(&Bed::new().server, dots.as_bytes()).expect("legal in HTTP");
    assert_eq!(answer.kind(), Some(RejectionKind::TokenTooLarge));
    let bed = patient();
    for token in [dots.clone(), format!("{}{dots}", bed.token()), format!("{dots}{}", bed.token())]
    {
        let answer = with_token(&bed.server, token.as_bytes()).expect("legal in HTTP");
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(RejectionKind::MalformedToken));
    }
}

fn header(more: &str) -> String {
    format!(r#"{{{more}"alg":"ES256","typ":"at+jwt","kid":"test-1"}}"#)
}

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("\"x\":{}1{},", open.repeat(levels), close.repeat(levels))
}

#[test]
fn json_may_be_deep_but_not_bottomless() {
    let bed = patient();
    for (open, close) in [("[", "]"), ("{\"x\":", "}"), ("[{\"x\":", "}]")] {
        for levels in [33, 1000, 50_000] {
            let deep = nested(open, close, levels);
            for token in [
                bed.issuer.token().raw_payload(payload(&deep)),
                bed.issuer.token().raw_header(header(&deep)),
                bed.issuer.token().raw_payload(payload(&format!("\"x\":{},", open.repeat(levels)))),
            ] {
                let answer = answer(&bed.server, bearer(&token.build()));
                answer.assert_t401();
                assert_eq!(answer.kind(), Some(RejectionKind::MalformedToken), "{open} {levels}");
            }
        }
        let shallow = nested(open, close, 10);
        let token = bed.issuer.token().raw_payload(payload(&shallow)).raw_header(header(&shallow));
        answer(&bed.server, bearer(&token.build())).assert_ok();
    }
}

#[test]
fn json_may_be_wide_but_not_endless() {
    let bed = patient();
    let members = |count: usize| {
        (0..count).fold(String::new(), |mut text, n| {
            write!(text, "\"m{n}\":0,").expect("a string takes anything");
            text
        })
    };
    let with = |count| bed.issuer.token().raw_payload(payload(&members(count))).build();
    answer(&bed.server, bearer(&with(500))).assert_ok();
    for count in [513, 20_000] {
        answer(&bed.server, bearer(&with(count))).assert_t401();
    }
}

/// Numbers for a claim in place of its value: what they are, and whether JSON has them.
const NUMBERS: [(&str, bool); 22] = [
    ("0", true),
    ("-0", true),
    ("-1", true),
    ("0.5", true),
    ("1e-999", true),
    ("1e308", true),
    ("-1e308", true),
    ("9223372036854775807", true),
    ("-9223372036854775808", true),
    ("9223372036854775808", true),
    ("18446744073709551616", true),
    ("12345678901234567890", true),
    ("99999999999999999999999999999999", true),
    ("1700000000.9999999999999999999", true),
    ("1e999", false),
    ("-1e999", false),
    ("NaN", false),
    ("Infinity", false),
    ("0x10", false),
    ("01", false),
    ("+1", false),
    ("1.", false),
];

/// Whether the time lies after now, as far as a double can tell.
fn lies_ahead(number: &str) -> bool {
    number.parse::<f64>().is_ok_and(|number| number > NOW as f64 + 60.0)
}

#[test]
fn times_may_be_any_number() {
    let bed = Bed::new();
    for (number, legal) in NUMBERS {
        for claim in ["exp", "nbf", "iat", "auth_time"] {
            let original = match claim {
                "exp" => format!("\"exp\":{}", NOW + 300),
                "iat" => format!("\"iat\":{NOW}"),
                _ => String::new(),
            };
            let claims = payload("").replace(&original, "").replace(",,", ",").replace(",}", "}");
            let claims = claims.replacen('{', &format!("{{\"{claim}\":{number},"), 1);
            let answer = answer(
                &bed.server,
                bearer(&bed.issuer.token().raw_payload(claims.clone()).build()),
            );
            let value = number.parse::<f64>().unwrap_or(f64::NAN);
            let date = legal && value.abs() <= 253_402_300_799.0;
            let good = match claim {
                "exp" => date && value > NOW as f64 - 60.0,
                "auth_time" => legal || number.ends_with("1e999"),
                _ => date && !lies_ahead(number),
            };
            assert_eq!(answer.handled, good, "{claims}");
            if !good {
                answer.assert_t401();
            }
        }
    }
}

#[test]
fn two_of_anything_are_refused() {
    let bed = Bed::new();
    let token = bed.token();
    let field = format!("Bearer {token}");
    let field = field.as_bytes();
    for second in [field, b"", b"Bearer", b"Basic QQ==", b"Bearer x", b"DPoP x"] {
        for lines in [[field, second], [second, field]] {
            let answer = authorization(&bed.server, &lines).expect("legal in HTTP");
            answer.assert_r400();
            assert_eq!(answer.kind(), Some(RejectionKind::MultipleCredentials));
        }
    }
    for joint in [", ", ",", " ", "; ", ",Bearer ", ", Bearer ", ",DPoP ", " Bearer "] {
        let twice = format!("Bearer {token}{joint}{token}");
        let answer = authorization(&bed.server, &[twice.as_bytes()]).expect("legal in HTTP");
        answer.assert_r400();
    }
    answer(&bed.server, bearer(&format!("Bearer {token}"))).assert_r400();
    answer(&bed.server, bearer(&format!("{token}.{token}"))).assert_t401();
    answer(&bed.server, bearer(&format!("{token}{token}"))).assert_t401();
}

#[test]
fn two_of_any_member_are_refused() {
    let bed = Bed::new();
    for claim in ["iss", "sub", "client_id", "aud", "exp", "iat", "jti"] {
        let all: Value = serde_json::from_str(&payload("")).expect("JSON");
        let again = payload(&format!("\"{claim}\":{},", all[claim]));
        let answer = answer(&bed.server, bearer(&bed.issuer.token().raw_payload(again).build()));
        assert_eq!(answer.kind(), Some(RejectionKind::MalformedToken), "{claim}");
    }
    for (parameter, value) in [("alg", "ES256"), ("typ", "at+jwt"), ("kid", "test-1")] {
        let again = header(&format!("\"{parameter}\":\"{value}\","));
        let answer = answer(&bed.server, bearer(&bed.issuer.token().raw_header(again).build()));
        assert_eq!(answer.kind(), Some(RejectionKind::MalformedToken), "{parameter}");
    }
}

#[test]
fn every_single_change_to_a_token_is_noticed() {
    let bed = Bed::new();
    let token = bed.token();
    for at in 0..token.len() {
        let mut shorter = token.clone();
        shorter.remove(at);
        answer(&bed.server, bearer(&shorter)).assert_t401();
        for other in ["A", "_", "."] {
            let mut changed = token.clone();
            changed.replace_range(at..=at, other);
            if changed != token {
                answer(&bed.server, bearer(&changed)).assert_t401();
            }
            let mut longer = token.clone();
            longer.insert_str(at, other);
            answer(&bed.server, bearer(&longer)).assert_t401();
        }
    }
    answer(&bed.server, bearer(&token)).assert_ok();
}

/// One change to bytes; positions wrap around.
#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Insert(usize, u8),
    Delete(usize),
    Swap(usize, usize),
    Truncate(usize),
    Repeat(usize, usize),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<usize>();
        prop_oneof![
            (at, 1..=u8::MAX).prop_map(|(at, bits)| Self::Flip(at, bits)),
            (at, any::<u8>()).prop_map(|(at, byte)| Self::Insert(at, byte)),
            at.prop_map(Self::Delete),
            (at, at).prop_map(|(one, two)| Self::Swap(one, two)),
            at.prop_map(Self::Truncate),
            (at, 1..64usize).prop_map(|(at, length)| Self::Repeat(at, length)),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len().max(1);
        match *self {
            Self::Insert(at, byte) => bytes.insert(at % (bytes.len() + 1), byte),
            _ if bytes.is_empty() => {}
            Self::Flip(at, bits) => bytes[at % length] ^= bits,
            Self::Delete(at) => drop(bytes.remove(at % length)),
            Self::Swap(one, two) => bytes.swap(one % length, two % length),
            Self::Truncate(at) => bytes.truncate(at % length),
            Self::Repeat(at, count) => {
                let start = at % length;
                let part = bytes[start..(start + count).min(length)].to_vec();
                bytes.splice(start..start, part);
            }
        }
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A server and a valid token for it, made once.
fn sound() -> &'static (ResourceServer, String) {
    static SOUND: std::sync::LazyLock<(ResourceServer, String)> = std::sync::LazyLock::new(|| {
        let bed = Bed::new();
        let token = bed.token();
        (bed.server, token)
    });
    &SOUND
}

/// Members of a JWK with values of the right kind and any content.
fn jwk() -> impl Strategy<Value = Value> {
    let text = |choices: &'static [&'static str]| proptest::sample::select(choices);
    let size = || prop_oneof![Just(32usize), Just(48), Just(256), 0..300usize];
    let number = || size().prop_flat_map(|size| vec(any::<u8>(), size));
    let names =
        text(&["RS256", "PS512", "ES256", "ES384", "EdDSA", "Ed25519", "HS256", "none", ""]);
    let alg = proptest::option::of(names);
    let kind = (
        text(&["RSA", "EC", "OKP", "oct", "AKP"]),
        text(&["P-256", "P-384", "Ed25519", "Ed448", "secp256k1"]),
    );
    (kind, alg, [number(), number(), number()], vec(any::<u8>(), 0..6)).prop_map(
        |((kty, crv), alg, [n, x, y], e)| {
            let [n, x, y, e] = [n, x, y, e].map(|bytes| BASE64URL.encode(bytes));
            json!({ "kid": "odd", "kty": kty, "crv": crv, "alg": alg, "n": n, "e": e, "x": x, "y": y })
        },
    )
}

/// Without `alg` where it is null.
fn tidy(mut jwk: Value) -> Value {
    if jwk["alg"].is_null() {
        jwk.as_object_mut().expect("an object").remove("alg");
    }
    jwk
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_mutated_token_is_never_accepted(changes in vec(Change::any(), 1..4)) {
        let (server, token) = sound();
        let mut bytes = token.clone().into_bytes();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        let outer = |byte: &u8| *byte != b' ' && *byte != b'\t';
        let start = bytes.iter().position(outer).unwrap_or(0);
        let end = bytes.iter().rposition(outer).map_or(0, |last| last + 1);
        let same = bytes.get(start..end) == Some(token.as_bytes());
        match with_token(server, &bytes) {
            Some(answer) if same => answer.assert_ok(),
            Some(answer) => assert_refused(&answer),
            None => {}
        }
    }

    #[test]
    fn an_arbitrary_field_is_never_accepted(field in vec(any::<u8>(), 0..200)) {
        authorization(&sound().0, &[&field]).iter().for_each(assert_refused);
        let field = [b"Bearer ", &field[..]].concat();
        authorization(&sound().0, &[&field]).iter().for_each(assert_refused);
    }

    #[test]
    fn an_arbitrary_token_is_never_accepted(
        segments in vec(vec(any::<u8>(), 0..100), 1..6),
    ) {
        let segments: Vec<_> = segments.iter().map(|bytes| BASE64URL.encode(bytes)).collect();
        let answer = with_token(&sound().0, segments.join(".").as_bytes());
        assert_refused(&answer.expect("legal in HTTP"));
    }

    #[test]
    fn arbitrary_bytes_are_no_key_set(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(set) = JwkSet::from_json(&bytes) {
            prop_assert!(set.is_empty());
        }
    }

    #[test]
    fn a_mutated_key_set_never_panics(changes in vec(Change::any(), 1..4)) {
        let (server, token) = sound();
        let mut set = MUTABLE.clone();
        changes.iter().for_each(|change| change.apply(&mut set));
        let Ok(set) = JwkSet::from_json(&set) else { return Ok(()) };
        let issuer = tower_resource_server::Issuer::jwks(ISSUER, set);
        if let Ok(changed) = trusting(issuer).build() {
            // The token's key is in none of these sets.
            assert_refused(&answer(&changed, bearer(token)));
            answer(server, bearer(token)).assert_ok();
        }
    }
}

static MUTABLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
    let keys = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256];
    let keys = keys.map(|algorithm| key(algorithm, "test-1").public_jwk());
    json!({ "keys": keys }).to_string().into_bytes()
});

/// What an attacker would sign with: anything at all.
fn forged(alg: &str, signature: &[u8]) -> String {
    let header = json!({ "typ": "at+jwt", "alg": alg, "kid": "odd" }).to_string();
    let payload = payload("");
    let parts = [header.as_bytes(), payload.as_bytes(), signature];
    parts.map(|part| BASE64URL.encode(part)).join(".")
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn odd_keys_verify_nothing(
        odd in jwk(),
        filler in any::<u8>(),
        length in prop_oneof![Just(64usize), Just(96), Just(256), 0..300usize],
    ) {
        let good = key(Algorithm::EdDSA, "good");
        let sound = token_by(&good).build();
        for &backend in CryptoBackend::ALL {
            let issuer = publishing([tidy(odd.clone()), good.public_jwk()]);
            let server = trusting(issuer).crypto_backend(backend).build().expect("valid");
            for algorithm in Algorithm::ALL.iter().copied() {
                let token = forged(algorithm.name(), &vec![filler; length]);
                assert_refused(&answer(&server, bearer(&token)));
            }
            answer(&server, bearer(&sound)).assert_ok();
        }
    }
}
