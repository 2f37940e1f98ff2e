//! The values of flags that are one of a few words.

use tower_resource_server::{Profile, SenderConstraint};

use super::{ClientAuthChoice, EnvelopeChoice};

pub(crate) fn profile(name: &str) -> Result<Profile, String> {
    match name {
        "rfc9068" => Ok(Profile::Rfc9068),
        "lenient" => Ok(Profile::Lenient),
        "auth0" => Ok(Profile::Auth0),
        "cognito" => Ok(Profile::Cognito),
        "entra" => Ok(Profile::Entra),
        "google" => Ok(Profile::Google),
        "hydra" => Ok(Profile::Hydra),
        "keycloak" => Ok(Profile::Keycloak),
        "okta" => Ok(Profile::Okta),
        "zitadel" => Ok(Profile::Zitadel),
        _ => Err("use rfc9068, lenient, auth0, cognito, entra, google, hydra, keycloak, okta or \
                  zitadel"
            .to_owned()),
    }
}

pub(crate) fn client_auth(name: &str) -> Result<ClientAuthChoice, String> {
    match name {
        "basic" => Ok(ClientAuthChoice::Basic),
        "post" => Ok(ClientAuthChoice::Post),
        "bearer" => Ok(ClientAuthChoice::Bearer),
        _ => Err("use basic, post or bearer".to_owned()),
    }
}

pub(crate) fn constraint(name: &str) -> Result<SenderConstraint, String> {
    match name {
        "any" => Ok(SenderConstraint::Any),
        "dpop" => Ok(SenderConstraint::Dpop),
        "bearer" => Ok(SenderConstraint::Bearer),
        _ => Err("use any, dpop or bearer".to_owned()),
    }
}

pub(crate) fn envelope(name: &str) -> Result<EnvelopeChoice, String> {
    match name {
        "oauth" => Ok(EnvelopeChoice::OAuth),
        "problem" => Ok(EnvelopeChoice::Problem),
        "empty" => Ok(EnvelopeChoice::Empty),
        "json-rpc" => Ok(EnvelopeChoice::JsonRpc),
        _ => Err("use oauth, problem, empty or json-rpc".to_owned()),
    }
}
