//! What each gRPC method demands, by its full path; what has no rule is denied.

use std::collections::HashMap;
use std::sync::Arc;

use crate::authorize::{Demand, Requirement};
use crate::config::{ConfigError, Fault, Settings};

/// What each method of a gRPC server demands, by full path: `/package.Service/Method`.
///
/// A method without a rule is denied to everybody, so that one that is added to a service later is
/// closed until somebody says who may call it. `/package.Service/*` stands for every method of a
/// service that has no rule of its own.
///
/// Paths are compared byte for byte with that of the request (gRPC paths are case-sensitive). No two
/// rules may have the same path.
///
/// ```
/// use tower_resource_server::{Methods, ResourceServer, Scopes, layer::RequireMethodsLayer};
///
/// fn policy(server: &ResourceServer) -> RequireMethodsLayer {
///     server.require_methods(
///         Methods::new()
///             .public("/grpc.health.v1.Health/Check")
///             .any_token("/demo.Tools/Whoami")
///             .method("/demo.Tools/Add", Scopes::all(["tools/write"]))
///             .method("/demo.Admin/*", Scopes::all(["admin", "audit"])),
///     )
/// }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Methods {
    rules: Vec<(String, Rule)>,
}

#[derive(Clone, Debug)]
enum Rule {
    Public,
    AnyToken,
    Require(Requirement),
}

impl Methods {
    /// No rule yet: every method is denied.
    pub fn new() -> Self {
        Self::default()
    }

    /// The method demands that of the token.
    pub fn method(self, path: impl Into<String>, requirement: impl Into<Requirement>) -> Self {
        self.with(path.into(), Rule::Require(requirement.into()))
    }

    /// The method demands a valid token, and nothing more of it.
    pub fn any_token(self, path: impl Into<String>) -> Self {
        self.with(path.into(), Rule::AnyToken)
    }

    /// The method may be called without a token.
    ///
    /// It takes an [`optional`](super::AuthenticateLayer::optional) layer around: any other refuses
    /// such a request before its path is looked at. A token that comes with one is checked all the
    /// same.
    pub fn public(self, path: impl Into<String>) -> Self {
        self.with(path.into(), Rule::Public)
    }

    fn with(mut self, path: String, rule: Rule) -> Self {
        self.rules.push((path, rule));
        self
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (at, (path, rule)) in self.rules.iter().enumerate() {
            if !is_path(path) {
                let mend =
                    "write /package.Service/Method, or /package.Service/* for the whole service";
                faults.push(fault(format!("{path:?} is not the path of a gRPC method"), mend));
            }
            if self.rules.iter().take(at).any(|(other, _)| other == path) {
                let mend = "keep one rule for each path, and join requirements with `and`";
                faults.push(fault(format!("{path:?} has two rules"), mend));
            }
            faults.extend(rule.demand().map(|demand| demand.faults()).unwrap_or_default());
        }
        faults
    }

    pub(super) fn into_table(self, settings: &Settings) -> Result<Table, ConfigError> {
        let faults = self.faults();
        if !faults.is_empty() {
            return Err(ConfigError::new(faults));
        }
        let mut table = Table::default();
        for (path, rule) in self.rules {
            let demand = rule.demand();
            if let Some(demand) = &demand {
                demand.register(settings);
            }
            table.insert(
                &path,
                demand.map_or(Access::Public, |demand| Access::Demand(Arc::new(demand))),
            );
        }
        Ok(table)
    }
}

impl Rule {
    fn demand(&self) -> Option<Demand> {
        match self {
            Self::Public => None,
            Self::AnyToken => Some(Demand::default().kept()),
            Self::Require(requirement) => Some(Demand::new(requirement.clone()).kept()),
        }
    }
}

fn fault(problem: String, mend: &'static str) -> Fault {
    Fault::new("require_methods", problem, mend)
}

/// Two segments of unreserved characters (RFC 3986 §2.3), or a star for the second.
fn is_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_plain);
    let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    parts.is_some_and(|(service, method)| is_name(service) && (is_name(method) || method == "*"))
}

/// The rules of single methods by path, and those of whole services by name.
#[derive(Debug, Default)]
pub(super) struct Table {
    methods: HashMap<String, Access>,
    services: HashMap<String, Access>,
}

/// Who may call a method.
#[derive(Debug)]
pub(super) enum Access {
    Public,
    Demand(Arc<Demand>),
}

impl Table {
    fn insert(&mut self, path: &str, access: Access) {
        match path.strip_prefix('/').and_then(|path| path.strip_suffix("/*")) {
            Some(service) => self.services.insert(service.to_owned(), access),
            None => self.methods.insert(path.to_owned(), access),
        };
    }

    /// The rule of the method at that path, else that of its service.
    pub(super) fn access(&self, path: &str) -> Option<&Access> {
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        if method.is_empty() || method.contains('/') {
            return None;
        }
        self.methods.get(path).or_else(|| self.services.get(service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_a_service_and_a_method() {
        for path in ["/a/b", "/demo.v1.Tools/Add", "/demo.Tools/*", "/a_b/c-d~e"] {
            assert!(is_path(path), "{path}");
        }
        for path in [
            "", "/", "a/b", "/a", "/a/", "//b", "/a/b/c", "/*/b", "/a/b*", "/a/b?c", "/a b/c",
            "/a/%41",
        ] {
            assert!(!is_path(path), "{path}");
        }
    }

    #[test]
    fn a_rule_of_a_method_comes_before_that_of_its_service() {
        let mut table = Table::default();
        table.insert("/a.B/C", Access::Public);
        table.insert("/a.B/*", Access::Demand(Arc::default()));
        assert!(matches!(table.access("/a.B/C"), Some(Access::Public)));
        for path in ["/a.B/D", "/a.B/c", "/a.B/C%20", "/a.B/*"] {
            assert!(matches!(table.access(path), Some(Access::Demand(_))), "{path}");
        }
        for path in ["/a.B/", "/a.B/C/", "/a.B/D/E", "/a.b/C", "/a.B", "/a.BB/C", "a.B/C", "*", ""]
        {
            assert!(table.access(path).is_none(), "{path}");
        }
    }
}
