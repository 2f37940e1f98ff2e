//! Which flag lacks another, or does not go with it.

use tower_resource_server::Profile;

use super::{ClientAuthChoice, Options};

/// Where the secret of `--client-id` is, unless it is on the command line.
const CLIENT_SECRET: &str = "CLIENT_SECRET";

/// A flag that is there or not, and what it says.
type Lack = (bool, &'static str);

/// Takes the secret from where it is, and says what is lacking.
pub(crate) fn complete(options: &mut Options) -> Result<(), lexopt::Error> {
    if options.introspection.is_some() && options.client_secret.is_none() {
        options.client_secret = std::env::var(CLIENT_SECRET).ok();
    }
    let lacks = trust(options).into_iter().chain(asking(options)).chain(without_asking(options));
    match lacks.into_iter().find(|(lacks, _)| *lacks) {
        Some((_, what)) => Err(what.into()),
        None => Ok(()),
    }
}

/// The issuer of its own follows RFC 9068, so that a preset would refuse its tokens.
fn trust(options: &Options) -> [Lack; 3] {
    let Options { issuer, jwks, audience, profile, .. } = options;
    let preset = !matches!(profile, Profile::Rfc9068 | Profile::Lenient);
    let cognito = *profile == Profile::Cognito;
    [
        (jwks.is_some() && issuer.is_none(), "--jwks needs --issuer, whose keys they are"),
        (preset && issuer.is_none(), "--profile needs --issuer, unless it is rfc9068 or lenient"),
        (
            cognito && audience.is_none(),
            "--profile cognito needs --audience: the id of an app client, or the resource that \
             clients ask for",
        ),
    ]
}

fn asking(options: &Options) -> [Lack; 4] {
    let asks = options.introspection.is_some();
    let bearer = options.client_auth == Some(ClientAuthChoice::Bearer);
    let (id, secret) = (options.client_id.is_some(), options.client_secret.is_some());
    [
        (asks && options.issuer.is_none(), "--introspection needs --issuer"),
        (asks && !bearer && !id, "--introspection needs --client-id"),
        (asks && bearer && id, "--client-auth bearer sends no --client-id"),
        (
            asks && !secret,
            "--introspection needs --client-secret, or CLIENT_SECRET in the environment",
        ),
    ]
}

fn without_asking(options: &Options) -> [Lack; 4] {
    let silent = options.introspection.is_none();
    [
        (silent && options.client_id.is_some(), "--client-id needs --introspection"),
        (silent && options.client_secret.is_some(), "--client-secret needs --introspection"),
        (silent && options.client_auth.is_some(), "--client-auth needs --introspection"),
        (silent && options.every_token, "--every-token needs --introspection"),
    ]
}
