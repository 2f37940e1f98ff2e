//! The names of consents under way.

use std::fmt;
use std::str::FromStr;

use crate::base64url;
use crate::charset;
use crate::random;

const LONGEST: usize = 128;

/// The id of a consent under way: of an elicitation (`elicitationId`), or of the authorization that
/// waits for it (`pending_auth_id`).
///
/// Whoever knows an id may be able to take part in the consent, so ids are not to be guessed:
/// [`random`](Self::random) makes one of 128 bits. An id of the application's own, up to 128 visible
/// ASCII characters without quotes and backslashes, is taken as it is; how hard it is to guess
/// **cannot be checked**.
///
/// Keep it with the user it was made for ([`Grant::principal`](crate::Grant::principal)), not with a
/// session alone: the answer to an elicitation has to come from that very user.
///
/// ```
/// use tower_resource_server::mcp::FlowId;
///
/// let id = FlowId::random()?;
/// assert!(id.as_str().starts_with("elic_") && id.as_str().len() == 27);
/// assert_ne!(id, FlowId::random()?);
/// assert!("a b".parse::<FlowId>().is_err());
/// # Ok::<(), tower_resource_server::mcp::FlowIdError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FlowId(Box<str>);

impl FlowId {
    /// A new one, of 16 random bytes.
    ///
    /// # Errors
    ///
    /// [`FlowIdError::NoRandomness`] when the operating system gives no random bytes.
    pub fn random() -> Result<Self, FlowIdError> {
        let bytes = random::bytes::<16>().ok_or(FlowIdError::NoRandomness)?;
        Ok(Self(format!("elic_{}", base64url::encode(bytes)).into()))
    }

    /// The id, as it stands in messages.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FlowId {
    type Err = FlowIdError;

    fn from_str(text: &str) -> Result<Self, FlowIdError> {
        if text.len() > LONGEST || !charset::is_uri_text(text) {
            return Err(FlowIdError::Malformed);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why there is no [`FlowId`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FlowIdError {
    /// It is empty, longer than 128 bytes, or has characters that an id may not have.
    Malformed,
    /// The operating system gives no random bytes.
    NoRandomness,
}

impl fmt::Display for FlowIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an id of 1 to 128 visible ASCII characters",
            Self::NoRandomness => "the operating system gives no random bytes",
        })
    }
}

impl std::error::Error for FlowIdError {}
