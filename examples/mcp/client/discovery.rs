//! From a refused request to the endpoints of the authorization server: RFC 9728, then RFC 8414.

use http::{StatusCode, Uri};
use serde_json::Value;

use super::challenge;
use super::http::{Answer, Failure, Http};

/// What a client has to know of an authorization server.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationServer {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) registration_endpoint: String,
    /// What tokens are asked for (RFC 8707): the `resource` of the metadata, byte for byte.
    pub(crate) resource: String,
}

/// Follows the challenge of a 401 to the resource `url`.
pub(crate) async fn discover(
    http: &Http,
    url: &str,
    refused: &Answer,
) -> Result<AuthorizationServer, Failure> {
    let bearer = challenge::find("Bearer", refused.challenges()).ok_or("no Bearer challenge")?;
    let document = bearer.parameter("resource_metadata").ok_or("no resource_metadata")?;
    let document = fetch(http, document).await?;
    let resource = member(&document, "resource")?;
    // RFC 9728 §3.3: else somebody else's metadata would say where this server's users log in.
    if resource != url {
        return Err(format!("the metadata is about {resource}, not about {url}").into());
    }
    let issuer = member(&document["authorization_servers"], 0)?;
    let document = fetch(http, &metadata_uri(&issuer)?).await?;
    // RFC 8414 §3.3.
    if member(&document, "issuer")? != issuer {
        return Err("the authorization server's metadata names another issuer".into());
    }
    Ok(AuthorizationServer {
        authorization_endpoint: member(&document, "authorization_endpoint")?,
        token_endpoint: member(&document, "token_endpoint")?,
        registration_endpoint: member(&document, "registration_endpoint")?,
        issuer,
        resource,
    })
}

async fn fetch(http: &Http, uri: &str) -> Result<Value, Failure> {
    let answer = http.get(uri).await?;
    match answer.status {
        StatusCode::OK => Ok(answer.json()),
        status => Err(format!("no metadata at {uri}: {status}").into()),
    }
}

/// RFC 8414 §3.1: the well-known path stands before the path of the issuer.
fn metadata_uri(issuer: &str) -> Result<String, Failure> {
    let uri = issuer.parse::<Uri>()?;
    let origin = issuer.strip_suffix(uri.path()).unwrap_or(issuer);
    let path = uri.path().trim_end_matches('/');
    Ok(format!("{origin}/.well-known/oauth-authorization-server{path}"))
}

fn member<I>(document: &Value, index: I) -> Result<String, Failure>
where
    I: serde_json::value::Index + std::fmt::Display + Copy,
{
    let text = document.get(index).and_then(Value::as_str);
    Ok(text.ok_or_else(|| format!("the metadata has no {index}"))?.to_owned())
}
