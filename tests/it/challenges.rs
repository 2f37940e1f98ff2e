//! Several challenges in one answer: which, in what order, and in how many lines.

use std::time::Duration;

use tower_resource_server::render::{OAuthJson, ProblemJson};
use tower_resource_server::testing::ProofFlaw;
use tower_resource_server::{Algorithm, Builder, Dpop, SealedNonces, StepUp};

use crate::dpop::{Client, proven};
use crate::support::{Answer, Bed, Challenge, bearer, get, refusals, send, table};

/// The answer to a sound proof of a token that is bound to another key.
async fn mismatched(change: impl FnOnce(Builder) -> Builder) -> Answer {
    let bed = Bed::with(change);
    let (owner, thief) = (Client::new(&bed), Client::new(&bed));
    let request = thief.proof().token(&owner.token).authorize(get(&[]));
    send(bed.server.authenticate(), request).await
}

/// N401, R400 of a request with two tokens, T401 under Bearer and under DPoP, P401.
async fn of_both_schemes(change: fn(Builder) -> Builder) -> [Answer; 5] {
    let bed = Bed::with(change);
    let guard = bed.server.authenticate();
    let twice = get(&[("authorization", "Bearer abc"), ("authorization", "DPoP abc")]);
    [
        send(guard.clone(), get(&[])).await,
        send(guard.clone(), twice).await,
        send(guard, bearer("abc")).await,
        mismatched(change).await,
        proven(change, |proof| proof.flaw(ProofFlaw::BadSignature)).await,
    ]
}

fn pairs(answer: &Answer) -> Vec<(String, Option<String>)> {
    let pair = |challenge: Challenge| {
        let error = challenge.get("error").map(str::to_owned);
        (challenge.scheme, error)
    };
    answer.challenges().into_iter().map(pair).collect()
}

#[tokio::test]
async fn the_scheme_that_was_tried_comes_first_and_else_bearer() {
    let [none, request, token, binding, proof] = of_both_schemes(|builder| builder).await;
    none.assert_n401();
    request.assert_r400();
    token.assert_t401();
    binding.assert_t401();
    proof.assert_p401();
    // R9110-11.3-2: Bearer before DPoP where it is not clear what was tried …
    assert_eq!(none.schemes(), ["Bearer", "DPoP"]);
    assert_eq!(request.schemes(), ["Bearer", "DPoP"]);
    // R9110-11.3-2: … and where it is, that scheme with its error before the other.
    let pair = |scheme: &str, error: Option<&str>| (scheme.to_owned(), error.map(str::to_owned));
    let bad = Some("invalid_token");
    assert_eq!(pairs(&token), [pair("Bearer", bad), pair("DPoP", None)]);
    assert_eq!(pairs(&binding), [pair("DPoP", bad), pair("Bearer", None)]);
    assert_eq!(pairs(&proof), [pair("DPoP", Some("invalid_dpop_proof")), pair("Bearer", None)]);
}

#[tokio::test]
async fn dpop_can_be_put_first() {
    let [none, request, token, binding, proof] =
        of_both_schemes(Builder::dpop_challenge_first).await;
    // R9110-11.3-2: the order is configurable …
    assert_eq!(none.schemes(), ["DPoP", "Bearer"]);
    assert_eq!(request.schemes(), ["DPoP", "Bearer"]);
    // R9110-11.3-2: … and what was tried comes first all the same.
    assert_eq!(token.schemes(), ["Bearer", "DPoP"]);
    assert_eq!(binding.schemes(), ["DPoP", "Bearer"]);
    assert_eq!(proof.schemes(), ["DPoP", "Bearer"]);
}

#[tokio::test]
async fn each_challenge_has_a_line_of_its_own() {
    for answer in of_both_schemes(|builder| builder).await {
        // R9110-11.6.1-2: two schemes, two lines, by default.
        assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 2);
        assert_eq!(answer.challenges().len(), 2, "one in each");
    }
}

/// The challenges of a line that may hold several (RFC 9110 §11.6.1): commas part parameters and
/// challenges alike, and a challenge starts where a space stands before the `=`.
fn listed(line: &str) -> Vec<Challenge> {
    let (mut elements, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in line.chars() {
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        match (c, elements.last_mut()) {
            (',', _) if !quoted => elements.push(String::new()),
            (c, Some(element)) => element.push(c),
            (_, None) => unreachable!("there is always one"),
        }
    }
    let mut challenges: Vec<String> = Vec::new();
    for element in elements.iter().map(|element| element.trim()) {
        let name = element.split('=').next().unwrap_or_default();
        match challenges.last_mut() {
            Some(last) if !name.contains(' ') => last.extend([", ", element]),
            _ => challenges.push(element.to_owned()),
        }
    }
    challenges.iter().map(|challenge| Challenge::parse(challenge)).collect()
}

#[tokio::test]
async fn one_line_says_the_same_as_several() {
    // Its quotes and commas are those of a challenge.
    let realm = |builder: Builder| builder.realm("a, DPoP b=\"c\\\", d");
    let one_line =
        |builder: Builder| builder.realm("a, DPoP b=\"c\\\", d").challenges_in_one_line();
    let mut several = refusals(realm).await;
    several.extend(of_both_schemes(realm).await);
    let mut one = refusals(one_line).await;
    one.extend(of_both_schemes(one_line).await);
    let mut compared = 0;
    for (several, one) in several.iter().zip(&one) {
        let lines = one.all("www-authenticate");
        let list: Vec<_> = lines.iter().flat_map(|line| listed(line)).collect();
        // R9110-11.6.1-1: one line at most, and in it the same challenges in the same order.
        assert!(lines.len() <= 1);
        assert_eq!(list, several.challenges());
        compared += list.len();
    }
    assert_eq!((several.len(), one.len(), compared), (14, 14, 19));
}

fn with_nonces(builder: Builder) -> Builder {
    builder.dpop(Dpop::new().nonces(SealedNonces::random()))
}

/// One answer for each error code that an extension adds, by a server with these settings.
async fn extensions(change: fn(Builder) -> Builder) -> [(&'static str, Answer); 3] {
    let bed = Bed::with(change);
    let layer = bed.server.authenticate().require(StepUp::acr(["urn:mfa"]));
    let weak = send(layer, bearer(&bed.token())).await;
    let flawed = proven(change, |proof| proof.flaw(ProofFlaw::HtmOther)).await;
    let stale = proven(|builder| with_nonces(change(builder)), |proof| proof).await;
    [
        ("insufficient_user_authentication", weak),
        ("invalid_dpop_proof", flawed),
        ("use_dpop_nonce", stale),
    ]
}

#[tokio::test]
async fn errors_of_extensions_are_rendered_like_all_others() {
    let envelopes: [fn(Builder) -> Builder; 2] = [
        |builder| builder.envelope(OAuthJson::default()),
        |builder| builder.envelope(ProblemJson::default()),
    ];
    for envelope in envelopes {
        for (code, answer) in extensions(envelope).await {
            let kind = answer.kind().expect("refused");
            let (challenge, body) = (answer.challenge(), answer.json());
            // O21-5.3.2-1: the code stands in the challenge and in the body, whatever its form …
            assert_eq!(challenge.get("error"), Some(code));
            assert_eq!(body["error"], code);
            // O21-5.3.2-1: … beside the text of its kind, in a 401 that is not to be stored.
            assert_eq!(challenge.get("error_description"), Some(kind.description()));
            assert_eq!(body["error_description"], kind.description());
            assert_eq!((answer.status.as_u16(), answer.handled), (401, false));
            assert_eq!(answer.all("cache-control"), ["no-store"]);
        }
    }
}

#[tokio::test]
async fn the_hooks_see_errors_of_extensions_too() {
    let hooked: fn(Builder) -> Builder = |builder| {
        builder.send_error(|status, error, response| {
            let text = format!("{status} {}", error.error().unwrap_or("none"));
            *response.body_mut() = text.into();
        })
    };
    for (code, answer) in extensions(hooked).await {
        // O21-5.3.2-1: as one of them would see `invalid_token`.
        assert_eq!(answer.body, format!("401 Unauthorized {code}"));
        assert_eq!(answer.challenge().get("error"), Some(code));
    }
}

#[tokio::test]
async fn both_challenges_point_to_the_metadata() {
    let bed = Bed::new();
    let answer = send(bed.server.authenticate(), get(&[])).await;
    answer.assert_n401();
    assert_eq!(answer.schemes(), ["Bearer", "DPoP"]);
    for challenge in answer.challenges() {
        let url = challenge.get("resource_metadata");
        // R9728-5.1-1: absolute, and in the challenge of either scheme.
        assert_eq!(url, Some("https://api.example.com/.well-known/oauth-protected-resource"));
    }
}

fn two_algorithms() -> Dpop {
    Dpop::new().algorithms([Algorithm::ES256, Algorithm::EdDSA])
}

/// The answer to the situation that a vector describes, if DPoP has a part in it.
async fn situation(status: u64, error: Option<&str>) -> Option<Answer> {
    let [none, request, token, _, proof] =
        of_both_schemes(|builder| builder.dpop(two_algorithms())).await;
    let nonce = two_algorithms().nonces(SealedNonces::random());
    let nonce = proven(|builder| builder.dpop(nonce), |proof| proof).await;
    match (status, error) {
        (401, None) => Some(none),
        (401, Some("invalid_token")) => Some(token),
        (401, Some("invalid_dpop_proof")) => Some(proof),
        (401, Some("use_dpop_nonce")) => {
            assert_eq!(nonce.schemes(), ["DPoP"], "alone, as clients look for it");
            assert_eq!(nonce.all("dpop-nonce").len(), 1);
            Some(nonce)
        }
        (400, _) => Some(request),
        _ => None,
    }
}

#[tokio::test]
async fn dpop_challenges_say_what_the_vectors_say() {
    let mut compared = 0;
    for vector in table("challenges") {
        let expected = listed(vector["challenge"].as_str().expect("challenges"));
        let status = vector["status"].as_u64().expect("a status");
        let error = expected.iter().find_map(|challenge| challenge.get("error"));
        let Some(answer) = situation(status, error).await else { continue };
        let Some(expected) = expected.iter().find(|challenge| challenge.scheme == "DPoP") else {
            panic!("{vector}")
        };
        let challenge = answer.challenge_of("DPoP");
        for (name, value) in &expected.params {
            let found = challenge.get(name);
            let wording = name == "error_description" && found.is_some();
            assert!(found == Some(value) || wording, "{name}: {found:?}");
        }
        assert_eq!(challenge.get("error"), expected.get("error"));
        compared += 1;
    }
    assert_eq!(compared, 5);
}

#[tokio::test]
async fn a_client_that_has_to_ask_for_more_hears_of_its_own_scheme_alone() {
    let bed = Bed::new();
    let client = Client::new(&bed);
    let step_up = || StepUp::acr(["urn:mfa"]).max_age(Duration::from_secs(300));
    let layer = bed.server.authenticate().require(step_up());
    let answer = send(layer, client.request()).await;
    assert_eq!(answer.schemes(), ["DPoP"]);
    assert_eq!(answer.challenge().get("error"), Some("insufficient_user_authentication"));
    assert_eq!(answer.challenge().get("max_age"), Some("300"));
    assert!(answer.challenge().get("algs").is_some());
}
