//! The command line of the client.

use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value, ValueExt};

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
    match parse(lexopt::Parser::from_env()) {
        Ok(Some(options)) => Ok(options),
        Ok(None) => {
            println!("{USAGE}");
            Err(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("error: {error}");
            Err(ExitCode::from(2))
        }
    }
}

fn parse(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut url, mut token_endpoint, mut scope) = (None, None, "tools/read".to_owned());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("url") => url = Some(parser.value()?.parse_with(plain_http)?),
            Long("token-endpoint") => {
                token_endpoint = Some(parser.value()?.parse_with(plain_http)?);
            }
            Long("scope") => scope = parser.value()?.parse_with(scopes)?,
            Long("help") | Short('h') => return Ok(None),
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    let url = url.ok_or("--url is missing: what to call")?;
    let token_endpoint = token_endpoint.ok_or("--token-endpoint is missing: where tokens are")?;
    Ok(Some(Options { url, token_endpoint, scope }))
}

fn plain_http(url: &str) -> Result<String, String> {
    let uri = url.parse::<http::Uri>().map_err(|error| error.to_string())?;
    let good = uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty());
    if good { Ok(url.to_owned()) } else { Err("this client speaks plain http only".to_owned()) }
}

/// `scope` goes into a form as it is but for its spaces (RFC 6749 §3.3 has more characters).
fn scopes(text: &str) -> Result<String, String> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b" -._~/:".contains(&byte);
    let good = text.bytes().all(fine);
    if good { Ok(text.to_owned()) } else { Err("use letters, digits and -._~/:".to_owned()) }
}
