//! From the command line to a resource server.

use tower_resource_server::render::{Empty, JsonRpc, OAuthJson, ProblemJson};
use tower_resource_server::testing::TestAuthorizationServer;
use tower_resource_server::{
    Builder, ClientAuthentication, Introspection, Issuer, JwkSet, Profile, ResourceMetadata,
    ResourceServer, SealedNonces,
};

use super::cli::{EnvelopeChoice, Options};
use super::proofs;

/// What those options ask for. `embedded` is there when no external issuer is named.
pub(crate) fn builder(
    options: &Options,
    resource: &str,
    embedded: Option<&TestAuthorizationServer>,
    nonces: Option<SealedNonces>,
) -> Result<Builder, Box<dyn std::error::Error>> {
    let issuer = match embedded {
        Some(server) => server.trusted().introspect(lenient(options, server.introspection())),
        None => external(options)?,
    };
    let builder = ResourceServer::builder(resource)
        .issuer(with_audience(issuer, options.audience.as_deref()).profile(options.profile))
        .sender_constraint(options.constraint)
        .dpop(proofs::settings(options, nonces)?)
        .realm("example")
        .scope_includes("tools/write", "tools/read")
        .metadata(ResourceMetadata::new().name("Example resource server"));
    let builder = with_envelope(builder, options.envelope);
    let loopback = options.allow_loopback || embedded.is_some();
    Ok(if loopback { builder.allow_loopback() } else { builder })
}

fn external(options: &Options) -> Result<Issuer, Box<dyn std::error::Error>> {
    let identifier = options.issuer.as_deref().unwrap_or_default();
    let issuer = match options.jwks.as_deref() {
        Some(keys) => with_keys(identifier, keys)?,
        None => Issuer::discover(identifier),
    };
    Ok(match introspection(options) {
        Some(introspection) => issuer.introspect(lenient(options, introspection)),
        None => issuer,
    })
}

/// What is missing from tokens is missing from answers on them too.
fn lenient(options: &Options, introspection: Introspection) -> Introspection {
    match options.profile {
        Profile::Lenient => introspection.audience_optional(),
        _ => introspection,
    }
}

fn with_keys(identifier: &str, keys: &str) -> Result<Issuer, Box<dyn std::error::Error>> {
    if keys.starts_with("https://") || keys.starts_with("http://") {
        return Ok(Issuer::jwks_uri(identifier, keys));
    }
    let set = JwkSet::from_file(keys).map_err(|error| format!("{keys}: {error}"))?;
    Ok(Issuer::jwks(identifier, set))
}

fn introspection(options: &Options) -> Option<Introspection> {
    let Options { introspection, client_id, client_secret, .. } = options;
    let (id, secret) = (client_id.as_deref()?, client_secret.as_deref()?);
    let authentication = ClientAuthentication::client_secret_basic(id, secret);
    Some(Introspection::at(introspection.as_deref()?, authentication))
}

/// An audience with a colon is taken for a URI, any other for a plain name.
fn with_audience(issuer: Issuer, audience: Option<&str>) -> Issuer {
    match audience {
        Some(uri) if uri.contains(':') => issuer.audience(uri),
        Some(name) => issuer.audience_name(name),
        None => issuer,
    }
}

fn with_envelope(builder: Builder, choice: EnvelopeChoice) -> Builder {
    match choice {
        EnvelopeChoice::OAuth => builder.envelope(OAuthJson::default()),
        EnvelopeChoice::Problem => builder.envelope(ProblemJson::default()),
        EnvelopeChoice::Empty => builder.envelope(Empty::default()),
        EnvelopeChoice::JsonRpc => builder.envelope(JsonRpc::default()),
    }
}
