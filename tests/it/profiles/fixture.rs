//! Tokens in the shape of real servers: see `tests/fixtures/README.md`.

use serde_json::{Value, json};
use tower_resource_server::testing::{FixedClock, SigningKey, TestIssuer};
use tower_resource_server::{
    Algorithm, Builder, ClaimMapper, Issuer, JwkSet, Profile, ResourceServer,
};

use crate::support::{NOW, RESOURCE, key};

/// The tokens of one authorization server, and the preset for it.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) profile: Profile,
    content: Value,
}

macro_rules! fixtures {
    ($($name:literal => $profile:ident),* $(,)?) => {
        [$(Fixture {
            name: $name,
            profile: Profile::$profile,
            content: serde_json::from_str(include_str!(concat!("../../fixtures/", $name, ".json")))
                .expect("a fixture is JSON"),
        }),*]
    };
}

pub(crate) fn fixtures() -> [Fixture; 9] {
    fixtures! {
        "auth0" => Auth0,
        "cognito" => Cognito,
        "entra-v1" => Entra,
        "entra-v2" => Entra,
        "google" => Google,
        "hydra" => Hydra,
        "keycloak" => Keycloak,
        "okta" => Okta,
        "zitadel" => Zitadel,
    }
}

impl Fixture {
    pub(crate) fn named(name: &str) -> Self {
        fixtures().into_iter().find(|fixture| fixture.name == name).expect(name)
    }

    pub(crate) fn identifier(&self) -> &str {
        self.content["issuer"].as_str().expect("an issuer")
    }

    /// What an API there is configured with: the URI, and the names.
    pub(crate) fn audience(&self) -> &str {
        let names = || self.content["audience_names"][0].as_str();
        self.content["audience"].as_str().or_else(names).expect("an audience")
    }

    /// The issuer with its keys and nothing else.
    pub(crate) fn keys(&self) -> Issuer {
        let kids = self.kids();
        let pairs = kids.iter().flat_map(|kid| [rsa(kid), quick(kid)]);
        let keys: Vec<_> = pairs.map(|key| self.published(&key)).collect();
        let set = json!({ "keys": keys }).to_string();
        Issuer::jwks(self.identifier(), JwkSet::from_json(set.as_bytes()).expect("a key set"))
    }

    /// The issuer as the guide configures it.
    pub(crate) fn issuer(&self, profile: impl Into<ClaimMapper>) -> Issuer {
        let mut issuer = self.keys().profile(profile);
        if let Some(uri) = self.content["audience"].as_str() {
            issuer = issuer.audience(uri);
        }
        for name in self.content["audience_names"].as_array().into_iter().flatten() {
            issuer = issuer.audience_name(name.as_str().expect("a name"));
        }
        issuer
    }

    /// A server with the preset.
    pub(crate) fn server(&self) -> ResourceServer {
        self.server_of(self.profile)
    }

    pub(crate) fn server_of(&self, profile: impl Into<ClaimMapper>) -> ResourceServer {
        builder().issuer(self.issuer(profile)).build().expect("a valid configuration")
    }

    /// The tokens that the preset accepts.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = Token<'_>> {
        self.tokens().filter(|token| token.is_accepted())
    }

    /// The first of them.
    pub(crate) fn access(&self) -> Token<'_> {
        self.accepted().next().expect("an access token")
    }

    /// Those that it refuses.
    pub(crate) fn refused(&self) -> impl Iterator<Item = Token<'_>> {
        self.tokens().filter(|token| !token.is_accepted())
    }

    pub(crate) fn token(&self, name: &str) -> Token<'_> {
        self.tokens().find(|token| token.name == name).expect(name)
    }

    fn tokens(&self) -> impl Iterator<Item = Token<'_>> {
        let tokens = self.content["tokens"].as_object().expect("tokens");
        tokens.iter().map(|(name, token)| Token {
            name,
            header: token["header"].clone(),
            payload: token["payload"].clone(),
            verdict: token,
            changed: false,
        })
    }

    fn kids(&self) -> std::collections::BTreeSet<String> {
        let kid = |token: Token<'_>| token.header["kid"].as_str().expect("a kid").to_owned();
        self.tokens().map(kid).collect()
    }

    /// The JWK as the server publishes it; Entra's do not name their algorithm.
    fn published(&self, key: &SigningKey) -> Value {
        let mut jwk = key.public_jwk();
        if self.profile == Profile::Entra {
            jwk.as_object_mut().expect("a JWK").remove("alg");
        }
        jwk
    }
}

fn rsa(kid: &str) -> SigningKey {
    key(Algorithm::RS256, kid)
}

/// The key of tokens that differ from the fixture: an RSA signature takes too long for so many.
fn quick(kid: &str) -> SigningKey {
    SigningKey::from_p256(&[7; 32]).with_kid(kid)
}

/// A builder at the time of the fixtures.
pub(crate) fn builder() -> Builder {
    ResourceServer::builder(RESOURCE).clock(FixedClock::at(NOW))
}

/// A token before it is signed.
#[derive(Clone)]
pub(crate) struct Token<'f> {
    pub(crate) name: &'f str,
    pub(crate) header: Value,
    pub(crate) payload: Value,
    verdict: &'f Value,
    changed: bool,
}

impl Token<'_> {
    fn is_accepted(&self) -> bool {
        self.verdict.get("grant").is_some()
    }

    /// What the grant must say.
    pub(crate) fn grant(&self) -> &Value {
        &self.verdict["grant"]
    }

    /// The kind of the refusal.
    pub(crate) fn kind(&self) -> &str {
        self.verdict["refused"].as_str().expect("a kind")
    }

    /// Whether RFC 9068 accepts it as well.
    pub(crate) fn conforms(&self) -> bool {
        self.verdict["conforms"] == true
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.changed = true;
        self.header[name] = value.into();
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.changed = true;
        self.header.as_object_mut().expect("a header").remove(name);
        self
    }

    pub(crate) fn with(mut self, claim: &str, value: impl Into<Value>) -> Self {
        self.changed = true;
        self.payload[claim] = value.into();
        self
    }

    pub(crate) fn without(mut self, claim: &str) -> Self {
        self.changed = true;
        self.payload.as_object_mut().expect("claims").remove(claim);
        self
    }

    pub(crate) fn has(&self, claim: &str) -> bool {
        self.payload.get(claim).is_some()
    }

    /// The token as it is sent. Under another algorithm than the server's own if something about
    /// it was changed.
    pub(crate) fn sign(&self) -> String {
        let kid = self.header["kid"].as_str().expect("a kid");
        let mut header = self.header.clone();
        let key = if self.changed {
            header["alg"] = Algorithm::ES256.name().into();
            quick(kid)
        } else {
            rsa(kid)
        };
        let token = TestIssuer::with_key("", key).token().raw_header(header.to_string());
        token.raw_payload(self.payload.to_string()).build()
    }
}
