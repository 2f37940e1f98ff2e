//! The authorization server: one key, tokens, and a loopback HTTP server for crates that fetch keys.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tower_resource_server::Algorithm;
use tower_resource_server::testing::{SigningKey, TestIssuer, TokenBuilder};

use crate::ISSUER;

/// Long enough for a whole run.
const LIFETIME: Duration = Duration::from_secs(3600);

/// An issuer with one key, which it also publishes.
#[derive(Debug)]
pub struct Authority {
    issuer: TestIssuer,
    base: String,
}

impl Authority {
    /// Generates a key of that algorithm and starts to serve it.
    ///
    /// # Panics
    ///
    /// If no port of the loopback interface is free.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm).with_kid("bench");
        let issuer = TestIssuer::with_key(ISSUER, key);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("it is bound"));
        let documents = Documents {
            keys: issuer.jwks_json().to_string(),
            metadata: metadata(&base).to_string(),
        };
        thread::spawn(move || {
            listener.incoming().flatten().for_each(|stream| documents.serve(&stream));
        });
        Self { issuer, base }
    }

    /// The issuer, as this crate's test kit has it.
    #[must_use]
    pub const fn issuer(&self) -> &TestIssuer {
        &self.issuer
    }

    /// A token that is valid for the whole run; change it before building it.
    pub fn token(&self) -> TokenBuilder {
        self.issuer.token().scope("read").expires_in(LIFETIME)
    }

    /// The algorithm of the key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.issuer.key().algorithm()
    }

    /// The published key.
    #[must_use]
    pub fn jwk(&self) -> Value {
        self.issuer.jwks_json()["keys"][0].clone()
    }

    /// The published key set.
    #[must_use]
    pub fn jwks(&self) -> String {
        self.issuer.jwks_json().to_string()
    }

    /// Where the key set is served.
    #[must_use]
    pub fn jwks_uri(&self) -> String {
        format!("{}/jwks", self.base)
    }

    /// Where the OpenID Connect discovery document is served.
    #[must_use]
    pub fn discovery_uri(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.base)
    }
}

/// The discovery document; the issuer is the one in the tokens.
fn metadata(base: &str) -> Value {
    json!({ "issuer": ISSUER, "jwks_uri": format!("{base}/jwks") })
}

/// What is served.
struct Documents {
    keys: String,
    metadata: String,
}

impl Documents {
    /// One answer to one request. A client that went away in between has no use for it.
    fn serve(&self, mut stream: &TcpStream) {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let first = lines.next().unwrap_or_default();
        lines.find(String::is_empty);
        let body = if first.contains("/jwks") { &self.keys } else { &self.metadata };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
        let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    }
}
