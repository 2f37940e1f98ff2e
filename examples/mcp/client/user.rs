//! The user and the browser, which the example plays by itself: it opens the URLs that a real client
//! opens in one, and comes back with where they lead.

use http::header;

use super::http::{Failure, Http};

/// Where the authorization server sends the browser when the user has decided.
///
/// Nobody listens there: the browser is this program. A real client listens on a port of loopback, or
/// is registered for a URL of its own (RFC 8252 §7).
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:7777/callback";

/// Opens the authorization endpoint. Gives the parameters that come back to [`REDIRECT_URI`].
pub(crate) async fn authorizes(http: &Http, uri: &str) -> Result<Vec<(String, String)>, Failure> {
    let answer = http.get(uri).await?;
    if !answer.status.is_redirection() {
        return Err(format!("the authorization endpoint answers {}", answer.status).into());
    }
    let location = answer.field(header::LOCATION).ok_or("a redirect to nowhere")?;
    let query = location.strip_prefix(REDIRECT_URI).and_then(|rest| rest.strip_prefix('?'));
    let query = query.ok_or("the browser was sent elsewhere")?;
    Ok(super::form::decode(query))
}

/// Opens a page where there is something to agree to, and agrees.
pub(crate) async fn visits(http: &Http, uri: &str) -> Result<(), Failure> {
    let answer = http.get(uri).await?;
    if answer.status.is_success() {
        return Ok(());
    }
    Err(format!("the page to agree on answers {}", answer.status).into())
}
