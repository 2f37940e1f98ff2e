//! The command line of the client.

use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::{ending, values};

const USAGE: &str = "Flags:
  --url URL                what to call, with GET
  --token-endpoint URL     where to get a token for it
  --scope SCOPE            the scopes to ask for (default tools/read)
  --help                   print this";

pub(crate) struct Options {
    pub(crate) url: String,
    pub(crate) token_endpoint: String,
    pub(crate) scope: String,
}

/// The options; or how to end, after a line that says why.
pub(crate) fn options() -> Result<Options, ExitCode> {
    ending::unless_parsed(parse(lexopt::Parser::from_env()), USAGE)
}

fn parse(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut url, mut token_endpoint, mut scope) = (None, None, "tools/read".to_owned());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("url") => url = Some(parser.value()?.parse_with(values::plain_http)?),
            Long("token-endpoint") => {
                token_endpoint = Some(parser.value()?.parse_with(values::plain_http)?);
            }
            Long("scope") => scope = parser.value()?.parse_with(values::scopes)?,
            Long("help") | Short('h') => return Ok(None),
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    let url = url.ok_or("--url is missing: what to call")?;
    let token_endpoint = token_endpoint.ok_or("--token-endpoint is missing: where tokens are")?;
    Ok(Some(Options { url, token_endpoint, scope }))
}
