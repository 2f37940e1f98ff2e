//! The server is set up wrongly, which shows only when a tool is called.

use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value};

use super::form::Describe;
use super::internal::ErrorId;
use super::text::{self, clean};
use crate::config::ConfigError;

const MOST: usize = 64;

/// The server is not configured as it has to be: what is wrong, and how to mend it.
///
/// That is for those who run the server. The client is told no more than of an
/// [internal error](super::InternalError), by an id that stands in [`Display`](fmt::Display) as
/// well; unless [`disclosed`](Self::disclosed) says otherwise.
///
/// ```
/// use tower_resource_server::mcp::{ConfigurationError, Revision, ToolError};
///
/// let error = ConfigurationError::new("invalid auth configuration")
///     .faults(["transparent mode needs exactly one provider"])
///     .suggestion("set the mode to orchestrated where there are several");
/// assert_eq!(error.all_faults(), ["transparent mode needs exactly one provider"]);
///
/// let told = ToolError::from(error).error(Revision::LATEST);
/// assert_eq!(told["code"], -32603);
/// assert!(!told.to_string().contains("transparent"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigurationError {
    id: ErrorId,
    message: String,
    faults: Vec<String>,
    suggestion: Option<String>,
    disclosed: bool,
}

impl ConfigurationError {
    /// A fault that the message names.
    #[must_use]
    pub fn new(message: &str) -> Self {
        let message = clean(message, text::SENTENCE);
        Self { id: ErrorId::new(), message, faults: Vec::new(), suggestion: None, disclosed: false }
    }

    /// The single faults, up to 64.
    #[must_use]
    pub fn faults<'f>(self, faults: impl IntoIterator<Item = &'f str>) -> Self {
        let faults = faults.into_iter().take(MOST);
        Self { faults: faults.map(|fault| clean(fault, text::SENTENCE)).collect(), ..self }
    }

    /// How to mend them.
    #[must_use]
    pub fn suggestion(self, suggestion: &str) -> Self {
        Self { suggestion: Some(clean(suggestion, text::SENTENCE)), ..self }
    }

    /// Tells clients all of it, for development: faults may name hosts and settings.
    #[must_use]
    pub fn disclosed(self) -> Self {
        Self { disclosed: true, ..self }
    }

    /// By which the error is found in the log.
    #[must_use]
    pub fn error_id(&self) -> Option<&str> {
        self.id.get()
    }

    /// Every fault.
    #[must_use]
    pub fn all_faults(&self) -> &[String] {
        &self.faults
    }
}

/// Each fault of the configuration with its setting. The suggestions stand in one text, each with
/// its setting if there are several.
impl From<&ConfigError> for ConfigurationError {
    fn from(error: &ConfigError) -> Self {
        let faults: Vec<_> = error.faults().iter().take(MOST).collect();
        let problems: Vec<_> = faults
            .iter()
            .map(|fault| format!("{}: {}", fault.setting(), fault.problem()))
            .collect();
        let suggestion = match faults.as_slice() {
            [fault] => fault.suggestion().to_owned(),
            faults => {
                let each = faults.iter().map(|f| format!("{}: {}", f.setting(), f.suggestion()));
                each.collect::<Vec<_>>().join("; ")
            }
        };
        Self::new("invalid resource server configuration")
            .faults(problems.iter().map(String::as_str))
            .suggestion(&suggestion)
    }
}

impl From<ConfigError> for ConfigurationError {
    fn from(error: ConfigError) -> Self {
        Self::from(&error)
    }
}

impl Describe for ConfigurationError {
    fn code(&self) -> &'static str {
        "AUTH_CONFIGURATION_ERROR"
    }

    fn status(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn text(&self) -> String {
        if self.disclosed { self.message.clone() } else { self.id.sentence() }
    }

    fn meta(&self) -> Map<String, Value> {
        let mut members = self.id.members();
        if self.disclosed {
            members.insert("errors".to_owned(), self.faults.as_slice().into());
            if let Some(suggestion) = &self.suggestion {
                members.insert("suggestion".to_owned(), suggestion.as_str().into());
            }
        }
        members
    }

    fn data(&self) -> Option<Value> {
        Some(self.meta().into())
    }
}

/// All of it, with a line for each fault.
impl fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(id) = self.id.get() {
            write!(f, " ({id})")?;
        }
        for fault in &self.faults {
            write!(f, "\n  - {fault}")?;
        }
        match &self.suggestion {
            Some(suggestion) => write!(f, "\n  {suggestion}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigurationError {}
