//! Who is at the browser, and what a session remembers of them.

use std::time::{Duration, SystemTime};

use super::scope::Scope;

/// More than a person tries, so that a cookie names no more than that.
const MAX_ACCOUNTS: usize = 4;
const MAX_CONSENTS: usize = 32;

/// Whom `login_hint` names. A hint that names nobody is no order: it is alice who comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Person {
    Alice,
    Bob,
    /// Comes at a time when the server has too much to do.
    Busy,
    /// Refuses what clients ask for.
    Deny,
    /// Makes the server fail.
    Fail,
    /// Gets access tokens that have expired when they come.
    Late,
}

impl Person {
    const ALL: [Self; 6] = [Self::Alice, Self::Bob, Self::Busy, Self::Deny, Self::Fail, Self::Late];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
            Self::Busy => "busy",
            Self::Deny => "deny",
            Self::Fail => "fail",
            Self::Late => "late",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|person| person.name() == name)
    }
}

/// A person who has signed in.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) person: Person,
    pub(super) signed_in_at: SystemTime,
    /// How (OpenID Connect Core §2, `acr`).
    pub(super) acr: String,
    /// Client and scopes.
    pub(super) consents: Vec<(String, Scope)>,
}

impl Account {
    pub(super) fn is_recent(&self, max_age: Option<Duration>, now: SystemTime) -> bool {
        let age = now.duration_since(self.signed_in_at).unwrap_or_default();
        max_age.is_none_or(|max_age| age <= max_age)
    }

    pub(super) fn has_consented(&self, client: &str, scope: &Scope) -> bool {
        self.consents.iter().any(|(to, what)| to == client && what.has_all(scope))
    }

    pub(super) fn consent(&mut self, client: &str, scope: &Scope) {
        if self.has_consented(client, scope) {
            return;
        }
        if self.consents.len() == MAX_CONSENTS {
            self.consents.remove(0);
        }
        self.consents.push((client.to_owned(), scope.clone()));
    }
}

/// What a browser's cookie stands for.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    pub(super) accounts: Vec<Account>,
}

impl Session {
    pub(super) fn account(&self, person: Person) -> Option<&Account> {
        self.accounts.iter().find(|account| account.person == person)
    }

    /// Puts that account in place of the same person's, or of the oldest.
    pub(super) fn put(&mut self, account: Account) {
        self.accounts.retain(|other| other.person != account.person);
        if self.accounts.len() == MAX_ACCOUNTS {
            self.accounts.remove(0);
        }
        self.accounts.push(account);
    }
}
