//! The kind of a JWT, as its header names it (RFC 7515 §4.1.9, RFC 8725 §3.11).

use std::borrow::Cow;

use crate::jws;

/// Types of JWTs that are no access tokens, whatever is in them.
const FOREIGN: [&str; 7] = [
    "client-authentication+jwt",
    "dpop+jwt",
    "entity-statement+jwt",
    "logout+jwt",
    "oauth-authz-req+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
];

/// Whether a `typ` is one of those.
pub(super) fn is_foreign(typ: &str) -> bool {
    FOREIGN.iter().any(|foreign| jws::is_type(typ, foreign))
}

/// A `typ` in its short form and in lower case; or that there is none.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct TokenType(Option<Cow<'static, str>>);

impl TokenType {
    /// RFC 9068 §2.1.
    pub(super) const ACCESS_TOKEN: Self = Self::named("at+jwt");
    /// A header without `typ`.
    pub(super) const ABSENT: Self = Self(None);

    const fn named(short: &'static str) -> Self {
        Self(Some(Cow::Borrowed(short)))
    }

    pub(super) fn parse(name: &str) -> Self {
        Self(Some(Cow::Owned(jws::short_type(name).to_ascii_lowercase())))
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }

    fn is(&self, typ: Option<&str>) -> bool {
        match (&self.0, typ) {
            (Some(short), Some(typ)) => jws::is_type(typ, short),
            (None, None) => true,
            _ => false,
        }
    }
}

/// Types of the access tokens of an issuer, or of all issuers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TokenTypes {
    /// Sorted.
    known: Vec<TokenType>,
    /// There may be issuers that are not known yet, with types of their own.
    open: bool,
}

impl TokenTypes {
    pub(super) fn add(&mut self, typ: TokenType) {
        if let Err(place) = self.known.binary_search(&typ) {
            self.known.insert(place, typ);
        }
    }

    pub(super) fn add_all(&mut self, others: &Self) {
        others.iter().cloned().for_each(|typ| self.add(typ));
    }

    pub(super) fn contains(&self, typ: &TokenType) -> bool {
        self.known.contains(typ)
    }

    /// Leaves it to each issuer to say whether a type is one of its own.
    pub(super) fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// The type that a header names, if it may be one of these.
    pub(super) fn find(&self, typ: Option<&str>) -> Option<TokenType> {
        let known = self.known.iter().find(|known| known.is(typ)).cloned();
        let other = || typ.map_or(TokenType::ABSENT, TokenType::parse);
        known.or_else(|| self.open.then(other))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &TokenType> {
        self.known.iter()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

impl FromIterator<TokenType> for TokenTypes {
    fn from_iter<I: IntoIterator<Item = TokenType>>(types: I) -> Self {
        let mut all = Self::default();
        types.into_iter().for_each(|typ| all.add(typ));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_as_media_types_are_compared() {
        let types: TokenTypes =
            [TokenType::ACCESS_TOKEN, TokenType::parse("Application/X+JWT")].into_iter().collect();
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
            assert_eq!(types.find(Some(typ)), Some(TokenType::ACCESS_TOKEN), "{typ}");
        }
        assert_eq!(types.find(Some("x+jwt")), Some(TokenType::parse("x+jwt")));
        for typ in [None, Some(""), Some("jwt"), Some("at+jwtx")] {
            assert_eq!(types.find(typ), None, "{typ:?}");
        }
    }

    #[test]
    fn no_type_is_a_type_of_its_own() {
        let types: TokenTypes = [TokenType::ABSENT].into_iter().collect();
        assert_eq!(types.find(None), Some(TokenType::ABSENT));
        assert_eq!(types.find(Some("")), None);
        assert_ne!(TokenType::parse(""), TokenType::ABSENT);
    }
}
