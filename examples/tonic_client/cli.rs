//! The command line of the client.

use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::call::Call;
use crate::{ending, values};

const USAGE: &str = "tonic_client --url URL [flags] METHOD [VALUE]...

Methods:
  Public, Whoami, Greet, ListTools, WatchTools, Admin, Payments, HandlerDenied, Forgotten
  AddTool NAME, AddTools NAME..., GetReport ID

Flags:
  --url URL                where the server is
  --token TOKEN            the access token to send, as a Bearer token
  --dpop                   get a token bound to a key, and make proofs with it
  --token-endpoint URL     where to get that token
  --scope SCOPE            the scopes to ask for (default tools/read)
  --help                   print this";

pub(crate) struct Options {
    pub(crate) url: String,
    pub(crate) present: Present,
    pub(crate) call: Call,
}

pub(crate) enum Present {
    Nothing,
    Token(String),
    Proofs { token_endpoint: String, scope: String },
}

/// The options; or how to end, after a line that says why.
pub(crate) fn options() -> Result<Options, ExitCode> {
    ending::unless_parsed(parse(lexopt::Parser::from_env()), USAGE)
}

#[derive(Default)]
struct Given {
    url: Option<String>,
    token: Option<String>,
    dpop: bool,
    token_endpoint: Option<String>,
    scope: Option<String>,
    words: Vec<String>,
}

fn parse(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let mut given = Given::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("url") => given.url = Some(parser.value()?.parse_with(values::plain_http)?),
            Long("token") => given.token = Some(parser.value()?.string()?),
            Long("dpop") => given.dpop = true,
            Long("token-endpoint") => {
                given.token_endpoint = Some(parser.value()?.parse_with(values::plain_http)?);
            }
            Long("scope") => given.scope = Some(parser.value()?.parse_with(values::scopes)?),
            Long("help") | Short('h') => return Ok(None),
            Value(word) => given.words.push(word.string()?),
            Long(_) | Short(_) => return Err(argument.unexpected()),
        }
    }
    given.complete().map(Some).map_err(lexopt::Error::from)
}

impl Given {
    fn complete(self) -> Result<Options, String> {
        let url = self.url.ok_or("--url is missing: where the server is")?;
        let mut words = self.words.into_iter();
        let method = words.next().ok_or("a method is missing: what to call")?;
        let call = Call::new(&method, words.collect())?;
        let present = match (self.token, self.dpop, self.token_endpoint) {
            (Some(_), true, _) => return Err("--token and --dpop exclude each other".to_owned()),
            (None, true, None) => {
                return Err("--dpop needs --token-endpoint, where tokens are".to_owned());
            }
            (None, true, Some(token_endpoint)) => {
                let scope = self.scope.unwrap_or_else(|| "tools/read".to_owned());
                Present::Proofs { token_endpoint, scope }
            }
            (_, false, Some(_)) => return Err("--token-endpoint needs --dpop".to_owned()),
            (_, false, None) if self.scope.is_some() => {
                return Err("--scope needs --dpop".to_owned());
            }
            (Some(token), false, None) => Present::Token(token),
            (None, false, None) => Present::Nothing,
        };
        Ok(Options { url, present, call })
    }
}
