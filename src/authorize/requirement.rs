//! What a route or a handler demands, composed of scopes, details, step-up and predicates.

use std::fmt;
use std::sync::Arc;

use super::{AuthorizationDetails, Demand, Grant, Scopes, StepUp};
use crate::charset;
use crate::config::Fault;
use crate::rejection::Rejection;

/// A demand on the token of a request.
///
/// Made from [`Scopes`], [`AuthorizationDetails`], [`StepUp`] or a [`Predicate`], and combined with
/// `and` and `or`.
///
/// Layers and [`Grant::require`] take anything that converts into one, so the type is rarely named.
///
/// # Combined
///
/// `and` binds what stands before it, as methods do: `a.or(b).and(c)` is *(a or b) and c*, and
/// `a.or(b.and(c))` is *a or (b and c)*.
///
/// Every part of an `and` is tested, so that one answer can name all that is missing. If several
/// are missing, the answer is a step-up before a lack of scopes before a lack of authorization
/// details before a failed predicate: the token that follows a step-up needs the scopes anyway. Of
/// an `or`, parts are tested until one holds.
///
/// ```
/// use tower_resource_server::{Predicate, Requirement, Scopes};
///
/// let own = Predicate::new("Only members may read", |grant| {
///     grant.claim::<bool>("member").unwrap_or(false)
/// });
/// // Members with the scope, or support staff.
/// let reading: Requirement = Scopes::all(["notes/read"]).and(own).or(Scopes::all(["support"]));
/// # let _ = reading;
/// ```
#[derive(Clone, Debug)]
pub struct Requirement(Node);

#[derive(Clone, Debug)]
pub(super) enum Node {
    Scopes(Scopes),
    AuthorizationDetails(AuthorizationDetails),
    StepUp(StepUp),
    Predicate(Predicate),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// A test of an application's own, with the reason a client is told when it fails.
///
/// ```
/// use tower_resource_server::{Predicate, Scopes};
///
/// let verified = Predicate::new("The email address is not verified", |grant| {
///     grant.claim::<bool>("email_verified") == Some(true)
/// });
/// let requirement = Scopes::all(["profile"]).and(verified);
/// # let _ = requirement;
/// ```
///
/// The refusal is a 403 `insufficient_scope`, for OAuth has no closer code, with the reason as
/// `error_description`. The kind is `requirement-not-met`.
///
/// The test runs on the request path, at every request, and with the whole verified [`Grant`]. It
/// cannot wait for anything and should not block; what needs a database belongs into the handler. A
/// claim that is absent should fail it, as above. If it panics, so does the call of the layer:
/// nothing catches it, and the request does not reach the application.
#[derive(Clone)]
pub struct Predicate {
    reason: Arc<str>,
    test: Arc<dyn Fn(&Grant) -> bool + Send + Sync>,
}

impl Predicate {
    /// A test and the reason for a refusal: plain ASCII without quotes, backslashes or `=`.
    ///
    /// A reason that is empty or has other characters is a fault of the requirement. Say what is
    /// missing without the data of the token: the reason is fixed, and so cannot reveal any.
    pub fn new(
        reason: impl Into<Arc<str>>,
        test: impl Fn(&Grant) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { reason: reason.into(), test: Arc::new(test) }
    }

    fn faults(&self, faults: &mut Vec<Fault>) {
        let safe = charset::description(&self.reason) == *self.reason;
        if !safe || self.reason.is_empty() || self.reason.contains('=') {
            let problem = format!("the reason {:?} cannot stand in a challenge", self.reason);
            let mend = "use plain ASCII without quotes, backslashes and equals signs";
            faults.push(Fault::new("require", problem, mend));
        }
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predicate").field("reason", &self.reason).finish_non_exhaustive()
    }
}

/// What a grant lacks of a requirement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shortfall {
    pub(crate) scope: bool,
    pub(crate) details: bool,
    pub(crate) step_up: bool,
    pub(crate) reason: Option<Arc<str>>,
}

impl Shortfall {
    pub(crate) const fn is_none(&self) -> bool {
        !self.step_up && !self.is_more_than_step_up()
    }

    /// Whether another authentication of the same user would not be enough.
    pub(crate) const fn is_more_than_step_up(&self) -> bool {
        self.scope || self.details || self.reason.is_some()
    }

    pub(crate) fn into_rejection(self, grant: &Grant, demand: &Arc<Demand>) -> Rejection {
        Rejection::short(grant, Arc::clone(demand), self)
    }

    fn join(self, other: Self) -> Self {
        Self {
            scope: self.scope || other.scope,
            details: self.details || other.details,
            step_up: self.step_up || other.step_up,
            reason: self.reason.or(other.reason),
        }
    }
}

impl Requirement {
    /// Both this and `other`.
    #[must_use]
    pub fn and(self, other: impl Into<Self>) -> Self {
        let Self(other) = other.into();
        Self(match self.0 {
            Node::All(mut nodes) => {
                nodes.push(other);
                Node::All(nodes)
            }
            first => Node::All(vec![first, other]),
        })
    }

    /// This or `other`. When neither holds, the client is told what the first lacks.
    #[must_use]
    pub fn or(self, other: impl Into<Self>) -> Self {
        let Self(other) = other.into();
        Self(match self.0 {
            Node::Any(mut nodes) => {
                nodes.push(other);
                Node::Any(nodes)
            }
            first => Node::Any(vec![first, other]),
        })
    }

    pub(crate) fn shortfall(&self, grant: &Grant) -> Shortfall {
        self.0.shortfall(grant)
    }

    pub(crate) fn faults(&self, faults: &mut Vec<Fault>) {
        self.0.leaves(&mut |leaf| match leaf {
            Node::Scopes(scopes) => scopes.faults(faults),
            Node::AuthorizationDetails(details) => details.faults(faults),
            Node::StepUp(step_up) => step_up.faults(faults),
            Node::Predicate(predicate) => predicate.faults(faults),
            Node::All(_) | Node::Any(_) => {}
        });
        self.0.contradictions(faults);
    }

    /// All scopes the operation needs, as a challenge lists them, never only those missing.
    pub(crate) fn challenged_scopes(&self) -> Vec<String> {
        let mut scopes = Vec::new();
        self.0.challenged(&mut scopes);
        scopes
    }

    /// Every scope that is named anywhere in it.
    pub(crate) fn named_scopes(&self) -> Vec<String> {
        let mut named = Vec::new();
        self.0.leaves(&mut |leaf| {
            if let Node::Scopes(scopes) = leaf {
                named.extend_from_slice(scopes.named());
            }
        });
        named
    }

    /// Every type of authorization details that is named anywhere in it.
    pub(crate) fn named_types(&self) -> Vec<String> {
        let mut named = Vec::new();
        self.0.leaves(&mut |leaf| {
            if let Node::AuthorizationDetails(details) = leaf {
                named.push(details.kind().to_owned());
            }
        });
        named
    }

    /// Has the first of alternatives be one that goes with the rest, since the first is what a client
    /// is told.
    pub(crate) fn settle(mut self) -> Self {
        self.0.settle(None);
        self
    }

    /// All that a challenge asks of the authentication.
    pub(crate) fn step_up(&self) -> Option<StepUp> {
        self.0.step_up()
    }
}

/// Asks an authorization server for a refresh token and means nothing to a resource, so neither
/// challenges nor metadata name it.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

impl Node {
    fn shortfall(&self, grant: &Grant) -> Shortfall {
        match self {
            Self::Scopes(scopes) => {
                Shortfall { scope: !scopes.are_met_by(grant), ..Shortfall::default() }
            }
            Self::AuthorizationDetails(details) => {
                Shortfall { details: !details.are_met_by(grant), ..Shortfall::default() }
            }
            Self::StepUp(step_up) => {
                Shortfall { step_up: !step_up.is_met_by(grant), ..Shortfall::default() }
            }
            Self::Predicate(Predicate { reason, test }) => Shortfall {
                reason: (!test(grant)).then(|| Arc::clone(reason)),
                ..Shortfall::default()
            },
            Self::All(nodes) => nodes
                .iter()
                .map(|node| node.shortfall(grant))
                .fold(Shortfall::default(), Shortfall::join),
            Self::Any(nodes) => any(nodes, grant),
        }
    }

    fn leaves(&self, visit: &mut dyn FnMut(&Self)) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => {
                nodes.iter().for_each(|node| node.leaves(visit));
            }
            leaf => visit(leaf),
        }
    }

    fn challenged(&self, scopes: &mut Vec<String>) {
        match self {
            Self::Scopes(leaf) => {
                for scope in leaf.challenged() {
                    if !scopes.contains(scope) && scope != OFFLINE_ACCESS {
                        scopes.push(scope.clone());
                    }
                }
            }
            Self::All(nodes) => nodes.iter().for_each(|node| node.challenged(scopes)),
            Self::Any(nodes) => nodes.iter().take(1).for_each(|node| node.challenged(scopes)),
            Self::AuthorizationDetails(_) | Self::StepUp(_) | Self::Predicate(_) => {}
        }
    }
}

/// Nothing when one of them is met, else what the first lacks.
fn any(nodes: &[Node], grant: &Grant) -> Shortfall {
    let mut first = None;
    for node in nodes {
        let shortfall = node.shortfall(grant);
        if shortfall.is_none() {
            return shortfall;
        }
        first.get_or_insert(shortfall);
    }
    first.unwrap_or_default()
}

macro_rules! leaf {
    ($leaf:ident) => {
        impl From<$leaf> for Requirement {
            fn from(leaf: $leaf) -> Self {
                Self(Node::$leaf(leaf))
            }
        }

        impl $leaf {
            /// Both this and `other`.
            #[must_use]
            pub fn and(self, other: impl Into<Requirement>) -> Requirement {
                Requirement::from(self).and(other)
            }

            /// This or `other`. When neither holds, the client is told what the first lacks.
            #[must_use]
            pub fn or(self, other: impl Into<Requirement>) -> Requirement {
                Requirement::from(self).or(other)
            }
        }
    };
}

leaf!(Scopes);
leaf!(AuthorizationDetails);
leaf!(StepUp);
leaf!(Predicate);
