//! Sets of scopes (RFC 6749 §3.3).

use std::fmt;

/// In the order they were asked for, each once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Scope(Vec<String>);

impl Scope {
    pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scope = Self::default();
        for name in names {
            if !scope.has(name) {
                scope.0.push(name.to_owned());
            }
        }
        scope
    }

    /// None if the text has characters that names of scopes have not.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let good = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        text.bytes().all(good).then(|| Self::of(text.split(' ').filter(|name| !name.is_empty())))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }

    pub(super) fn has_all(&self, others: &Self) -> bool {
        others.names().all(|name| self.has(name))
    }

    /// What both have.
    pub(super) fn and(&self, others: &Self) -> Self {
        Self::of(self.names().filter(|name| others.has(name)))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}
