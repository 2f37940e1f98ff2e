//! The command line, the same for every example server.

mod values;

use std::net::SocketAddr;
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use tower_resource_server::{Profile, SenderConstraint};

use super::ending;

const USAGE: &str = "Flags:
  --listen ADDR            address to serve on (default 127.0.0.1:8080)
  --resource URL           resource identifier and public base URL (default http://<listen>)
  --issuer URL             external authorization server, whose metadata says where its keys are
  --jwks FILE or URL       its key set, whatever its metadata says
  --introspection URL      where to ask it about opaque tokens; needs --client-id and a secret
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

/// Where the secret of `--client-id` is, unless it is on the command line.
const CLIENT_SECRET: &str = "CLIENT_SECRET";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EnvelopeChoice {
    OAuth,
    Problem,
    Empty,
    JsonRpc,
}

pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) resource: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) jwks: Option<String>,
    pub(crate) introspection: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
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
            issuer: None,
            jwks: None,
            introspection: None,
            client_id: None,
            client_secret: None,
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
            Long("issuer") => options.issuer = Some(parser.value()?.string()?),
            Long("jwks") => options.jwks = Some(parser.value()?.string()?),
            Long("introspection") => options.introspection = Some(parser.value()?.string()?),
            Long("client-id") => options.client_id = Some(parser.value()?.string()?),
            Long("client-secret") => options.client_secret = Some(parser.value()?.string()?),
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
    complete(&mut options)?;
    own.lacking().map_or(Ok(Some(options)), |what| Err(what.into()))
}

/// Takes the secret from where it is, and says which flag lacks another. The issuer of its own follows
/// RFC 9068, so that a preset would refuse its tokens.
fn complete(options: &mut Options) -> Result<(), lexopt::Error> {
    let Options { issuer, jwks, introspection, client_id, client_secret, profile, .. } = options;
    let preset = !matches!(profile, Profile::Rfc9068 | Profile::Lenient);
    if introspection.is_some() && client_secret.is_none() {
        *client_secret = std::env::var(CLIENT_SECRET).ok();
    }
    let lacking = [
        (jwks.is_some() && issuer.is_none(), "--jwks needs --issuer, whose keys they are"),
        (preset && issuer.is_none(), "--profile needs --issuer, unless it is rfc9068 or lenient"),
        (introspection.is_some() && issuer.is_none(), "--introspection needs --issuer"),
        (introspection.is_some() && client_id.is_none(), "--introspection needs --client-id"),
        (
            introspection.is_some() && client_secret.is_none(),
            "--introspection needs --client-secret, or CLIENT_SECRET in the environment",
        ),
        (client_id.is_some() && introspection.is_none(), "--client-id needs --introspection"),
        (
            client_secret.is_some() && introspection.is_none(),
            "--client-secret needs --introspection",
        ),
    ];
    match lacking.into_iter().find(|(lacks, _)| *lacks) {
        Some((_, what)) => Err(what.into()),
        None => Ok(()),
    }
}
