//! The command line, the same for every example server.

mod complete;
mod values;

use std::net::SocketAddr;
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use tower_resource_server::{Profile, SenderConstraint};

use super::ending;

const USAGE: &str = "Flags:
  --listen ADDR            address to serve on (default 127.0.0.1:8080)
  --resource URL           resource identifier; its scheme, host and port are those of the public
                           base URL (default http://<listen>)
  --base-url URL           public base URL, if it has a prefix that a proxy takes off
  --issuer URL             external authorization server, whose metadata says where its keys are
  --jwks FILE or URL       its key set, whatever its metadata says
  --introspection URL      where to ask it about opaque tokens; needs a secret and, but for bearer,
                           --client-id
  --client-auth HOW        how that is sent: basic (default), post, or bearer, which sends the secret
                           as an access token, without an id
  --every-token            ask about signed tokens too; without --jwks it needs no keys then
  --client-id ID           what this server is called there
  --client-secret SECRET   its secret there; give it in the environment variable CLIENT_SECRET
                           where others can read command lines
  --audience AUD           audience of its tokens (default: the resource)
  --profile PROFILE        what its tokens look like: rfc9068 (default), lenient (which also takes
                           introspection answers without aud), or those of auth0, cognito, entra,
                           google, hydra, keycloak, okta or zitadel
  --sender-constraint WHICH
                           any (default), dpop or bearer: which tokens are accepted
  --nonce                  require a nonce of this server in DPoP proofs; several servers accept
                           each other's where the environment variable NONCE_SECRET holds the
                           same secret of 32 random bytes or more
  --redis URL              record used proofs there, for several servers
  --envelope ENVELOPE      oauth (default), problem, empty or json-rpc
  --allow-loopback         let the issuer be on http on loopback";

const HELP: &str = "
  --help                   print this";

/// Flags that one server has and the others have not.
pub(crate) trait OwnFlags: Default {
    /// Their lines, each with a line break before it.
    const USAGE: &str = "";

    /// Takes the value of the long flag of that name. `false` if it is none of these.
    fn take(&mut self, name: &str, parser: &mut lexopt::Parser) -> Result<bool, lexopt::Error>;

    /// Which of them lacks another.
    fn lacking(&self) -> Option<&'static str> {
        None
    }
}

impl OwnFlags for () {
    fn take(&mut self, _: &str, _: &mut lexopt::Parser) -> Result<bool, lexopt::Error> {
        Ok(false)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EnvelopeChoice {
    OAuth,
    Problem,
    Empty,
    JsonRpc,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClientAuthChoice {
    Basic,
    Post,
    Bearer,
}

pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) resource: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) jwks: Option<String>,
    pub(crate) introspection: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
    pub(crate) client_auth: Option<ClientAuthChoice>,
    pub(crate) every_token: bool,
    pub(crate) audience: Option<String>,
    pub(crate) profile: Profile,
    pub(crate) constraint: SenderConstraint,
    pub(crate) nonce: bool,
    pub(crate) redis: Option<String>,
    pub(crate) envelope: EnvelopeChoice,
    pub(crate) allow_loopback: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            resource: None,
            base_url: None,
            issuer: None,
            jwks: None,
            introspection: None,
            client_id: None,
            client_secret: None,
            client_auth: None,
            every_token: false,
            audience: None,
            profile: Profile::Rfc9068,
            constraint: SenderConstraint::Any,
            nonce: false,
            redis: None,
            envelope: EnvelopeChoice::OAuth,
            allow_loopback: false,
        }
    }
}

/// The options; or how to end, after a line that says why.
pub(crate) fn options<F: OwnFlags>() -> Result<(Options, F), ExitCode> {
    let mut own = F::default();
    let parsed = parse(lexopt::Parser::from_env(), &mut own);
    let options = ending::unless_parsed(parsed, &format!("{USAGE}{}{HELP}", F::USAGE))?;
    Ok((options, own))
}

fn parse(
    mut parser: lexopt::Parser,
    own: &mut impl OwnFlags,
) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => options.listen = parser.value()?.parse()?,
            Long("resource") => options.resource = Some(parser.value()?.string()?),
            Long("base-url") => options.base_url = Some(parser.value()?.string()?),
            Long("issuer") => options.issuer = Some(parser.value()?.string()?),
            Long("jwks") => options.jwks = Some(parser.value()?.string()?),
            Long("introspection") => options.introspection = Some(parser.value()?.string()?),
            Long("client-id") => options.client_id = Some(parser.value()?.string()?),
            Long("client-secret") => options.client_secret = Some(parser.value()?.string()?),
            Long("client-auth") => {
                options.client_auth = Some(parser.value()?.parse_with(values::client_auth)?);
            }
            Long("every-token") => options.every_token = true,
            Long("audience") => options.audience = Some(parser.value()?.string()?),
            Long("profile") => options.profile = parser.value()?.parse_with(values::profile)?,
            Long("sender-constraint") => {
                options.constraint = parser.value()?.parse_with(values::constraint)?;
            }
            Long("nonce") => options.nonce = true,
            Long("redis") => options.redis = Some(parser.value()?.string()?),
            Long("envelope") => options.envelope = parser.value()?.parse_with(values::envelope)?,
            Long("allow-loopback") => options.allow_loopback = true,
            Long("help") | Short('h') => return Ok(None),
            Long(name) => {
                let name = name.to_owned();
                if !own.take(&name, &mut parser)? {
                    return Err(Long(&name).unexpected());
                }
            }
            Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    complete::complete(&mut options)?;
    own.lacking().map_or(Ok(Some(options)), |what| Err(what.into()))
}
