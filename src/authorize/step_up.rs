//! Demands on how and when the user authenticated (RFC 9470).

use std::time::Duration;

use super::Grant;
use crate::charset;
use crate::clock::Timestamp;
use crate::config::Fault;

/// How strong and how recent the user's authentication must be.
///
/// A token meets it by its `acr` and `auth_time` claims; absent claims meet nothing (RFC 9470
/// §6.1), and `iat` does not stand in for `auth_time`. Values of `acr` are compared exactly,
/// without any order among them.
///
/// ```
/// use std::time::Duration;
/// use tower_resource_server::StepUp;
///
/// let payments = StepUp::acr(["urn:example:mfa"]).max_age(Duration::from_secs(300));
/// # let _ = payments;
/// ```
///
/// The refusal is a 401 `insufficient_user_authentication` with `acr_values` and `max_age` (RFC
/// 9470 §3). A client that understands it sends the user to the authorization server with the same
/// two parameters. Several step-ups joined by `and` must all be met; their challenge asks for the
/// classes they have in common and for the shortest time. Where they have none in common, nobody could
/// meet them, and the requirement has a fault.
///
/// ```
/// use std::time::Duration;
/// use http::{Request, StatusCode, header};
/// use tower::ServiceExt;
/// use tower_resource_server::{StepUp, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// let strong = StepUp::acr(["urn:example:mfa"]).max_age(Duration::from_secs(300));
/// let layer = server.authenticate().require(strong);
/// let app = axum::Router::new().fallback(|| async {}).layer(layer);
///
/// let password = issuer.token().claim("acr", "urn:example:pwd");
/// let response = app.oneshot(password.authorize(Request::new(String::new()))).await?;
/// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
/// let challenge = response.headers()[header::WWW_AUTHENTICATE].to_str()?;
/// assert!(challenge.contains(r#"acr_values="urn:example:mfa", max_age="300""#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StepUp {
    acr_values: Vec<String>,
    max_age: Option<Duration>,
}

impl StepUp {
    /// One of these authentication context classes, the preferred one first.
    ///
    /// List every class that will do: the crate knows of no order by which one contains another. A
    /// value with a space, a quote or a backslash is a fault, since the challenge separates them by
    /// spaces.
    pub fn acr<S: Into<String>>(values: impl IntoIterator<Item = S>) -> Self {
        let acr_values = values.into_iter().map(Into::into).collect();
        Self { acr_values, max_age: None }
    }

    /// Any class, at most so long ago. The server's leeway is added.
    ///
    /// An `auth_time` that lies ahead by more than the leeway does not count. Zero is allowed: then
    /// the authentication must be no older than the leeway. Whole seconds count, as in the
    /// challenge: fractions are cut off.
    #[must_use]
    pub const fn within(max_age: Duration) -> Self {
        Self { acr_values: Vec::new(), max_age: Some(max_age) }
    }

    /// Also at most so long ago, as for [`within`](Self::within). The server's leeway is added.
    #[must_use]
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    pub(super) fn is_met_by(&self, grant: &Grant) -> bool {
        let (acr, authenticated) = grant.authentication();
        let strong = self.acr_values.is_empty()
            || acr.is_some_and(|acr| self.acr_values.iter().any(|value| value == acr));
        let recent = self.max_age.is_none_or(|max_age| {
            authenticated.is_some_and(|time| is_recent(time, max_age, grant))
        });
        strong && recent
    }

    /// What meets both: the classes in common and the shorter time. Where no class meets both, the
    /// requirement has a [fault](Self::contradiction), and the classes here mean nothing.
    pub(super) fn join(mut self, other: Self) -> Self {
        if self.acr_values.is_empty() || self.excludes(&other) {
            self.acr_values = other.acr_values;
        } else if !other.acr_values.is_empty() {
            self.acr_values.retain(|value| other.acr_values.contains(value));
        }
        let ages = [self.max_age, other.max_age];
        self.max_age = ages.into_iter().flatten().min();
        self
    }

    /// Whether each names classes, and none is named by both.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        let [ours, theirs] = [&self.acr_values, &other.acr_values];
        let apart = !ours.iter().any(|value| theirs.contains(value));
        !ours.is_empty() && !theirs.is_empty() && apart
    }

    /// The fault of a requirement that asks for both, where no token can meet them.
    pub(super) fn contradiction(&self, other: &Self) -> Option<Fault> {
        self.excludes(other).then(|| {
            let [ours, theirs] = [&self.acr_values, &other.acr_values];
            let problem = format!("no acr value is both in {ours:?} and in {theirs:?}");
            let mend = "name in each step-up every acr value that will do for both";
            Fault::new("require", problem, mend)
        })
    }

    pub(super) fn acr_values(&self) -> Option<String> {
        (!self.acr_values.is_empty()).then(|| self.acr_values.join(" "))
    }

    pub(super) const fn max_age_seconds(&self) -> Option<u64> {
        match self.max_age {
            Some(max_age) => Some(max_age.as_secs()),
            None => None,
        }
    }

    pub(super) fn faults(&self, faults: &mut Vec<Fault>) {
        if self.acr_values.is_empty() && self.max_age.is_none() {
            let mend = "name an acr value or a max_age";
            faults.push(Fault::new("require", "a step-up that asks for nothing", mend));
        }
        for value in self.acr_values.iter().filter(|value| !charset::is_scope_token(value)) {
            let problem = format!("the acr value {value:?} has a space, a quote or a backslash");
            faults.push(Fault::new("require", problem, "list each acr value on its own"));
        }
    }
}

fn is_recent(time: Timestamp, max_age: Duration, grant: &Grant) -> bool {
    let (now, leeway) = grant.now_and_leeway();
    // What the challenge says counts: whole seconds.
    let oldest = now.minus(Duration::from_secs(max_age.as_secs())).minus(leeway);
    time >= oldest && time <= now.plus(leeway)
}
