//! Ready-made curl lines, each under a comment that says what it gives.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tower_resource_server::testing::{
    Endpoint, Flaw, ProofBuilder, SigningKey, TestAuthorizationServer, TokenBuilder,
};
use tower_resource_server::{Algorithm, NonceIssuer, SenderConstraint};

use super::issuer;
use super::start::Started;

/// A tour of the routes, with tokens and proofs made for it.
pub(crate) struct Tour<'a> {
    pub(crate) started: &'a Started,
    pub(crate) issuer: &'a TestAuthorizationServer,
    /// The key that tokens are bound to. Elsewhere only the client has it.
    key: SigningKey,
}

impl<'a> Tour<'a> {
    pub(crate) fn new(started: &'a Started, issuer: &'a TestAuthorizationServer) -> Self {
        Self { started, issuer, key: SigningKey::generate(Algorithm::ES256) }
    }

    pub(crate) fn print(&self) {
        self.begin();
        self.routes();
        self.refused_tokens();
        self.opaque_tokens();
        self.show("200: the metadata document", &self.metadata_path(), None);
        self.proofs();
        end();
    }

    /// In front of another server, whose answers are its own.
    pub(crate) fn print_gateway(&self, upstream: &str) {
        self.begin();
        let no_token = "401: no token, and the server behind is not asked";
        self.show(no_token, "/", None);
        let told = format!("What {upstream} answers to it, told who calls and not the token");
        self.show(&told, "/", Some(&self.token().scope("tools/read")));
        self.show("The same, without a check and without a name", "/public", None);
        self.show("200: the metadata document", &self.metadata_path(), None);
        if self.started.constraint != SenderConstraint::Bearer {
            self.client("/");
        }
        end();
    }

    pub(crate) fn begin(&self) {
        println!("\nThe tokens below are good for an hour. Try:");
        if self.started.constraint == SenderConstraint::Dpop {
            println!(
                "(This server wants a proof with each token. Proofs are good once, for 120 s.)"
            );
        }
    }

    fn routes(&self) {
        let read = self.token().scope("tools/read reports/read");
        let both = self.token().scope("admin audit");
        let mfa = self.token().claim("acr", "urn:example:mfa").claim("auth_time", now());
        let no_token = "401: no token, and a challenge that says where to get one";
        self.show(no_token, "/whoami", None);
        self.show("200: who the token speaks for", "/whoami", Some(&read));
        self.show("200: the scope tools/read is there", "/tools", Some(&read));
        self.show("403: insufficient_scope, and the scopes it takes", "/admin", Some(&read));
        self.show("200: both scopes are there", "/admin", Some(&both));
        self.show("200: reports/read or admin, either will do", "/reports/7", Some(&both));
        let inside = "403: insufficient_scope, the handler itself wants tools/delete";
        self.show(inside, "/handler-denied", Some(&read));
        let step_up = "401: insufficient_user_authentication, step up";
        self.show(step_up, "/payments", Some(&read));
        self.show("200: strong and recent authentication", "/payments", Some(&mfa));
        self.show("200: anonymous is fine here", "/optional", None);
        let nested = "200: the layer sits inside a nested router";
        self.show(nested, "/nested/whoami", Some(&read));
    }

    fn refused_tokens(&self) {
        let expired = self.token().flaw(Flaw::Expired);
        self.show("401: invalid_token, it expired an hour ago", "/whoami", Some(&expired));
        let other = self.token().flaw(Flaw::WrongAudience);
        self.show("401: invalid_token, meant for another resource", "/whoami", Some(&other));
    }

    /// Tokens that say nothing by themselves: the issuer is asked what they stand for (RFC 7662).
    fn opaque_tokens(&self) {
        let token = self.token().scope("tools/read");
        let token = match self.started.constraint {
            SenderConstraint::Dpop => token.bound_to(&self.key),
            _ => token,
        };
        let opaque = self.issuer.opaque(&token);
        let comment = "200: an opaque token, about which the issuer is asked";
        self.present(comment, "/tools", &token, |_| opaque.clone());
        let ((id, secret), url) = (issuer::CLIENT, self.issuer.url(Endpoint::Introspection));
        println!("\n# 200: what the issuer says of it, as it says it to this server");
        println!("curl -si {url} -u {id}:{secret} -d token={opaque}");
        let comment = "401: invalid_token, one that the issuer does not know";
        self.present(comment, "/tools", &token, |_| "never-issued".to_owned());
    }

    /// What a token is worth that is bound to a key (RFC 9449).
    fn proofs(&self) {
        println!("\nTokens bound to a key (DPoP): each proof is made for one request, and is good");
        println!("once, for 120 s from now.");
        let token = self.token().scope("tools/read").bound_to(&self.key).build();
        let bearer = format!("-H 'Authorization: Bearer {token}'");
        let with = |proof: ProofBuilder| {
            format!("-H 'Authorization: DPoP {token}' -H 'DPoP: {}'", proof.build())
        };
        let (fresh, other) = (self.proof("/tools", &token), self.proof("/whoami", &token));
        match self.started.constraint {
            SenderConstraint::Bearer => {
                self.line("401: DPoP is neither accepted nor offered here", "/tools", &with(fresh));
                self.line("401: invalid_token, it needs a proof", "/tools", &bearer);
                return;
            }
            SenderConstraint::Dpop => {
                self.line(
                    "401: without a proof it is as if there were no token",
                    "/tools",
                    &bearer,
                );
            }
            _ => self.line("401: invalid_token, it needs a proof", "/tools", &bearer),
        }
        if self.started.nonces.is_some() {
            let without = with(self.proof("/tools", &token).without_claim("nonce"));
            let comment = "401: use_dpop_nonce, and a nonce that the next proof has to carry";
            self.line(comment, "/tools", &without);
        }
        let fresh = with(fresh);
        self.line("200: the token, and a proof for this request", "/tools", &fresh);
        self.line("401: invalid_dpop_proof, the same once more", "/tools", &fresh);
        let comment = "401: invalid_dpop_proof, made for another path";
        self.line(comment, "/tools", &with(other));
        self.client("/whoami");
    }

    /// It names in its proofs what it calls, which has to be the public URL.
    fn client(&self, path: &str) {
        let way = if self.is_called_by_name() { "" } else { ", by way of the proxy" };
        println!("\nA client that makes its proofs itself{way}:\n");
        print!("cargo run --example dpop_client -- --url {}{path} ", self.started.public);
        println!("--token-endpoint {}", self.token_endpoint());
    }

    /// Whether clients that connect to the listener call the public URL by that.
    pub(crate) fn is_called_by_name(&self) -> bool {
        self.started.base == self.started.public
    }

    pub(crate) fn token_endpoint(&self) -> String {
        issuer::token_endpoint(&self.issuer.issuer())
    }

    /// The path of the identifier comes last (RFC 9728 §3.1).
    pub(crate) fn metadata_path(&self) -> String {
        let path = &self.started.resource[origin(&self.started.resource).len()..];
        format!("/.well-known/oauth-protected-resource{}", if path == "/" { "" } else { path })
    }

    pub(crate) fn token(&self) -> TokenBuilder {
        self.issuer.token().audience(&self.started.audience).expires_in(Duration::from_secs(3600))
    }

    /// A proof for GET. Where the server wants a nonce it has the one that a client would get by
    /// asking.
    fn proof(&self, path: &str, token: &str) -> ProofBuilder {
        let proof = self.key.proof("GET", &format!("{}{path}", self.started.public)).token(token);
        match &self.started.nonces {
            Some(nonces) => proof.nonce(nonces.issue(&self.started.resource, SystemTime::now())),
            None => proof,
        }
    }

    pub(crate) fn show(&self, comment: &str, path: &str, token: Option<&TokenBuilder>) {
        match token {
            Some(token) => self.present(comment, path, token, TokenBuilder::build),
            None => self.line(comment, path, ""),
        }
    }

    /// With a bound token and a proof where the server accepts nothing else.
    fn present(
        &self,
        comment: &str,
        path: &str,
        token: &TokenBuilder,
        make: impl Fn(&TokenBuilder) -> String,
    ) {
        let fields = match self.started.constraint {
            SenderConstraint::Dpop => {
                let token = make(&token.clone().bound_to(&self.key));
                let proof = self.proof(path, &token).build();
                format!("-H 'Authorization: DPoP {token}' -H 'DPoP: {proof}'")
            }
            _ => format!("-H 'Authorization: Bearer {}'", make(token)),
        };
        self.line(comment, path, &fields);
    }

    fn line(&self, comment: &str, path: &str, fields: &str) {
        let command = format!("curl -si {}{path} {fields}", self.started.base);
        println!("\n# {comment}\n{}", command.trim_end());
    }
}

pub(crate) fn end() {
    println!("\nControl-C stops the server.");
}

/// Scheme, host and port.
pub(crate) fn origin(uri: &str) -> &str {
    let start = uri.find("://").map_or(0, |at| at + 3);
    let end = uri[start..].find(['/', '?']).map_or(uri.len(), |at| start + at);
    &uri[..end]
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
