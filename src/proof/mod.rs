//! Stage 3: whether the sender of a verified token may use it.
//!
//! The check for downgrades stands here, where no token gets past it: a token bound to a key is
//! never accepted without proof of that key (RFC 9449 §7.2, RFC 8705 §3).

mod htu;
pub(crate) mod nonce;
pub(crate) mod proxy;
pub(crate) mod replay;
pub(crate) mod target;

use std::sync::Arc;

use crate::error::RejectionKind;
use crate::token::{Refused, VerifiedToken};

/// How the presented token is tied to its sender.
///
/// More ways may be added, which is why the type is not exhaustive. An application that wants to
/// treat bound tokens as more trustworthy can ask [`Grant::binding`](crate::Grant::binding)
/// already; today the answer is always the same, since tokens bound to a key are refused.
///
/// It says what was *verified*, not what the token asks for: with
/// [`ignore_unverifiable_confirmation`](crate::Danger::ignore_unverifiable_confirmation), a token
/// with `cnf` is a bearer token too.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Binding {
    /// Not at all: whoever holds the token may use it (RFC 6750).
    Bearer,
}

impl Binding {
    /// `bearer`, in lower case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
        }
    }
}

/// What to do with a token whose `cnf` the server cannot verify.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum UnverifiableConfirmation {
    #[default]
    Refuse,
    Ignore,
}

/// A verified token whose sender has shown what its binding asks for.
#[derive(Clone, Debug)]
pub(crate) struct BoundToken {
    token: VerifiedToken,
    binding: Binding,
}

impl BoundToken {
    /// RFC 7800 §3.1: any `cnf` says that the token is bound. No method of confirmation is
    /// verified for the Bearer scheme, so a token with one fails closed.
    pub(crate) fn bind(
        token: VerifiedToken,
        unverifiable: UnverifiableConfirmation,
    ) -> Result<Self, Refused> {
        let bound = token.signed().claims.confirmation.is_some();
        if bound && unverifiable == UnverifiableConfirmation::Refuse {
            return Err((RejectionKind::UnsupportedConfirmation, Arc::clone(token.signed())));
        }
        Ok(Self { token, binding: Binding::Bearer })
    }

    pub(crate) const fn token(&self) -> &VerifiedToken {
        &self.token
    }

    pub(crate) const fn binding(&self) -> &Binding {
        &self.binding
    }
}
