//! What became of a request, as far as it is about authorization.

use http::StatusCode;
use serde_json::Value;

use super::challenge::{self, Challenge};
use super::http::{Answer, Failure};

pub(crate) enum Outcome {
    /// The server's answer in MCP's terms.
    Answered(Value),
    /// 401: no token, or none that is good.
    Unauthorized(Answer),
    /// 403: a good token that does not grant enough.
    InsufficientScope(Challenge),
}

impl Outcome {
    pub(super) fn of(answer: Answer) -> Result<Self, Failure> {
        let insufficient = challenge_of(&answer, "insufficient_scope");
        match (answer.status, insufficient) {
            (StatusCode::UNAUTHORIZED, _) => Ok(Self::Unauthorized(answer)),
            (StatusCode::FORBIDDEN, Some(challenge)) => Ok(Self::InsufficientScope(challenge)),
            (StatusCode::OK, _) => Ok(Self::told(answer.json())),
            (status, _) => Err(format!("the MCP server answers {status}").into()),
        }
    }

    /// A tool that finds out by itself cannot answer 403 any more; it says the same in its result.
    fn told(message: Value) -> Self {
        let challenges = message["result"]["_meta"]["mcp/www_authenticate"].as_array();
        let challenges = challenges.into_iter().flatten().filter_map(Value::as_str);
        match find_error(challenges, "insufficient_scope") {
            Some(challenge) => Self::InsufficientScope(challenge),
            None => Self::Answered(message),
        }
    }

    pub(crate) fn answered(self) -> Result<Value, Failure> {
        match self {
            Self::Answered(message) => Ok(message),
            Self::Unauthorized(_) => Err("the token was not accepted".into()),
            Self::InsufficientScope(_) => Err("the token does not grant enough".into()),
        }
    }

    /// The text of a tool that has done what it was called for.
    pub(crate) fn text(self) -> Result<String, Failure> {
        let message = self.answered()?;
        let text = message["result"]["content"][0]["text"].as_str();
        let done = message["result"]["isError"].as_bool() != Some(true);
        let text = text.filter(|_| done).ok_or("the tool has not done what it was called for")?;
        Ok(text.to_owned())
    }

    pub(crate) fn unauthorized(self) -> Result<Answer, Failure> {
        match self {
            Self::Unauthorized(answer) => Ok(answer),
            _ => Err("the request was not refused with 401".into()),
        }
    }

    pub(crate) fn insufficient_scope(self) -> Result<Challenge, Failure> {
        match self {
            Self::InsufficientScope(challenge) => Ok(challenge),
            _ => Err("the request was not refused with 403 and insufficient_scope".into()),
        }
    }
}

/// The challenge with that error code, whatever its scheme.
pub(crate) fn challenge_of(answer: &Answer, error: &str) -> Option<Challenge> {
    find_error(answer.challenges(), error)
}

fn find_error<'a>(values: impl Iterator<Item = &'a str>, error: &str) -> Option<Challenge> {
    let mut all = values.flat_map(challenge::parse);
    all.find(|challenge| challenge.error() == Some(error))
}
