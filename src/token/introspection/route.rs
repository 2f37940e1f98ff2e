//! Whom to ask about a token: told by its shape alone.
//!
//! A token that is sent to the wrong server is in the hands of a stranger. So there is never a
//! choice: a prefix belongs to one issuer, at most one takes tokens of any shape, and a signed token
//! names its issuer itself.

use std::borrow::Cow;
use std::sync::Arc;

use crate::json::Object;
use crate::jws::{self, Compact};
use crate::token::types::is_foreign;
use crate::token::{Issuers, TrustedIssuer};

/// Which tokens are sent to an issuer's endpoint.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    /// Those that begin so; with none, all opaque ones that no other issuer is named for.
    pub(crate) prefixes: Vec<String>,
    /// None but signed ones.
    pub(crate) signed_only: bool,
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
        let Shapes { prefixes, signed_only, every_token } = introspector.shapes();
        self.signed |= every_token;
        if prefixes.is_empty() && !signed_only {
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
        if self.prefixed.is_empty() && self.others.is_none() && !self.signed {
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
struct Jwt<'a> {
    parts: Compact<'a>,
    /// Its header says that it is no access token.
    foreign: bool,
}

impl<'a> Jwt<'a> {
    fn read(token: &'a str) -> Option<Self> {
        let parts = Compact::split(token)?;
        let header = jws::decode_text(parts.header)?;
        let typ = Object::parse(&header).ok()?.string("typ");
        let foreign = typ.is_ok_and(|typ| typ.is_some_and(|typ| is_foreign(&typ)));
        Some(Self { parts, foreign })
    }

    /// The issuer it names, if that one takes signed tokens too. Who names another than its own
    /// asks a server that knows nothing of the token. A JWT of another kind is nobody's access token
    /// (RFC 8725 §3.12): it is refused here by its type, as if it were to be verified.
    fn issuer<'i>(&self, issuers: &'i Issuers) -> Option<&'i Arc<TrustedIssuer>> {
        if self.foreign {
            return None;
        }
        let payload = jws::decode_text(self.parts.payload)?;
        let members = Object::parse(&payload).ok()?;
        let named: Cow<'_, str> = members.string("iss").ok()??;
        let takes = |issuer: &&Arc<TrustedIssuer>| {
            issuer.introspection.as_ref().is_some_and(|asked| asked.shapes().every_token)
        };
        issuers.configured(&named).filter(takes)
    }
}
