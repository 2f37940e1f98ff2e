//! Whom to ask about a token: told by its shape alone.
//!
//! A token that is sent to the wrong server is in the hands of a stranger. So there is never a
//! choice: a prefix belongs to one issuer, at most one takes tokens of any shape, and a signed token
//! names its issuer itself.

use std::borrow::Cow;
use std::sync::Arc;

use crate::json::Object;
use crate::jws::{self, Compact};
use crate::token::{Issuers, TrustedIssuer};

/// Which tokens are sent to an issuer's endpoint.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    /// Those that begin so; with none, all that no other issuer is named for.
    pub(crate) prefixes: Vec<String>,
    /// Signed ones too, which the issuer's keys could verify.
    pub(crate) every_token: bool,
}

/// The issuers that introspect.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Longer prefixes first.
    prefixed: Vec<(Box<str>, Arc<TrustedIssuer>)>,
    others: Option<Arc<TrustedIssuer>>,
    /// Whether any takes signed tokens.
    signed: bool,
}

impl Routes {
    pub(crate) fn add(&mut self, issuer: &Arc<TrustedIssuer>) {
        let Some(introspector) = &issuer.introspection else { return };
        let Shapes { prefixes, every_token } = introspector.shapes();
        self.signed |= every_token;
        if prefixes.is_empty() {
            self.others.get_or_insert_with(|| Arc::clone(issuer));
        }
        let prefixes = prefixes.iter().map(|prefix| (prefix.as_str().into(), Arc::clone(issuer)));
        self.prefixed.extend(prefixes);
        self.prefixed.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
    }

    /// The issuer to ask; none where the token is to be verified here.
    pub(crate) fn find<'a>(
        &'a self,
        token: &str,
        issuers: &'a Issuers,
    ) -> Option<&'a Arc<TrustedIssuer>> {
        if self.prefixed.is_empty() && self.others.is_none() {
            return None;
        }
        let named = self.prefixed.iter().find(|(prefix, _)| token.starts_with(&**prefix));
        let found = match named {
            Some((_, issuer)) => Some(issuer),
            None => match Jwt::read(token) {
                None => self.others.as_ref(),
                Some(jwt) if self.signed => jwt.issuer(issuers),
                Some(_) => None,
            },
        };
        found.filter(|issuer| issuer.is_trusted())
    }
}

/// A token of three parts whose first is a JSON object.
struct Jwt<'a>(Compact<'a>);

impl<'a> Jwt<'a> {
    fn read(token: &'a str) -> Option<Self> {
        let parts = Compact::split(token)?;
        let header = jws::decode_text(parts.header)?;
        Object::parse(&header).ok().map(|_| Self(parts))
    }

    /// The issuer it names, if that one takes signed tokens too. Who names another than its own
    /// asks a server that knows nothing of the token.
    fn issuer<'i>(&self, issuers: &'i Issuers) -> Option<&'i Arc<TrustedIssuer>> {
        let payload = jws::decode_text(self.0.payload)?;
        let members = Object::parse(&payload).ok()?;
        let named: Cow<'_, str> = members.string("iss").ok()??;
        let takes = |issuer: &&Arc<TrustedIssuer>| {
            issuer.introspection.as_ref().is_some_and(|asked| asked.shapes().every_token)
        };
        issuers.configured(&named).filter(takes)
    }
}
