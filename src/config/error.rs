//! What is wrong with a configuration, all of it at once.

use std::borrow::Cow;
use std::fmt;

/// Everything that is wrong with a configuration, with a suggestion for each fault.
///
/// ```
/// use tower_resource_server::{Issuer, ResourceServer};
///
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return }
/// let error = ResourceServer::builder("http://api.example.com")
///     .leeway(std::time::Duration::from_secs(3600))
///     .build()
///     .expect_err("three faults");
/// let settings: Vec<_> = error.faults().iter().map(|fault| fault.setting()).collect();
/// assert_eq!(settings, ["resource", "issuer", "leeway"]);
/// ```
///
/// Its `Display` form has a line for each fault. [`ResourceServer::try_require`] returns it for
/// faulty requirements too.
///
/// [`ResourceServer::try_require`]: crate::ResourceServer::try_require
#[derive(Debug)]
pub struct ConfigError(Vec<ConfigFault>);

/// One fault of a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigFault {
    setting: &'static str,
    problem: Cow<'static, str>,
    suggestion: Cow<'static, str>,
}

pub(crate) use self::ConfigFault as Fault;

impl ConfigFault {
    pub(crate) fn new(
        setting: &'static str,
        problem: impl Into<Cow<'static, str>>,
        suggestion: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { setting, problem: problem.into(), suggestion: suggestion.into() }
    }

    pub(crate) fn scope(setting: &'static str, scope: &str) -> Self {
        let mend = if scope.contains(' ') {
            "list each scope on its own, without spaces"
        } else {
            "use visible ASCII characters other than quotes and backslashes (RFC 6749 section 3.3)"
        };
        Self::new(setting, format!("{scope:?} is not a scope"), mend)
    }

    /// The builder method or requirement at fault.
    ///
    /// `require` stands for every requirement, `require_tools` for those of MCP tools,
    /// `scope_hierarchy` for [`scope_includes`](crate::Builder::scope_includes), and `metadata` for the
    /// members of [`ResourceMetadata`](crate::ResourceMetadata).
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        self.setting
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// How to mend it.
    #[must_use]
    pub fn suggestion(&self) -> &str {
        &self.suggestion
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.setting, self.problem, self.suggestion)
    }
}

impl ConfigError {
    pub(crate) const fn new(faults: Vec<ConfigFault>) -> Self {
        Self(faults)
    }

    /// Every fault, in the order of the settings.
    #[must_use]
    pub fn faults(&self) -> &[ConfigFault] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid resource server configuration")?;
        for fault in &self.0 {
            write!(f, "\n  - {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
