//! A client with a key of its own (DPoP, RFC 9449): it gets a token bound to the key, calls a
//! protected resource, and shows what copies of its requests are worth.
//!
//! `cargo run --example axum` prints the command line to run it with.

mod cli;
#[path = "../common/ending.rs"]
mod ending;
mod exchange;
mod proof;
mod token;
mod values;

use std::error::Error;
use std::process::ExitCode;

use bytes::Bytes;
use cli::Options;
use exchange::{Answer, Http};
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use proof::ProofKey;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match cli::options() {
        Ok(options) => options,
        Err(code) => return code,
    };
    match run(&options).await {
        Ok(()) => {
            println!("\nAll as it should be.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {}", error.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut client = Client { http: Http::new(), key: ProofKey::generate(), nonce: None };

    let Options { token_endpoint, scope, .. } = options;
    let token = token::bound(&client.http, &client.key, token_endpoint, scope).await?;

    println!("# The token, and a proof for this request");
    let mut proof = client.proof(&options.url, &token);
    let mut answer = client.call(&options.url, &token, &proof).await?;
    if answer.has_dpop_error("use_dpop_nonce") && client.nonce.is_some() {
        println!("\n# The server wants its nonce in the proof: once more, with a new proof");
        proof = client.proof(&options.url, &token);
        answer = client.call(&options.url, &token, &proof).await?;
    }
    expect(answer.status.is_success(), "the request was not accepted")?;
    println!("{}", String::from_utf8_lossy(&answer.body));

    println!("\n# The very same request again, as someone sends it who has copied it");
    let replayed = client.call(&options.url, &token, &proof).await?;
    expect(replayed.has_dpop_error("invalid_dpop_proof"), "a used proof was not refused as one")?;

    println!("\n# The token alone, as someone sends it who has stolen it");
    let stolen = client.call_as_bearer(&options.url, &token).await?;
    expect(stolen.status == StatusCode::UNAUTHORIZED, "a bound token did without a proof")
}

fn expect(as_expected: bool, otherwise: &str) -> Result<(), Box<dyn Error>> {
    if as_expected { Ok(()) } else { Err(otherwise.into()) }
}

struct Client {
    http: Http,
    key: ProofKey,
    /// The newest that the resource server gave. Each server has nonces of its own (RFC 9449 §9).
    nonce: Option<String>,
}

impl Client {
    fn proof(&self, uri: &str, token: &str) -> String {
        let nonce = self.nonce.as_deref();
        self.key.proof(&proof::Request { method: "GET", uri, token: Some(token), nonce })
    }

    async fn call(
        &mut self,
        uri: &str,
        token: &str,
        proof: &str,
    ) -> Result<Answer, Box<dyn Error>> {
        let request = get(uri, format!("DPoP {token}")).header("dpop", proof);
        let answer = self.http.send(request.body(Full::default())?).await?;
        if let Some(nonce) = answer.nonce() {
            self.nonce = Some(nonce);
        }
        Ok(answer)
    }

    async fn call_as_bearer(&self, uri: &str, token: &str) -> Result<Answer, Box<dyn Error>> {
        let request = get(uri, format!("Bearer {token}"));
        self.http.send(request.body(Full::<Bytes>::default())?).await
    }
}

fn get(uri: &str, authorization: String) -> http::request::Builder {
    Request::builder().method(Method::GET).uri(uri).header(header::AUTHORIZATION, authorization)
}
