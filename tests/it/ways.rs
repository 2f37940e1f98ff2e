//! A way to every kind of refusal, by requests full of texts that must not be seen again.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde_json::json;
use tower::util::MapRequestLayer;
use tower_resource_server::fetch::FetchErrorKind;
use tower_resource_server::mcp::{Mcp, Revision, Tools};
use tower_resource_server::render::Envelope;
use tower_resource_server::testing::{
    FixedClock, Flaw, ProofBuilder, ProofFlaw, ScriptedFetch, SigningKey, TestCertificate,
    TokenBuilder,
};
use tower_resource_server::{
    Algorithm, AllowedIssuers, AuthorizationDetails, Builder, Claim, ClientAuthentication, Dpop,
    Introspection, Issuer, IssuerResolver, MemoryReplayStore, Methods, PeerAddress, Predicate,
    ProofUse, RejectionKind as Kind, ReplayStore, ReplayStoreError, Requirement, ResolveError,
    ResolveFuture, ResourceServer, Revocation, RevocationCheck, RevocationResult,
    RevocationUnavailable, Scopes, SealedNonces, StepUp, TokenFacts, TokenStatus,
};

use crate::dpop::Client;
use crate::support::{Answer, Bed, ISSUER, NOW, RESOURCE, Silent, bearer, get, send};

/// Every text of the tokens and proofs is one of these, none of which may be seen again.
pub(crate) const SECRETS: [&str; 9] = [
    "sub-secret",
    "client-secret",
    "jti-secret",
    "kid-secret",
    "claim-secret",
    "scope-secret",
    "proof-secret",
    "nonce-secret",
    "certificate-secret",
];

pub(crate) fn marked(bed: &Bed) -> TokenBuilder {
    with_marks(bed.issuer.token())
}

fn with_marks(token: TokenBuilder) -> TokenBuilder {
    token
        .subject("sub-secret")
        .client_id("client-secret")
        .claim("jti", "jti-secret")
        .claim("x", "claim-secret")
        .claim("authorization_details", json!([{ "type": "claim-secret" }]))
        .scope("scope-secret")
}

/// A way to be refused: the settings, where it happens, and the request.
pub(crate) struct Way {
    pub(crate) kind: Kind,
    change: fn(Builder) -> Builder,
    place: Place,
    request: Ask,
}

enum Place {
    Authenticate,
    /// For the second time.
    Again,
    /// After another request of the same client.
    AfterAnother,
    Require(fn() -> Requirement),
    RequireAlone,
    /// Behind a table of methods without any.
    Unlisted,
    /// In the layer of an MCP server.
    Mcp,
    /// Around the tools of an MCP server.
    Tools,
    /// The same, with a body of which nothing comes.
    SilentTools,
}

type EditToken = fn(TokenBuilder) -> TokenBuilder;
type EditProof = fn(ProofBuilder) -> ProofBuilder;

enum Ask {
    Flaw(Flaw),
    Token(EditToken),
    Lines(fn(&str) -> Vec<String>),
    Query,
    /// A token bound to a certificate, by a proxy that forwards that.
    Forwarded(Option<&'static str>),
    /// A bound token and a proof.
    Proof(EditToken, EditProof),
    /// A bound token, and that many copies of its proof.
    Proofs(usize),
    /// A token, and these lines.
    Beside(&'static [(&'static str, &'static str)]),
    /// A message to an MCP server, with these lines.
    Message(&'static str, &'static [(&'static str, &'static str)]),
}

/// What a request carried.
pub(crate) struct Sent {
    pub(crate) token: String,
    pub(crate) proof: Option<String>,
    /// A sound request of the same client.
    another: Option<Request<Full<Bytes>>>,
}

const WHOLE: Ask = Ask::Token(|token| token);
const SOUND: Ask = Ask::Proof(|token| token, |proof| proof);

fn way(kind: Kind, request: Ask) -> Way {
    Way { kind, change: |builder| builder, place: Place::Authenticate, request }
}

pub(crate) fn ways() -> Vec<Way> {
    let tokens = by_token().into_iter().chain(by_request()).chain(by_server());
    let tokens = tokens.chain(by_proof()).chain(by_possession());
    let tokens = tokens.chain(by_certificate()).chain(by_others()).chain(by_answer());
    tokens.chain(by_transport()).chain(by_message()).collect()
}

/// In the message everything is a secret.
fn by_message() -> Vec<Way> {
    const CALL: &str = r#"{"jsonrpc":"2.0","id":"jti-secret","method":"tools/call","params":{"name":"claim-secret"}}"#;
    const LONG: &str = r#"["claim-secret claim-secret claim-secret claim-secret claim-secret claim-secret claim-secret"]"#;
    let of =
        |kind, body, lines| Way { place: Place::Tools, ..way(kind, Ask::Message(body, lines)) };
    let fields = &[("mcp-protocol-version", "2026-07-28"), ("mcp-method", "scope-secret")];
    vec![
        of(Kind::HeaderMismatch, CALL, fields),
        of(Kind::InvalidMessage, r#"{"claim-secret":"claim-secret"}"#, &[]),
        of(Kind::MalformedMessage, "claim-secret", &[]),
        of(Kind::MessageTooLarge, LONG, &[]),
        of(Kind::UnlistedTool, CALL, &[]),
        of(Kind::UnsupportedMediaType, CALL, &[("content-encoding", "scope-secret")]),
        Way { place: Place::SilentTools, ..way(Kind::MessageTimeout, Ask::Message(CALL, &[])) },
    ]
}

fn tools() -> Tools {
    Tools::new().any_token("open").limit(92).read_timeout(Duration::from_nanos(1))
}

fn by_token() -> Vec<Way> {
    let flaw = |kind, flaw| way(kind, Ask::Flaw(flaw));
    let token = |kind, edit| way(kind, Ask::Token(edit));
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
        token(Kind::InvalidClaim, |token| token.claim("cnf", json!({ "jkt": "claim-secret" }))),
        token(Kind::MissingClaim, |token| token.without_claim("iat")),
        token(Kind::UnsupportedConfirmation, |token| {
            token.claim("cnf", json!({ "kid": "claim-secret" }))
        }),
        token(Kind::BoundTokenAsBearer, |token| {
            token.bound_to(&SigningKey::generate(Algorithm::ES256))
        }),
        token(Kind::TokenTooLarge, |token| token.claim("x", "claim-secret".repeat(2000))),
    ]
}

/// Where somebody else has a say.
fn by_others() -> Vec<Way> {
    #[derive(Debug)]
    struct Says(RevocationResult);
    impl Revocation for Says {
        fn check(&self, _: &TokenFacts<'_>) -> RevocationCheck {
            RevocationCheck::Done(self.0)
        }
    }
    #[derive(Debug)]
    struct Away;
    impl IssuerResolver for Away {
        fn resolve<'a>(&'a self, _: &'a str) -> ResolveFuture<'a> {
            Box::pin(async { Err(ResolveError::new("no database")) })
        }
    }
    vec![
        Way {
            change: |builder| builder.revocation(Says(Ok(TokenStatus::Revoked))),
            ..way(Kind::RevokedToken, WHOLE)
        },
        Way {
            change: |builder| builder.revocation(Says(Err(RevocationUnavailable::default()))),
            ..way(Kind::RevocationUnavailable, WHOLE)
        },
        Way {
            change: |builder| {
                builder.resolve_issuers(AllowedIssuers::below("https://as.example.com/"), Away)
            },
            ..way(
                Kind::IssuerUnavailable,
                Ask::Token(|token| token.claim("iss", "https://as.example.com/realm")),
            )
        },
    ]
}

/// What the issuer says of a token, when it is asked.
fn by_answer() -> Vec<Way> {
    let asked = |kind, change| Way { change, ..way(kind, WHOLE) };
    vec![
        asked(Kind::InactiveToken, |_| {
            asking(ScriptedFetch::new().always_json(json!({ "active": false })))
        }),
        asked(Kind::IntrospectionUnavailable, |_| asking(ScriptedFetch::new())),
        asked(Kind::IntrospectionUnavailable, |_| {
            asking(ScriptedFetch::new().always_json(json!({ "active": "claim-secret" })))
        }),
    ]
}

fn asking(fetch: ScriptedFetch) -> Builder {
    let credentials = ClientAuthentication::client_secret_basic("api", "s3cr3t");
    let introspection = Introspection::at("https://as.example.com/introspect", credentials);
    let issuer = Issuer::introspection(ISSUER, introspection);
    ResourceServer::builder(RESOURCE).issuer(issuer).fetch(fetch).clock(FixedClock::at(NOW))
}

fn by_request() -> Vec<Way> {
    let lines = |kind, lines| way(kind, Ask::Lines(lines));
    vec![
        lines(Kind::MalformedAuthorization, |token| vec![format!("Bearer {token} {token}")]),
        lines(Kind::MissingCredentials, |_| vec![]),
        lines(Kind::MultipleCredentials, |token| vec![format!("Bearer {token}"); 2]),
        lines(Kind::UnsupportedScheme, |token| vec![format!("Digest {token}")]),
        Way { change: Builder::refuse_query_tokens, ..way(Kind::TokenInQuery, Ask::Query) },
        Way { change: Builder::require_https, ..way(Kind::InsecureTransport, WHOLE) },
    ]
}

fn by_server() -> Vec<Way> {
    let require =
        |kind, requirement| Way { place: Place::Require(requirement), ..way(kind, WHOLE) };
    vec![
        require(Kind::InsufficientScope, || Scopes::all(["more"]).into()),
        require(Kind::InsufficientAuthorizationDetails, || {
            AuthorizationDetails::of_type("more").into()
        }),
        require(Kind::InsufficientAuthentication, || StepUp::within(Duration::ZERO).into()),
        require(Kind::RequirementNotMet, || Predicate::new("Not today", |_| false).into()),
        Way { place: Place::Unlisted, ..way(Kind::UnlistedMethod, WHOLE) },
        require(Kind::InvalidRequirement, || Scopes::all(["a b"]).into()),
        Way { place: Place::RequireAlone, ..way(Kind::MissingAuthentication, WHOLE) },
        Way { change: without_keys, ..way(Kind::KeysUnavailable, WHOLE) },
    ]
}

fn without_keys(_: Builder) -> Builder {
    let fetch = ScriptedFetch::new().always_fail(FetchErrorKind::Transport);
    let issuer = Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks");
    ResourceServer::builder(RESOURCE).issuer(issuer).fetch(fetch).clock(FixedClock::at(NOW))
}

fn by_proof() -> Vec<Way> {
    let flaw = |kind, edit: EditProof| way(kind, Ask::Proof(|token| token, edit));
    vec![
        flaw(Kind::BadProofSignature, |proof| proof.flaw(ProofFlaw::BadSignature)),
        flaw(Kind::ExpiredProof, |proof| proof.flaw(ProofFlaw::IatOld)),
        flaw(Kind::InvalidProofClaim, |proof| proof.claim("htm", json!(["proof-secret"]))),
        flaw(Kind::MalformedProof, |proof| proof.flaw(ProofFlaw::FourParts)),
        flaw(Kind::MissingProofClaim, |proof| proof.without_claim("ath")),
        flaw(Kind::ProofMethodMismatch, |proof| proof.claim("htm", "proof-secret")),
        flaw(Kind::ProofNotYetValid, |proof| proof.flaw(ProofFlaw::IatAhead)),
        flaw(Kind::ProofTokenMismatch, |proof| proof.claim("ath", "proof-secret")),
        flaw(Kind::ProofTooLarge, |proof| proof.claim("x", "proof-secret".repeat(1000))),
        flaw(Kind::ProofUriMismatch, |proof| proof.claim("htu", "https://proof-secret/r")),
        flaw(Kind::UnacceptableProofAlgorithm, |proof| proof.header("alg", "proof-secret")),
        flaw(Kind::UnsupportedProofCritical, |proof| proof.header("crit", ["proof-secret"])),
        flaw(Kind::UnusableProofKey, |proof| proof.flaw(ProofFlaw::KeyPrivate)),
        flaw(Kind::UnusableProofKey, |proof| proof.flaw(ProofFlaw::KeySymmetric)),
        flaw(Kind::WrongProofType, |proof| proof.header("typ", "proof-secret")),
        Way {
            change: with_nonces,
            ..flaw(Kind::InvalidProofNonce, |proof| proof.nonce("nonce-secret"))
        },
        Way { change: with_nonces, ..flaw(Kind::MissingProofNonce, |proof| proof) },
    ]
}

fn with_nonces(builder: Builder) -> Builder {
    builder.dpop(Dpop::new().nonces(SealedNonces::random()))
}

/// What is wrong is not the proof by itself.
fn by_possession() -> Vec<Way> {
    vec![
        way(Kind::MissingProof, Ask::Proofs(0)),
        way(Kind::MultipleProofs, Ask::Proofs(2)),
        way(Kind::ProofKeyMismatch, Ask::Proof(|token| token, by_a_stranger)),
        way(Kind::UnboundToken, Ask::Proof(|token| token.without_claim("cnf"), |proof| proof)),
        Way { place: Place::Again, ..way(Kind::ReplayedProof, SOUND) },
        Way { change: full, place: Place::AfterAnother, ..way(Kind::ReplayStoreFull, SOUND) },
        Way { change: down, ..way(Kind::ReplayStoreUnavailable, SOUND) },
    ]
}

fn by_certificate() -> Vec<Way> {
    let forwarded = |kind, value| Way { change: behind_proxy, ..way(kind, Ask::Forwarded(value)) };
    vec![
        forwarded(Kind::CertificateMismatch, Some(":MAA=:")),
        forwarded(Kind::MalformedCertificate, Some("certificate-secret")),
        forwarded(Kind::MissingCertificate, None),
    ]
}

/// The rules of MCP's transport; every value of a field is a secret here.
fn by_transport() -> Vec<Way> {
    const VERSION: &str = "mcp-protocol-version";
    let of = |kind, mcp: fn(Builder) -> Builder, lines| Way {
        change: mcp,
        place: Place::Mcp,
        ..way(kind, Ask::Beside(lines))
    };
    let mcp: fn(Builder) -> Builder = |builder| builder.mcp(Mcp::new());
    vec![
        of(Kind::InvalidOrigin, mcp, &[("origin", "https://claim-secret.example")]),
        of(Kind::MalformedProtocolVersion, mcp, &[(VERSION, "claim-secret claim-secret")]),
        of(Kind::MethodNotAllowed, mcp, &[(VERSION, "2026-07-28")]),
        of(
            Kind::MissingProtocolVersion,
            |builder| builder.mcp(Mcp::new().revisions([Revision::V2026_07_28])),
            &[],
        ),
        of(Kind::MissingSession, |builder| builder.mcp(Mcp::new().require_sessions()), &[]),
        of(Kind::UnknownSession, mcp, &[("mcp-session-id", "claim-secret")]),
        // The name of the version is sent back.
        of(Kind::UnsupportedProtocolVersion, mcp, &[(VERSION, "1999-12-31")]),
    ]
}

const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const PROXY: [u8; 4] = [192, 0, 2, 10];

fn behind_proxy(builder: Builder) -> Builder {
    builder.client_cert_field([PROXY.map(|part| part.to_string()).join(".")])
}

/// Sound, by a key that the token is not bound to.
fn by_a_stranger(proof: ProofBuilder) -> ProofBuilder {
    let stranger = SigningKey::generate(Algorithm::ES256);
    proof.header("jwk", stranger.bare_jwk()).signed_with(&stranger)
}

/// With room for one record of each client.
fn full(builder: Builder) -> Builder {
    let tiny = MemoryReplayStore::with_capacity_bytes(4096).client_share(0.0);
    builder.dpop(Dpop::new().replay_store(tiny))
}

fn down(builder: Builder) -> Builder {
    builder.dpop(Dpop::new().replay_store(Down))
}

/// A store that cannot be reached.
#[derive(Debug)]
struct Down;

impl ReplayStore for Down {
    fn claim(&self, _: &ProofUse) -> Claim {
        Claim::Done(Err(ReplayStoreError::Unavailable))
    }
}

impl Way {
    fn request(&self, bed: &Bed) -> (Request<Full<Bytes>>, Sent) {
        match &self.request {
            Ask::Proof(edit, spoil) => {
                let client = Client::with(bed, |token| edit(with_marks(token)));
                let proof = spoil(client.proof().claim("jti", "proof-secret")).build();
                let authorization = format!("DPoP {}", client.token);
                let request = get(&[("authorization", &authorization), ("dpop", &proof)]);
                let another = Some(client.request());
                (request, Sent { token: client.token, proof: Some(proof), another })
            }
            Ask::Proofs(copies) => {
                let client = Client::with(bed, with_marks);
                let proof = client.proof().claim("jti", "proof-secret").build();
                let authorization = format!("DPoP {}", client.token);
                let mut lines = vec![("authorization", authorization.as_str())];
                lines.extend(vec![("dpop", proof.as_str()); *copies]);
                (get(&lines), Sent { token: client.token, proof: Some(proof), another: None })
            }
            _ => self.bearer_request(bed),
        }
    }

    fn bearer_request(&self, bed: &Bed) -> (Request<Full<Bytes>>, Sent) {
        let token = match &self.request {
            Ask::Flaw(flaw) => marked(bed).flaw(*flaw).build(),
            Ask::Token(edit) => edit(marked(bed)).build(),
            Ask::Forwarded(_) => {
                marked(bed).bound_to_certificate(TestCertificate::random().client()).build()
            }
            _ => marked(bed).build(),
        };
        let request = match &self.request {
            Ask::Lines(lines) => {
                let lines = lines(&token);
                let lines: Vec<_> =
                    lines.iter().map(|line| ("authorization", line.as_str())).collect();
                get(&lines)
            }
            Ask::Forwarded(value) => {
                let mut request = bearer(&token);
                request.extensions_mut().insert(PeerAddress::new(PROXY.into()));
                let value = value.map(HeaderValue::from_static);
                request.headers_mut().extend(value.map(|value| (CLIENT_CERT, value)));
                request
            }
            Ask::Beside(lines) => {
                let authorization = format!("Bearer {token}");
                let own = [("authorization", authorization.as_str())];
                get(&[&own, *lines].concat())
            }
            Ask::Message(body, lines) => {
                let mut request = Request::post("/mcp").header("content-type", "application/json");
                request = request.header("authorization", format!("Bearer {token}"));
                for (name, value) in *lines {
                    request = request.header(*name, *value);
                }
                request.body(Full::from(*body)).expect("a request")
            }
            Ask::Query => {
                let mut request = get(&[]);
                *request.uri_mut() = format!("/r?access_token={token}").parse().expect("a URI");
                request
            }
            _ => bearer(&token),
        };
        (request, Sent { token, proof: None, another: None })
    }

    /// The answer, which is a refusal of that kind, and what it was the answer to.
    pub(crate) async fn refuse(&self, envelope: impl Envelope) -> (Answer, Sent) {
        self.refuse_edited(envelope, |request| request).await
    }

    /// The same for a request that is edited first.
    pub(crate) async fn refuse_edited(
        &self,
        envelope: impl Envelope,
        edit: impl Fn(Request<Full<Bytes>>) -> Request<Full<Bytes>>,
    ) -> (Answer, Sent) {
        let bed = Bed::with(|builder| (self.change)(builder).envelope(envelope));
        let (request, mut sent) = self.request(&bed);
        let request = edit(request);
        let authenticate = bed.server.authenticate();
        let answer = match &self.place {
            Place::Authenticate => send(authenticate, request).await,
            Place::Again => {
                send(authenticate.clone(), request.clone()).await.assert_ok();
                send(authenticate, request).await
            }
            Place::AfterAnother => {
                let another = sent.another.take().expect("a client with a proof");
                send(authenticate.clone(), another).await.assert_ok();
                send(authenticate, request).await
            }
            Place::Require(requirement) => {
                send((authenticate, bed.server.require(requirement())), request).await
            }
            Place::Unlisted => {
                send((authenticate, bed.server.require_methods(Methods::new())), request).await
            }
            Place::Mcp => send(bed.server.mcp(), request).await,
            Place::Tools => send((authenticate, bed.server.require_tools(tools())), request).await,
            Place::SilentTools => {
                let silenced =
                    MapRequestLayer::new(|request: Request<Full<Bytes>>| request.map(|_| Silent));
                let tools = bed.server.require_tools(tools());
                send((authenticate, silenced, tools), request).await
            }
            Place::RequireAlone => send(bed.server.require(Scopes::all(["a"])), request).await,
        };
        assert_eq!(answer.kind(), Some(self.kind));
        (answer, sent)
    }
}
