//! The command line: which part to run, and its flags.

use std::net::SocketAddr;
use std::process::ExitCode;

use lexopt::Parser;
use lexopt::prelude::{Long, Short, Value, ValueExt};

use super::authorization_server_mock::cli as mock;

const USAGE: &str =
    "cargo run --example mcp            all three parts; ends when the story is told
cargo run --example mcp -- PART    one of them:
  authorization-server-mock, mcp-server, client

Flags of mcp-server:
  --listen ADDR            loopback address to serve on (default 127.0.0.1:8080)
  --issuer URL             authorization server to trust (default http://127.0.0.1:9000)

Flags of client:
  --url URL                MCP server to call (default http://127.0.0.1:8080/mcp)

  --help                   print this; after authorization-server-mock, its flags";

/// What to run.
pub(crate) enum Part {
    All,
    AuthorizationServerMock(Box<mock::Arguments>),
    McpServer { listen: SocketAddr, issuer: String },
    Client { url: String },
}

/// The part; or how to end, after a line that says why.
pub(crate) fn part() -> Result<Part, ExitCode> {
    match parse(Parser::from_env()) {
        Ok(Ok(part)) => Ok(part),
        Ok(Err(usage)) => {
            println!("{usage}");
            Err(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("error: {error}");
            Err(ExitCode::from(2))
        }
    }
}

/// The part, or the text that was asked for.
type Asked = Result<Part, &'static str>;

fn parse(mut parser: Parser) -> Result<Asked, lexopt::Error> {
    let Some(argument) = parser.next()? else { return Ok(Ok(Part::All)) };
    match argument {
        Value(name) => match name.string()?.as_str() {
            "authorization-server-mock" => {
                let arguments = mock::parse(parser)?.ok_or(mock::USAGE);
                Ok(arguments.map(|it| Part::AuthorizationServerMock(Box::new(it))))
            }
            "mcp-server" => mcp_server(parser),
            "client" => client(parser),
            _ => Err("the parts are authorization-server-mock, mcp-server and client".into()),
        },
        Long("help") | Short('h') => Ok(Err(USAGE)),
        Long(_) | Short(_) => Err(argument.unexpected()),
    }
}

fn mcp_server(mut parser: Parser) -> Result<Asked, lexopt::Error> {
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 8080));
    let mut issuer = "http://127.0.0.1:9000".to_owned();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => listen = parser.value()?.parse_with(loopback)?,
            Long("issuer") => issuer = parser.value()?.parse_with(web)?,
            Long("help") | Short('h') => return Ok(Err(USAGE)),
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Ok(Part::McpServer { listen, issuer }))
}

fn client(mut parser: Parser) -> Result<Asked, lexopt::Error> {
    let mut url = "http://127.0.0.1:8080/mcp".to_owned();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("url") => url = parser.value()?.parse_with(plain_http)?,
            Long("help") | Short('h') => return Ok(Err(USAGE)),
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Ok(Part::Client { url }))
}

/// Tokens that come over plain http must not come over a network.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "use an address and a port")?;
    let good = address.ip().is_loopback();
    if good { Ok(address) } else { Err("the server serves on loopback alone".to_owned()) }
}

fn plain_http(url: &str) -> Result<String, String> {
    let good = web(url)?.starts_with("http://");
    if good { Ok(url.to_owned()) } else { Err("the client speaks plain http only".to_owned()) }
}

fn web(url: &str) -> Result<String, String> {
    let uri = url.parse::<http::Uri>().map_err(|error| error.to_string())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let good = is_web && uri.host().is_some_and(|host| !host.is_empty());
    if good { Ok(url.to_owned()) } else { Err("use a URL of http or https".to_owned()) }
}
