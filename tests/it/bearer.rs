//! Bearer tokens: RFC 6750.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderName, Request, StatusCode};
use tower_resource_server::testing::{Flaw, TestIssuer};
use tower_resource_server::{
    Builder, Credential, CredentialSource, Predicate, RejectionKind, RequestHead, Scopes,
    SecureTransport, StepUp,
};

use crate::support::{
    Answer, Bed, CHALLENGED, Challenge, ISSUER, RESOURCE, bearer, faults, get, refusals, send,
    send_vector, table,
};

const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource";

/// Every challenge of the refusals of a server with these settings.
async fn challenges(change: impl FnOnce(Builder) -> Builder) -> Vec<Challenge> {
    refusals(change).await.iter().flat_map(Answer::challenges).collect()
}

fn schemes(challenges: &[Challenge]) -> Vec<&str> {
    challenges.iter().map(|challenge| challenge.scheme.as_str()).collect()
}

#[tokio::test]
async fn the_authorization_field_carries_the_token() {
    let bed = Bed::new();
    let answer = bed.bearer(&bed.token()).await;
    // R6750-2.1-1
    answer.assert_ok();
    assert_eq!(answer.body, "user-1");
}

#[tokio::test]
async fn one_or_more_spaces_stand_between_scheme_and_token() {
    let bed = Bed::new();
    let token = bed.token();
    let sent = |line: String| send(bed.server.authenticate(), get(&[("authorization", &line)]));
    // R6750-2.1-2: any number of spaces is fine.
    sent(format!("Bearer  {token}")).await.assert_ok();
    sent(format!("Bearer     {token}")).await.assert_ok();
    // R6750-2.1-2: a tab is not, nor is anything after the token.
    sent(format!("Bearer\t{token}")).await.assert_r400();
    sent(format!("Bearer \t{token}")).await.assert_r400();
    sent(format!("Bearer {token} x")).await.assert_r400();
    sent(format!("Bearer {token} {token}")).await.assert_r400();
    sent(format!("Bearer {token}, realm=\"x\"")).await.assert_r400();
}

fn query(query: &str, lines: &[(&str, &str)]) -> Request<http_body_util::Full<bytes::Bytes>> {
    let mut request = get(lines);
    *request.uri_mut() = format!("/r?{query}").parse().expect("a target");
    request
}

#[tokio::test]
async fn tokens_in_the_query_are_ignored() {
    let bed = Bed::new();
    let token = format!("access_token={}", bed.token());
    let answer = send(bed.server.authenticate(), query(&token, &[])).await;
    // R6750-2.3-1: as if there were none.
    answer.assert_n401();
    assert_eq!(answer.kind(), Some(RejectionKind::MissingCredentials));
    let answer = send(bed.server.authenticate().optional(), query(&token, &[])).await;
    answer.assert_ok();
    assert_eq!(answer.body, "anonymous");
}

#[tokio::test]
async fn strict_servers_refuse_tokens_in_the_query() {
    let bed = Bed::with(Builder::refuse_query_tokens);
    let header = format!("Bearer {}", bed.token());
    for text in ["access_token=abc", "a=1&access_token=", "access_token"] {
        let answer = send(bed.server.authenticate(), query(text, &[("authorization", &header)]));
        let answer = answer.await;
        // D-2: the strict option, even beside a valid header.
        answer.assert_r400();
        assert_eq!(answer.kind(), Some(RejectionKind::TokenInQuery));
    }
    let other = query("my_access_token=abc&b", &[("authorization", &header)]);
    send(bed.server.authenticate(), other).await.assert_ok();
}

#[tokio::test]
async fn whoever_is_refused_is_told_how_to_authenticate() {
    let bed = Bed::new();
    let guard = bed.server.authenticate();
    // R6750-3-1: without credentials, with a bad token, and with too weak a token.
    let none = send(guard.clone(), get(&[])).await;
    none.assert_n401();
    let bad = bed.bearer("abc").await;
    bad.assert_t401();
    let weak = send(guard.require(Scopes::all(["write"])), bearer(&bed.token())).await;
    weak.assert_s403("write");
    for answer in [none, bad, weak] {
        // R6750-3-1, R6750-3-2: the scheme in its canonical case, byte for byte.
        assert!(answer.all("www-authenticate")[0].starts_with("Bearer "));
    }
}

#[tokio::test]
async fn a_challenge_is_never_bare() {
    for settings in [|builder: Builder| builder, Builder::hide_metadata] {
        let challenges = challenges(settings).await;
        assert_eq!(schemes(&challenges), CHALLENGED);
        // R6750-3-3, D-3: at least one parameter always.
        assert!(challenges.iter().all(|challenge| !challenge.params.is_empty()));
    }
    let hidden = Bed::with(Builder::hide_metadata);
    let answer = send(hidden.server.authenticate(), get(&[])).await;
    let [bearer, dpop] = answer.challenges().try_into().expect("one for each scheme");
    // R6750-3-3, D-3: with nothing configured, a realm is put in.
    assert_eq!(answer.all("www-authenticate")[0], format!("Bearer realm=\"{RESOURCE}\""));
    assert_eq!((bearer.names(), dpop.names()), (vec!["realm"], vec!["realm", "algs"]));
    assert_eq!((dpop.scheme.as_str(), dpop.get("realm")), ("DPoP", Some(RESOURCE)));
}

#[tokio::test]
async fn no_parameter_comes_twice() {
    let all = |builder: Builder| builder.realm("api").error_uri("https://docs.example.com/e");
    for challenge in challenges(all).await {
        let names = challenge.names();
        let once: BTreeSet<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        // R6750-3-4
        assert_eq!(once.len(), names.len(), "{names:?}");
    }
}

#[tokio::test]
async fn the_realm_stands_in_every_challenge() {
    let challenges = challenges(|builder| builder.realm("Example API")).await;
    assert_eq!(schemes(&challenges), CHALLENGED);
    for challenge in challenges {
        // R6750-3-5: first, as clients that split at commas like it.
        assert_eq!(challenge.params[0], ("realm".to_owned(), "Example API".to_owned()));
    }
}

#[tokio::test]
async fn the_parameters_come_in_an_order_that_clients_cope_with() {
    let settings = |builder: Builder| {
        builder.realm("r").error_uri("https://docs.example.com/e").challenge_param("x", "y")
    };
    let order = [
        "realm",
        "error",
        "scope",
        "acr_values",
        "max_age",
        "algs",
        "resource_metadata",
        "x",
        "error_uri",
        "error_description",
    ];
    let challenges = challenges(settings).await;
    assert_eq!(schemes(&challenges), CHALLENGED);
    for challenge in challenges {
        assert_eq!(challenge.get("algs").is_some(), challenge.scheme == "DPoP");
        let place = |name: &&str| order.iter().position(|other| other == name);
        let places: Vec<_> = challenge.names().iter().map(place).collect();
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}");
    }
}

#[tokio::test]
async fn a_challenge_without_credentials_names_the_scopes_the_route_needs() {
    let bed = Bed::new();
    let both = || Scopes::all(["read", "write"]);
    let whole = bed.server.authenticate().require(both());
    let routed = (bed.server.authenticate().optional(), bed.server.require(both()));
    for answer in [send(whole, get(&[])).await, send(routed, get(&[])).await] {
        answer.assert_n401();
        let challenge = answer.challenge();
        let scopes: BTreeSet<_> = challenge.get("scope").expect("a scope").split(' ').collect();
        // R6750-3-6, D-17: as a set, and no error information.
        assert_eq!(scopes, BTreeSet::from(["read", "write"]));
    }
}

#[tokio::test]
async fn a_token_that_fails_is_told_by_its_error() {
    let bed = Bed::new();
    for token in ["abc", &bed.issuer.token().flaw(Flaw::BadSignature).build()] {
        let answer = bed.bearer(token).await;
        answer.assert_t401();
        // R6750-3-7
        assert_eq!(answer.challenge().get("error"), Some("invalid_token"));
    }
}

#[tokio::test]
async fn the_error_uri_stands_beside_every_error_and_nowhere_else() {
    const URI: &str = "https://docs.example.com/errors#top";
    for challenge in challenges(|builder| builder.error_uri(URI)).await {
        let expected = challenge.get("error").map(|_| URI);
        // R6750-3-8: with the error, and a description beside it.
        assert_eq!(challenge.get("error_uri"), expected);
        assert_eq!(challenge.get("error_description").is_some(), expected.is_some());
    }
    for uri in ["/errors", "errors", "", "//docs.example.com/e"] {
        // R6750-3-8: absolute or not at all.
        assert_eq!(faults(|builder| builder.error_uri(uri)), ["error_uri"], "{uri}");
    }
}

#[test]
fn an_error_uri_holds_no_other_characters_than_it_may() {
    for uri in ["https://h/a b", "https://h/\"", "https://h/\\", "https://h/\u{e9}", "https://h/\t"]
    {
        // R6750-3-11
        assert_eq!(faults(|builder| builder.error_uri(uri)), ["error_uri"], "{uri}");
    }
}

#[tokio::test]
async fn scopes_hold_no_other_characters_than_they_may() {
    let bed = Bed::new();
    for vector in table("scope_charset") {
        let scope = vector["input"].as_str().expect("a scope");
        let needed = || Scopes::all(scope.split(' '));
        // R6750-3-9: a scope that cannot be sent is refused where it is configured …
        assert_eq!(Some(bed.server.try_require(needed()).is_ok()), vector["allowed"].as_bool());
        let answer = send(bed.server.authenticate().require(needed()), bearer(&bed.token())).await;
        match scope {
            "read" => answer.assert_ok(),
            // R6750-3-9: … or sent as it is.
            _ if vector["allowed"] == true => answer.assert_s403(scope),
            _ => assert_eq!(answer.kind(), Some(RejectionKind::InvalidRequirement)),
        }
    }
}

#[tokio::test]
async fn descriptions_hold_no_other_characters_than_they_may() {
    let bed = Bed::new();
    for vector in table("error_description_charset") {
        let reason = vector["input"].as_str().expect("a description");
        let test = || Predicate::new(reason, |_| false);
        let answer = send(bed.server.authenticate().require(test()), bearer(&bed.token())).await;
        // R6750-3-10: what may not be sent is refused where it is configured, and never sent.
        assert_eq!(Some(bed.server.try_require(test()).is_ok()), vector["allowed"].as_bool());
        if vector["allowed"] == true {
            assert_eq!(answer.challenge().get("error_description"), Some(reason));
        } else {
            assert_eq!(answer.kind(), Some(RejectionKind::InvalidRequirement));
            assert!(!answer.text().contains(reason));
        }
    }
}

#[tokio::test]
async fn errors_and_descriptions_need_no_escapes() {
    for challenge in challenges(|builder| builder).await {
        for name in ["error", "error_description"] {
            let value = challenge.get(name).unwrap_or_default();
            let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            // R6750-3-10: of all that the library itself says.
            assert!(value.bytes().all(allowed), "{value}");
        }
    }
}

#[tokio::test]
async fn a_malformed_request_is_400() {
    let bed = Bed::new();
    let line = format!("Bearer {}", bed.token());
    let twice = get(&[("authorization", &line), ("authorization", &line)]);
    // R6750-3.1-1
    send(bed.server.authenticate(), twice).await.assert_r400();
}

#[derive(Debug)]
struct Field(HeaderName);

impl CredentialSource for Field {
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<Option<Credential<'a>>, RejectionKind> {
        let Some(value) = head.headers().get(&self.0) else { return Ok(None) };
        let token = value.to_str().map_err(|_| RejectionKind::MalformedAuthorization)?;
        Ok(Some(Credential::bearer(token)))
    }
}

#[tokio::test]
async fn two_methods_in_one_request_are_400() {
    let bed = Bed::with(|b| b.credential_source(Field(HeaderName::from_static("x-token"))));
    let token = bed.token();
    let header = format!("Bearer {token}");
    send(bed.server.authenticate(), get(&[("x-token", &token)])).await.assert_ok();
    let both = get(&[("x-token", &token), ("authorization", &header)]);
    let answer = send(bed.server.authenticate(), both).await;
    // R6750-3.1-1: even when both carry the same token.
    answer.assert_r400();
    assert_eq!(answer.kind(), Some(RejectionKind::MultipleCredentials));
}

#[tokio::test]
async fn a_bad_token_is_401() {
    for name in ["at-exp-past", "at-aud-other", "at-iss-slash"] {
        send_vector(name).await.assert_t401();
    }
    Bed::new().bearer("abc").await.assert_t401();
}

#[tokio::test]
async fn a_token_with_too_little_scope_is_403_and_told_all_that_is_needed() {
    let bed = Bed::new();
    let guard = bed.server.authenticate();
    let answer = send(guard.clone().require(Scopes::all(["write"])), bearer(&bed.token())).await;
    // R6750-3.1-3: not 401; the token is good.
    answer.assert_s403("write");
    let both = Scopes::all(["read", "write"]);
    let answer = send(guard.require(both), bearer(&bed.token())).await;
    // R6750-3.1-4: every required scope, not only the one that is missing.
    answer.assert_s403("read write");
}

#[tokio::test]
async fn without_authentication_there_is_no_error_information() {
    let bed = Bed::with(|builder| builder.error_uri("https://docs.example.com/e"));
    let answer = send(bed.server.authenticate(), get(&[])).await;
    // R6750-3.1-5, D-15: neither error nor description nor URI, in field and body.
    answer.assert_n401();
    assert!(answer.body.is_empty());
    for line in ["Basic dTpw", "Negotiate YIIZ", "Digest username=\"u\"", "x"] {
        let answer = send(bed.server.authenticate(), get(&[("authorization", line)])).await;
        // R6750-3.1-6: a scheme that is not supported says as little.
        answer.assert_n401();
        assert_eq!(answer.kind(), Some(RejectionKind::UnsupportedScheme), "{line}");
    }
}

#[tokio::test]
async fn refusals_say_what_is_wrong_and_nothing_that_was_sent() {
    let bed = Bed::new();
    for flaw in Flaw::ALL {
        let token = bed.issuer.token().subject("alice-subject").client_id("client-x").flaw(flaw);
        let token = token.build();
        let answer = bed.bearer(&token).await;
        let kind = answer.kind().expect("refused");
        // R6750-3.1-7: the description is the fixed text of the kind.
        assert_eq!(answer.challenge().get("error_description"), Some(kind.description()));
        let text = answer.text();
        // R6750-3.1-7: no part of the token, whose key or claims it has.
        let mut parts = token.split('.').filter(|part| part.len() > 8);
        assert!(!parts.any(|part| text.contains(part)), "{flaw:?}");
        for secret in ["alice-subject", "client-x", "test-1", ISSUER] {
            assert!(!text.contains(secret), "{flaw:?}: {secret}");
        }
    }
}

#[tokio::test]
async fn where_tls_is_required_plain_requests_are_refused_before_anything_else() {
    let bed = Bed::with(Builder::require_https);
    let token = format!("Bearer {}", bed.token());
    let claims = [
        ("authorization", token.as_str()),
        ("x-forwarded-proto", "https"),
        ("forwarded", "proto=https"),
    ];
    for target in ["/r", "http://api.example.com/r"] {
        for lines in [&claims[..], &[("authorization", "Bearer a b")], &[]] {
            let mut request = get(lines);
            *request.uri_mut() = target.parse().expect("a target");
            let answer = send(bed.server.authenticate(), request).await;
            // R6750-5.2-1: whatever the token is, and whatever a header says.
            answer.assert_r400();
            assert_eq!(answer.kind(), Some(RejectionKind::InsecureTransport));
        }
    }
}

#[tokio::test]
async fn where_tls_is_required_protected_requests_pass() {
    let bed = Bed::with(Builder::require_https);
    let mut request = bearer(&bed.token());
    *request.uri_mut() = "https://api.example.com/r".parse().expect("a target");
    // R6750-5.2-1: the target says so, or the server does.
    send(bed.server.authenticate(), request).await.assert_ok();
    let mut request = bearer(&bed.token());
    request.extensions_mut().insert(SecureTransport::new());
    send(bed.server.authenticate(), request).await.assert_ok();
}

#[test]
fn only_loopback_does_without_tls() {
    let built = |resource: &str, change: fn(Builder) -> Builder| {
        change(TestIssuer::new(ISSUER).resource_server(resource)).build().is_ok()
    };
    // R6750-5.2-1: http is for loopback, and not where TLS is required.
    assert!(!built("http://api.example.com", |builder| builder));
    assert!(built("http://127.0.0.1:3000", |builder| builder));
    assert!(!built("http://127.0.0.1:3000", Builder::require_https));
}

#[tokio::test]
async fn tokens_in_cookies_are_ignored() {
    let bed = Bed::new();
    let token = bed.token();
    for cookie in [format!("access_token={token}"), format!("Authorization=Bearer {token}")] {
        let answer = send(bed.server.authenticate(), get(&[("cookie", &cookie)])).await;
        // R6750-5.3-1
        answer.assert_n401();
        assert_eq!(answer.kind(), Some(RejectionKind::MissingCredentials));
    }
}

/// The Bearer challenge of a vector, which lists several in one line.
fn of_bearer(challenges: &str) -> Option<Challenge> {
    let start = challenges.find("Bearer ")?;
    let text = &challenges[start..];
    Some(Challenge::parse(text.split(", DPoP ").next().unwrap_or(text)))
}

/// The answer to the situation that a vector describes.
async fn situation(status: u64, error: Option<&str>) -> Answer {
    let bed = Bed::new();
    let guard = bed.server.authenticate();
    let line = format!("Bearer {}", bed.token());
    let step_up = StepUp::acr(["urn:mfa"]).max_age(Duration::from_secs(300));
    match (status, error) {
        (401, None) => send(guard, get(&[])).await,
        (401, Some("invalid_token")) => {
            bed.bearer(&bed.issuer.token().flaw(Flaw::Expired).build()).await
        }
        (403, _) => send(guard.require(Scopes::all(["write"])), bearer(&bed.token())).await,
        (400, _) => send(guard, get(&[("authorization", &line), ("authorization", &line)])).await,
        _ => send(guard.require(step_up), bearer(&bed.token())).await,
    }
}

#[tokio::test]
async fn challenges_say_what_the_vectors_say() {
    let mut compared = 0;
    for vector in table("challenges") {
        let expected = of_bearer(vector["challenge"].as_str().expect("challenges"));
        let Some(expected) = expected else { continue };
        let status = vector["status"].as_u64().expect("a status");
        let answer = situation(status, expected.get("error")).await;
        assert_eq!(u64::from(answer.status.as_u16()), status);
        let challenge = answer.challenge();
        assert_eq!(challenge.get("error"), expected.get("error"));
        for (name, value) in &expected.params {
            let wording = name == "error_description";
            let found = challenge.get(name);
            assert!(found == Some(value) || wording && found.is_some(), "{name}: {found:?}");
        }
        compared += 1;
    }
    assert_eq!(compared, 5);
}

#[tokio::test]
async fn every_challenge_points_to_the_metadata() {
    for challenge in challenges(|builder| builder).await {
        assert_eq!(challenge.get("resource_metadata"), Some(METADATA));
    }
}

#[tokio::test]
async fn an_empty_authorization_field_is_no_credentials_even_for_an_optional_layer() {
    let bed = Bed::new();
    for line in ["", "Bearer", "bearer "] {
        // D-11
        let answer = send(bed.server.authenticate(), get(&[("authorization", line)])).await;
        answer.assert_n401();
        let optional = bed.server.authenticate().optional();
        let answer = send(optional, get(&[("authorization", line)])).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"anonymous"[..]));
    }
}

#[tokio::test]
async fn an_escaped_parameter_name_is_a_token_in_the_query_too() {
    let bed = Bed::with(|builder| builder.refuse_query_tokens());
    for query in ["access_token=x", "a=1&access%5Ftoken=x", "access_token"] {
        let mut request = bearer(&bed.token());
        *request.uri_mut() = format!("/r?{query}").parse().expect("a target");
        let answer = send(bed.server.authenticate(), request).await;
        assert_eq!(answer.kind(), Some(RejectionKind::TokenInQuery));
    }
}

#[tokio::test]
async fn the_servers_own_word_for_tls_counts_beside_an_http_target() {
    let bed = Bed::with(|builder| builder.require_https());
    let mut request = bearer(&bed.token());
    *request.uri_mut() = "http://api.example.com/r".parse().expect("a target");
    send(bed.server.authenticate(), request.clone()).await.assert_r400();
    request.extensions_mut().insert(SecureTransport::new());
    send(bed.server.authenticate(), request).await.assert_ok();
}
