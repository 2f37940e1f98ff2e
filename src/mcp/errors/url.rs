//! The URL that a user is sent to.

use std::fmt;
use std::str::FromStr;

use crate::uri::Web;

const LONGEST: usize = 2048;

/// Parameters that would hand a credential to whoever sees the URL.
const CREDENTIALS: [&str; 7] = [
    "access_token",
    "client_assertion",
    "client_secret",
    "code",
    "id_token",
    "password",
    "refresh_token",
];

/// The URL at which a user gives their consent: of a page of this server that leads on to the third
/// party, or of the third party itself.
///
/// It is absolute, `https` or `http` to this very machine, without user information, in the
/// characters of a URI, and at most 2048 bytes long. Parameters that hold credentials, such as
/// `access_token`, are refused. So whatever is made of an error here never leads to `javascript:`
/// or to a spoofed host.
///
/// What is **not** checked is where it leads. Use URLs of the configuration; a URL that came with a
/// request or from another server is to be compared with them first. Nor is it checked that the page
/// asks who the user is, as it has to: the link can be passed on to somebody else, who would then
/// connect *their* account for the first user (MCP, *Phishing*).
///
/// Its `Debug` output leaves the query out.
///
/// ```
/// use tower_resource_server::mcp::{ElicitationUrl, ElicitationUrlError};
///
/// let url: ElicitationUrl = "https://mcp.example.com/connect?app=slack".parse()?;
/// assert_eq!(url.as_str(), "https://mcp.example.com/connect?app=slack");
///
/// let refused = |text: &str| text.parse::<ElicitationUrl>().unwrap_err();
/// assert_eq!(refused("javascript:alert(1)"), ElicitationUrlError::NotWeb);
/// assert_eq!(refused("/connect?app=slack"), ElicitationUrlError::NotWeb);
/// # Ok::<(), ElicitationUrlError>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct ElicitationUrl(Box<str>);

impl ElicitationUrl {
    /// The URL, as it was given.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ElicitationUrl {
    type Err = ElicitationUrlError;

    fn from_str(text: &str) -> Result<Self, ElicitationUrlError> {
        if text.len() > LONGEST {
            return Err(ElicitationUrlError::TooLong);
        }
        let web = Web::parse(text).ok_or(ElicitationUrlError::NotWeb)?;
        if !web.is_protected() {
            return Err(ElicitationUrlError::PlainHttp);
        }
        if has_credentials(text) {
            return Err(ElicitationUrlError::Credentials);
        }
        Ok(Self(text.into()))
    }
}

/// In the query or in the fragment, where some servers put tokens.
fn has_credentials(text: &str) -> bool {
    let names = text.split(['?', '&', '#']).skip(1).filter_map(|pair| pair.split('=').next());
    names.into_iter().any(|name| CREDENTIALS.contains(&name))
}

impl TryFrom<&str> for ElicitationUrl {
    type Error = ElicitationUrlError;

    fn try_from(text: &str) -> Result<Self, ElicitationUrlError> {
        text.parse()
    }
}

impl fmt::Display for ElicitationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ElicitationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may hold the state of a flow.
        let shown = self.0.split(['?', '#']).next().unwrap_or_default();
        f.debug_tuple("ElicitationUrl").field(&shown).finish()
    }
}

/// Why a text is no [`ElicitationUrl`]. It does not repeat the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ElicitationUrlError {
    /// A parameter of it holds a credential.
    Credentials,
    /// It is not an absolute `http` or `https` URL with a host and without user information.
    NotWeb,
    /// It is plain `http` to a host that is not loopback.
    PlainHttp,
    /// It is longer than 2048 bytes.
    TooLong,
}

impl fmt::Display for ElicitationUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credentials => "the URL has a parameter that holds a credential",
            Self::NotWeb => "not an absolute https URL without user information",
            Self::PlainHttp => "the URL is plain http to a host that is not loopback",
            Self::TooLong => "the URL is longer than 2048 bytes",
        })
    }
}

impl std::error::Error for ElicitationUrlError {}
