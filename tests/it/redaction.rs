//! Tokens and keys show nowhere: not in what types print, not in what refusals say.

use std::collections::HashSet;
use std::fmt::Debug;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use tower::Layer;
use tower_resource_server::fetch::{FetchErrorKind, TowerFetch};
use tower_resource_server::render::{Empty, Envelope, JsonRpc, OAuthJson, ProblemJson};
use tower_resource_server::testing::{Flaw, ScriptedFetch, TokenBuilder};
use tower_resource_server::{
    Builder, Credential, CredentialSource, Issuer, JwkSet, Predicate, RejectionKind, RequestHead,
    ResourceServer, Scopes, StepUp,
};

use crate::requirements::grant;
use crate::support::{Answer, Bed, ISSUER, RESOURCE, bearer, get, send};

/// A token whose every text is one of these, none of which may be seen again.
const SECRETS: [&str; 6] =
    ["sub-secret", "client-secret", "jti-secret", "kid-secret", "claim-secret", "scope-secret"];

fn marked(bed: &Bed) -> TokenBuilder {
    bed.issuer
        .token()
        .subject("sub-secret")
        .client_id("client-secret")
        .claim("jti", "jti-secret")
        .claim("x", "claim-secret")
        .scope("scope-secret")
}

fn secrets_of(token: &str) -> Vec<String> {
    let parts = token.split(['.', ' ', '"']).filter(|part| part.len() > 5);
    parts.map(str::to_owned).chain(SECRETS.map(str::to_owned)).collect()
}

#[track_caller]
fn assert_hides(shown: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!shown.contains(secret.as_str()), "{secret} in {shown}");
    }
}

/// Both ways to print.
fn debug(value: &impl Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

#[tokio::test]
async fn what_carries_a_token_does_not_print_it() {
    let bed = Bed::new();
    let token = marked(&bed).build();
    let secrets: Vec<_> =
        token.split('.').chain(["claim-secret", "jti-secret"]).map(str::to_owned).collect();
    let grant = grant(&bed.server, &token).await;
    assert_hides(&debug(&grant), &secrets);
    let rejection = grant.require(Scopes::all(["more"])).expect_err("not enough");
    assert_hides(&debug(&rejection), &secrets_of(&token));
    assert_hides(&rejection.to_string(), &secrets_of(&token));
    let error = grant.claims::<Vec<u8>>().expect_err("no array");
    assert_hides(&format!("{error:?}{error}"), &secrets_of(&token));
    let request = bearer(&token);
    assert_hides(&debug(&RequestHead::of(&request)), &secrets_of(&token));
}

#[test]
fn the_head_of_a_request_prints_no_query() {
    let mut request = get(&[("cookie", "session=abcdef")]);
    *request.uri_mut() = Uri::from_static("/path?access_token=secret");
    let shown = debug(&RequestHead::of(&request));
    assert!(shown.contains("/path"));
    assert!(!shown.contains("secret") && !shown.contains("abcdef"), "{shown}");
}

#[tokio::test]
async fn a_server_that_has_seen_a_token_does_not_print_it() {
    let bed = Bed::new();
    let token = marked(&bed).build();
    bed.bearer(&token).await.assert_ok();
    let authenticate = bed.server.authenticate();
    let require = bed.server.require(Scopes::all(["a"]));
    let shown = [
        debug(&bed.server),
        debug(&authenticate),
        debug(&authenticate.layer(Handled)),
        debug(&require),
        debug(&require.layer(Handled)),
        debug(&bed.server.metadata()),
        debug(&bed.server.metadata_layer()),
        debug(&bed.server.metadata_layer().layer(Handled)),
    ];
    for shown in shown {
        assert_hides(&shown, &secrets_of(&token));
        assert_hides(&shown, &key_material(&bed));
    }
}

#[derive(Clone, Debug)]
struct Handled;

/// The numbers that make the key, in the forms in which something might print them.
fn key_material(bed: &Bed) -> Vec<String> {
    let jwk = bed.issuer.key().public_jwk();
    let mut forms = Vec::new();
    for name in ["x", "y"] {
        let text = jwk[name].as_str().expect("a coordinate").to_owned();
        let bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
        let start = format!("{:?}", &bytes[..6]);
        forms.push(start.trim_end_matches(']').trim_start_matches('[').to_owned());
        forms.push(text);
    }
    forms
}

#[test]
fn what_holds_keys_does_not_print_them() {
    let bed = Bed::new();
    let issuer = bed.issuer.trusted();
    for shown in [
        debug(&bed.issuer),
        debug(bed.issuer.key()),
        debug(&bed.issuer.jwks()),
        debug(&issuer),
        debug(&bed.issuer.resource_server(RESOURCE)),
        debug(&bed.issuer.resource_server(RESOURCE).danger()),
        debug(&bed.issuer.token()),
    ] {
        let flat: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_hides(&flat, &key_material(&bed));
        assert!(!flat.contains("PRIVATE") && !flat.contains("\"d\""), "{flat}");
    }
}

#[test]
fn what_fetches_does_not_print_what_it_got() {
    let bed = Bed::new();
    let fetch = ScriptedFetch::new().always_json(bed.issuer.jwks_json());
    let tower = TowerFetch::new(Handled);
    for shown in [debug(&fetch), debug(&tower)] {
        assert_hides(&shown, &key_material(&bed));
    }
}

#[test]
fn errors_about_keys_do_not_quote_them() {
    let secret = r#"{"keys":[{"kty":"oct","k":"very-secret-bytes"}"#;
    let error = JwkSet::from_json(secret.as_bytes()).expect_err("not closed");
    assert!(!format!("{error}{error:?}").contains("very-secret"));
    let whole = JwkSet::from_json(format!("{secret}]}}").as_bytes()).expect("a key set");
    let built = ResourceServer::builder(RESOURCE).issuer(Issuer::jwks(ISSUER, whole)).build();
    let error = built.expect_err("no usable key");
    assert!(!format!("{error}{error:?}").contains("very-secret"));
}

/// A way to be refused: the settings, where it happens, and the request.
struct Way {
    kind: RejectionKind,
    change: fn(Builder) -> Builder,
    place: Place,
    request: Ask,
}

enum Place {
    Authenticate,
    Require(fn() -> tower_resource_server::Requirement),
    RequireAlone,
}

enum Ask {
    Flaw(Flaw),
    Token(fn(TokenBuilder) -> TokenBuilder),
    Lines(fn(&str) -> Vec<String>),
    Query,
}

const SAME: fn(Builder) -> Builder = |builder| builder;
const WHOLE: Ask = Ask::Token(|token| token);

fn by_token() -> Vec<Way> {
    use RejectionKind as Kind;
    let flaw = |kind, flaw| Way {
        kind,
        change: SAME,
        place: Place::Authenticate,
        request: Ask::Flaw(flaw),
    };
    let token = |kind, edit| Way {
        kind,
        change: SAME,
        place: Place::Authenticate,
        request: Ask::Token(edit),
    };
    vec![
        flaw(Kind::BadSignature, Flaw::BadSignature),
        flaw(Kind::ExpiredToken, Flaw::Expired),
        flaw(Kind::MalformedToken, Flaw::FourParts),
        flaw(Kind::TokenNotYetValid, Flaw::NotYetValid),
        flaw(Kind::UnacceptableAlgorithm, Flaw::AlgorithmNone),
        flaw(Kind::UnsupportedCritical, Flaw::UnknownCritical),
        flaw(Kind::UntrustedIssuer, Flaw::WrongIssuer),
        flaw(Kind::WrongAudience, Flaw::WrongAudience),
        flaw(Kind::WrongTokenType, Flaw::WrongType),
        token(Kind::UnknownKey, |token| token.header("kid", "kid-secret")),
        token(Kind::InvalidClaim, |token| token.claim("nbf", "claim-secret")),
        token(Kind::MissingClaim, |token| token.without_claim("iat")),
        token(Kind::UnsupportedConfirmation, |token| {
            token.claim("cnf", serde_json::json!({ "jkt": "claim-secret" }))
        }),
        token(Kind::TokenTooLarge, |token| token.claim("x", "claim-secret".repeat(2000))),
    ]
}

fn by_request() -> Vec<Way> {
    use RejectionKind as Kind;
    let lines = |kind, lines| Way {
        kind,
        change: SAME,
        place: Place::Authenticate,
        request: Ask::Lines(lines),
    };
    vec![
        lines(Kind::MalformedAuthorization, |token| vec![format!("Bearer {token} {token}")]),
        lines(Kind::MissingCredentials, |_| vec![]),
        lines(Kind::MultipleCredentials, |token| vec![format!("Bearer {token}"); 2]),
        lines(Kind::UnsupportedScheme, |token| vec![format!("Digest {token}")]),
        Way {
            kind: Kind::TokenInQuery,
            change: Builder::refuse_query_tokens,
            place: Place::Authenticate,
            request: Ask::Query,
        },
        Way {
            kind: Kind::InsecureTransport,
            change: Builder::require_https,
            place: Place::Authenticate,
            request: WHOLE,
        },
    ]
}

fn by_server() -> Vec<Way> {
    use RejectionKind as Kind;
    let require = |kind, requirement| Way {
        kind,
        change: SAME,
        place: Place::Require(requirement),
        request: WHOLE,
    };
    vec![
        require(Kind::InsufficientScope, || Scopes::all(["more"]).into()),
        require(Kind::InsufficientAuthentication, || StepUp::within(Duration::ZERO).into()),
        require(Kind::RequirementNotMet, || Predicate::new("Not today", |_| false).into()),
        require(Kind::InvalidRequirement, || Scopes::all(["a b"]).into()),
        Way {
            kind: Kind::MissingAuthentication,
            change: SAME,
            place: Place::RequireAlone,
            request: WHOLE,
        },
        Way {
            kind: Kind::KeysUnavailable,
            change: |_| {
                let fetch = ScriptedFetch::new().always_fail(FetchErrorKind::Transport);
                let issuer = Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks");
                let clock = tower_resource_server::testing::FixedClock::at(crate::support::NOW);
                ResourceServer::builder(RESOURCE).issuer(issuer).fetch(fetch).clock(clock)
            },
            place: Place::Authenticate,
            request: WHOLE,
        },
    ]
}

fn ways() -> Vec<Way> {
    by_token().into_iter().chain(by_request()).chain(by_server()).collect()
}

impl Way {
    fn request(&self, bed: &Bed) -> (Request<Full<Bytes>>, String) {
        let token = match &self.request {
            Ask::Flaw(flaw) => marked(bed).flaw(*flaw).build(),
            Ask::Token(edit) => edit(marked(bed)).build(),
            Ask::Lines(_) | Ask::Query => marked(bed).build(),
        };
        let request = match &self.request {
            Ask::Flaw(_) | Ask::Token(_) => bearer(&token),
            Ask::Lines(lines) => {
                let lines = lines(&token);
                let lines: Vec<_> =
                    lines.iter().map(|line| ("authorization", line.as_str())).collect();
                get(&lines)
            }
            Ask::Query => {
                let mut request = get(&[]);
                *request.uri_mut() = format!("/r?access_token={token}").parse().expect("a URI");
                request
            }
        };
        (request, token)
    }

    async fn refuse(&self, envelope: impl Envelope) -> (Answer, String) {
        let bed = Bed::with(|builder| (self.change)(builder).envelope(envelope));
        let (request, token) = self.request(&bed);
        let authenticate = bed.server.authenticate();
        let answer = match &self.place {
            Place::Authenticate => send(authenticate, request).await,
            Place::Require(requirement) => {
                send((authenticate, bed.server.require(requirement())), request).await
            }
            Place::RequireAlone => send(bed.server.require(Scopes::all(["a"])), request).await,
        };
        assert_eq!(answer.kind(), Some(self.kind));
        (answer, token)
    }
}

#[test]
fn there_is_a_way_to_every_kind() {
    let reached: HashSet<_> = ways().iter().map(|way| way.kind).collect();
    for kind in RejectionKind::ALL {
        assert!(reached.contains(kind), "{kind}");
    }
}

fn whole(answer: &Answer) -> String {
    let rejection = answer.rejection.as_ref().expect("a refusal");
    let body = String::from_utf8_lossy(&answer.body);
    format!("{:?}\n{body}\n{rejection}\n{rejection:?}", answer.headers)
}

async fn no_way_echoes(envelope: impl Envelope + Clone) {
    for way in ways() {
        let (answer, token) = way.refuse(envelope.clone()).await;
        assert!(!answer.handled);
        assert_hides(&whole(&answer), &secrets_of(&token));
    }
}

#[tokio::test]
async fn no_refusal_echoes_the_token_or_its_claims() {
    no_way_echoes(OAuthJson::default()).await;
    no_way_echoes(ProblemJson::default()).await;
    no_way_echoes(JsonRpc::default()).await;
    no_way_echoes(Empty::default()).await;
}

#[derive(Debug)]
struct FromCookie;

impl CredentialSource for FromCookie {
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<Option<Credential<'a>>, RejectionKind> {
        let cookie = head.headers().get("cookie").and_then(|value| value.to_str().ok());
        Ok(cookie.and_then(|cookie| cookie.strip_prefix("token=")).map(Credential::bearer))
    }
}

#[tokio::test]
async fn a_token_from_another_place_is_not_echoed_either() {
    let bed = Bed::with(|builder| builder.credential_source(FromCookie));
    let token = marked(&bed).flaw(Flaw::BadSignature).build();
    let answer =
        send(bed.server.authenticate(), get(&[("cookie", &format!("token={token}"))])).await;
    answer.assert_t401();
    assert_hides(&whole(&answer), &secrets_of(&token));
}
