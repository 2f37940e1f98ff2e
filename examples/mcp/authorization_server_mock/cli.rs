//! The command line of the mock by itself.

use std::net::SocketAddr;
use std::time::Duration;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use super::options::{Consent, Options};
use super::scope::Scope;
use super::{Client, resource};

pub(crate) const USAGE: &str = "Flags of authorization-server-mock:
  --listen ADDR            loopback address to serve on (default 127.0.0.1:9000)
  --issuer URL             what it calls itself (default http://<listen>)
  --resource URL           a resource that tokens are for; several times for several (default any)
  --scopes-supported LIST  the scopes there are, with spaces between them
  --scopes LIST            the most that is granted of them (default all)
  --acr-values LIST        the ways of signing in, the ordinary one first
  --token-lifetime SECONDS of access tokens (default 300)
  --require-nonce          require a nonce of this server in DPoP proofs
  --consent-page           ask the person at the browser
  --client ID:SECRET       a client that acts for itself; several times for several
  --introspection-client ID:SECRET
                           who may introspect tokens (default example-api:example-secret)
  --help                   print this";

pub(crate) struct Arguments {
    pub(crate) listen: SocketAddr,
    pub(crate) options: Options,
}

/// None if help is asked for.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>, lexopt::Error> {
    let listen = SocketAddr::from(([127, 0, 0, 1], 9000));
    let mut arguments = Arguments { listen, options: Options::default() };
    while let Some(argument) = parser.next()? {
        let options = &mut arguments.options;
        match argument {
            Long("listen") => arguments.listen = value(&mut parser, loopback)?,
            Long("issuer") => options.issuer = Some(value(&mut parser, issuer)?),
            Long("resource") => options.resources.push(value(&mut parser, resource)?),
            Long("scopes-supported") => options.scopes_supported = value(&mut parser, scope)?,
            Long("scopes") => options.scopes_granted = Some(value(&mut parser, scope)?),
            Long("acr-values") => options.acr_values = value(&mut parser, names)?,
            Long("token-lifetime") => options.token_lifetime = value(&mut parser, seconds)?,
            Long("require-nonce") => options.require_nonce = true,
            Long("consent-page") => options.consent = Consent::Page,
            Long("client") => {
                let (id, secret) = credentials(&mut parser)?;
                options.clients.push(Client::service(id, secret));
            }
            Long("introspection-client") => {
                options.introspection_client = credentials(&mut parser)?;
            }
            Long("help") | Short('h') => return Ok(None),
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Some(arguments))
}

fn value<T>(
    parser: &mut lexopt::Parser,
    read: fn(&str) -> Result<T, String>,
) -> Result<T, lexopt::Error> {
    parser.value()?.parse_with(read)
}

/// Whoever reaches the mock gets a token.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "use an address and a port")?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("the mock serves on loopback alone".to_owned())
    }
}

/// RFC 8414 §2, and without a path, as all endpoints are at the root.
fn issuer(text: &str) -> Result<String, String> {
    let uri = text.parse::<http::Uri>().ok().filter(|_| resource::is_uri(text));
    let root = uri.is_some_and(|uri| uri.path_and_query().is_none_or(|path| path == "/"));
    if root && !text.ends_with('/') && !text.contains('#') {
        Ok(text.to_owned())
    } else {
        Err("use a URL without path".to_owned())
    }
}

fn resource(text: &str) -> Result<String, String> {
    let good = resource::is_uri(text);
    if good { Ok(text.to_owned()) } else { Err("use a URL without fragment".to_owned()) }
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| "use names with spaces between them".to_owned())
}

fn names(text: &str) -> Result<Vec<String>, String> {
    scope(text).map(|names| names.names().map(str::to_owned).collect())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u32>().map_err(|_| "use a whole number of seconds")?;
    Ok(Duration::from_secs(seconds.into()))
}

/// The error says nothing of the argument, which may hold a secret.
fn credentials(parser: &mut lexopt::Parser) -> Result<(String, String), lexopt::Error> {
    let text = parser.value()?.string()?;
    match text.split_once(':') {
        Some((id, secret)) if !id.is_empty() && !secret.is_empty() => {
            Ok((id.to_owned(), secret.to_owned()))
        }
        _ => Err("a client is an identifier, a colon and a secret".into()),
    }
}
