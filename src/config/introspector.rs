//! Checks of how issuers are asked about tokens.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::client_authentication::Method;
use super::introspection::Endpoint;
use super::trust::Trust;
use super::{Builder, ClientAuthentication, Fault, Introspection, Issuer};
use crate::clock::Timestamp;
use crate::fetch::FetchLimits;
use crate::keys::{CryptoBackend, Supplies};
use crate::token::TrustedIssuer;
use crate::token::introspection::{
    AnswerPolicy, Assertion, Credentials, Introspector, IntrospectorSettings, Location, Memories,
    Memory, Shapes, SignedAnswers,
};

const MAX_ACTIVE: Duration = Duration::from_secs(60 * 60);
const MAX_REFUSALS: Duration = Duration::from_secs(60);
const MAX_CALLS: usize = 10_000;
const MAX_A_SECOND: u32 = 100_000;
/// Longest answer read.
const MAX_BYTES: usize = 64 * 1024;

impl Trust {
    /// What asks the issuer, and what it remembers; `None` along with a fault, or where the issuer
    /// is not to be asked.
    pub(super) fn introspector(
        &self,
        issuer: &Issuer,
        made: Option<&TrustedIssuer>,
        faults: &mut Vec<Fault>,
    ) -> Option<(Introspector, Arc<Memory>)> {
        let given = issuer.introspection.as_ref()?;
        given.check(issuer, faults);
        let credentials = given.authentication.credentials(issuer, self.backend, faults);
        let memory = given.memory(faults);
        let location = self.location(given, issuer, made, faults);
        let supplies = self.supplies(issuer, faults)?;
        let limits = FetchLimits { max_bytes: MAX_BYTES, ..supplies.limits };
        let settings = IntrospectorSettings {
            supplies: Supplies { limits, ..supplies },
            location: location?,
            credentials: credentials?,
            shapes: Shapes {
                prefixes: given.prefixes.clone(),
                signed_only: given.signed_only,
                every_token: issuer.is_asked_about_every_token(),
            },
            hint: given.hint,
            policy: AnswerPolicy {
                audience_required: given.audience_required,
                scope_lists: given.scope_lists,
            },
            signed: self.signed_answers(given),
            concurrent: given.concurrent,
            a_second: given.a_second,
        };
        let memory = memory?;
        Some((Introspector::new(settings, &memory), memory))
    }

    /// Metadata that is looked up for the keys serves here too.
    fn location(
        &self,
        given: &Introspection,
        issuer: &Issuer,
        made: Option<&TrustedIssuer>,
        faults: &mut Vec<Fault>,
    ) -> Option<Location> {
        match (&given.endpoint, made.and_then(|made| made.keys.metadata())) {
            (Endpoint::At(url), _) => {
                let source = "use the introspection_endpoint of the issuer's metadata";
                self.checked_url("introspection", url, source, faults).map(Location::At)
            }
            (Endpoint::Discovered, Some(shared)) => Some(Location::Metadata(Arc::clone(shared))),
            (Endpoint::Discovered, None) => self.metadata(issuer, faults).map(Location::Metadata),
        }
    }

    fn signed_answers(&self, given: &Introspection) -> Option<SignedAnswers> {
        let mut audiences = vec![self.resource.clone()];
        audiences.extend(given.authentication.method.client_id().map(str::to_owned));
        let algorithms = given.signed.clone()?;
        Some(SignedAnswers { algorithms, audiences, leeway: self.leeway })
    }
}

impl Builder {
    /// A token of two issuers would be shown to one that did not make it.
    pub(super) fn check_shapes(&self, faults: &mut Vec<Fault>) {
        let mut owners: HashMap<Option<&str>, &str> = HashMap::new();
        for issuer in &self.issuers {
            let given = issuer.introspection.as_ref().filter(|given| !given.signed_only);
            let Some(given) = given else { continue };
            let named = given.prefixes.iter().map(|prefix| Some(prefix.as_str()));
            let shapes: Vec<_> =
                if given.prefixes.is_empty() { vec![None] } else { named.collect() };
            for prefix in shapes {
                let Some(other) = owners.insert(prefix, &issuer.identifier) else { continue };
                let what =
                    prefix.map_or_else(|| "any shape".to_owned(), |prefix| format!("{prefix:?}"));
                let problem =
                    format!("tokens of {what} belong to {other:?} and to {:?}", issuer.identifier);
                let mend = "give all but one a token_prefix, each its own, or signed_tokens_only()";
                faults.push(Fault::new("introspection", problem, mend));
            }
        }
    }
}

impl Introspection {
    fn check(&self, issuer: &Issuer, faults: &mut Vec<Fault>) {
        let mut check = |good: bool, problem: &str, mend: &'static str| {
            if !good {
                let problem = format!("of {:?}: {problem}", issuer.identifier);
                faults.push(Fault::new("introspection", problem, mend));
            }
        };
        self.check_prefixes(&mut check);
        self.check_bounds(&mut check);
        let Some(algorithms) = &self.signed else { return };
        check(
            !algorithms.is_empty(),
            "no algorithm of signed answers is accepted",
            "name the introspection_signed_response_alg of this client",
        );
        check(
            !issuer.has_no_keys(),
            "signed answers are demanded, and no keys are known to verify them",
            "use Issuer::jwks_uri(issuer, url).introspect(..)",
        );
    }

    /// Each check is given whether it is met, and else what is wrong and how to mend it.
    fn check_prefixes(&self, check: &mut dyn FnMut(bool, &str, &'static str)) {
        let sendable = |prefix: &String| {
            !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_graphic())
        };
        check(
            self.prefixes.iter().all(sendable),
            "a token prefix is empty or has characters that no token has",
            "use what its tokens begin with, such as ory_at_",
        );
        check(
            self.prefixes.is_empty() || !self.signed_only,
            "a token prefix is given, and no opaque tokens are sent to it",
            "leave out token_prefix, or signed_tokens_only",
        );
        // The header of a JWT is an object, whose first bytes in base64url are these (RFC 7515 §3.1).
        let signed = |prefix: &String| {
            ["ey", "ew"]
                .iter()
                .any(|start| prefix.starts_with(start) || start.starts_with(&**prefix))
        };
        check(
            !self.prefixes.iter().any(|prefix| !prefix.is_empty() && signed(prefix)),
            "a token prefix is one that signed tokens begin with, whoever made them",
            "use what its opaque tokens begin with; for signed ones there is every_token()",
        );
    }

    fn check_bounds(&self, check: &mut dyn FnMut(bool, &str, &'static str)) {
        check(
            self.active_for <= MAX_ACTIVE,
            "answers are remembered for more than an hour",
            "use 60 s; a token works so long after it was revoked",
        );
        check(
            self.refusals_for <= MAX_REFUSALS,
            "refusals are remembered for more than 60 s",
            "use 10 s",
        );
        check(
            (1..=MAX_CALLS).contains(&self.concurrent),
            "calls under way not from 1 to 10000",
            "use 64",
        );
        check(
            (1..=MAX_A_SECOND).contains(&self.a_second),
            "calls a second not from 1 to 100000",
            "use 500",
        );
    }

    fn memory(&self, faults: &mut Vec<Fault>) -> Option<Arc<Memory>> {
        let memories = Memories {
            active_for: self.active_for,
            refusals_for: self.refusals_for,
            bytes: self.cache_bytes,
        };
        let memory = Memory::new(memories);
        if memory.is_none() {
            let problem = "the operating system gives no random bytes";
            faults.push(Fault::new("introspection", problem, "look to the system's getrandom"));
        }
        memory.map(Arc::new)
    }
}

impl ClientAuthentication {
    fn credentials(
        &self,
        issuer: &Issuer,
        backend: CryptoBackend,
        faults: &mut Vec<Fault>,
    ) -> Option<Credentials> {
        let mut fault = |problem: String, mend: &'static str| {
            faults.push(Fault::new("client_authentication", problem, mend));
        };
        let client_id = self.method.client_id();
        if client_id.is_some_and(str::is_empty) {
            fault("the client id is empty".into(), "use that of this server at the issuer");
        }
        let signs = matches!(self.method, Method::PrivateKeyJwt { .. });
        if self.assertion_audience.is_some() && !signs {
            fault(
                format!("{self:?} makes no assertion that could have an audience"),
                "leave assertion_audience out",
            );
        }
        let credentials = match &self.method {
            Method::Basic { client_id, secret } => Credentials::basic(client_id, secret),
            Method::Post { client_id, secret } => Some(Credentials::Post {
                client_id: client_id.clone(),
                secret: Some(secret.clone()),
            }),
            Method::Secret { client_id, secret } => Credentials::secret(client_id, secret),
            Method::ClientId(client_id) => {
                Some(Credentials::Post { client_id: client_id.clone(), secret: None })
            }
            Method::PrivateKeyJwt { client_id, key } => {
                let audience = self.assertion_audience.as_ref().unwrap_or(&issuer.identifier);
                let (client_id, audience) = (client_id.clone(), audience.clone());
                let assertion = Assertion { client_id, audience, key: key.clone(), backend };
                // A key that does not sign is better found now.
                let signed = assertion.sign(Timestamp::from_seconds(0)).is_some();
                signed.then_some(Credentials::Assertion(assertion))
            }
            Method::Bearer(token) => Credentials::bearer(token),
            Method::BearerFrom(source) => Some(Credentials::Bearer(Arc::clone(source))),
        };
        if credentials.is_none() {
            fault(
                format!("{self:?} cannot be sent: the key does not sign, or the token is none"),
                "use a key of the type its algorithm needs, or a token of visible ASCII",
            );
        }
        credentials
    }
}
