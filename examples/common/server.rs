//! From the command line to a resource server.

use tower_resource_server::render::{Empty, JsonRpc, OAuthJson, ProblemJson};
use tower_resource_server::testing::TestAuthorizationServer;
use tower_resource_server::{
    Builder, ClientAuthentication, Introspection, Issuer, JwkSet, Profile, ResourceMetadata,
    ResourceServer, SealedNonces,
};

use super::cli::{ClientAuthChoice, EnvelopeChoice, Options};
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
    let builder = match &options.base_url {
        Some(url) => builder.base_url(url),
        None => builder,
    };
    let loopback = options.allow_loopback || embedded.is_some();
    Ok(if loopback { builder.allow_loopback() } else { builder })
}

fn external(options: &Options) -> Result<Issuer, Box<dyn std::error::Error>> {
    let identifier = options.issuer.as_deref().unwrap_or_default();
    let introspection = introspection(options).map(|introspection| lenient(options, introspection));
    Ok(match (options.jwks.as_deref(), introspection) {
        // What is always asked about needs no keys, and some servers have none.
        (None, Some(introspection)) if options.every_token => {
            Issuer::introspection(identifier, introspection)
        }
        (keys, Some(introspection)) => with_keys(identifier, keys)?.introspect(introspection),
        (keys, None) => with_keys(identifier, keys)?,
    })
}

/// What is missing from tokens is missing from answers on them too.
fn lenient(options: &Options, introspection: Introspection) -> Introspection {
    match options.profile {
        Profile::Lenient => introspection.audience_optional(),
        _ => introspection,
    }
}

/// Those in that file or at that URL, else those to which the metadata leads.
fn with_keys(identifier: &str, keys: Option<&str>) -> Result<Issuer, Box<dyn std::error::Error>> {
    let Some(keys) = keys else { return Ok(Issuer::discover(identifier)) };
    if keys.starts_with("https://") || keys.starts_with("http://") {
        return Ok(Issuer::jwks_uri(identifier, keys));
    }
    let set = JwkSet::from_file(keys).map_err(|error| format!("{keys}: {error}"))?;
    Ok(Issuer::jwks(identifier, set))
}

fn introspection(options: &Options) -> Option<Introspection> {
    let introspection =
        Introspection::at(options.introspection.as_deref()?, authentication(options)?);
    Some(if options.every_token { introspection.every_token() } else { introspection })
}

fn authentication(options: &Options) -> Option<ClientAuthentication> {
    let (id, secret) = (options.client_id.as_deref(), options.client_secret.as_deref()?);
    Some(match options.client_auth {
        Some(ClientAuthChoice::Bearer) => ClientAuthentication::bearer(secret),
        Some(ClientAuthChoice::Post) => ClientAuthentication::client_secret_post(id?, secret),
        Some(ClientAuthChoice::Basic) | None => {
            ClientAuthentication::client_secret_basic(id?, secret)
        }
    })
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
