//! Whom a layer has let through.

#[cfg(any(feature = "axum", feature = "mcp", feature = "tonic"))]
use std::sync::Arc;

#[cfg(any(feature = "axum", feature = "mcp", feature = "tonic"))]
use http::Extensions;

use super::grant::{Anonymous, Grant};
#[cfg(any(feature = "axum", feature = "mcp", feature = "tonic"))]
use crate::rejection::Rejection;

/// Who sent a request, as the layer around has found out.
#[derive(Clone, Copy)]
pub(crate) enum Caller<'r> {
    Granted(&'r Grant),
    Anonymous(&'r Anonymous),
}

#[cfg(any(feature = "axum", feature = "mcp", feature = "tonic"))]
impl<'r> Caller<'r> {
    /// Fails closed: where no layer has looked at the request, that is no anonymous caller.
    pub(crate) fn of(extensions: &'r Extensions) -> Option<Self> {
        let granted = extensions.get().map(Self::Granted);
        granted.or_else(|| extensions.get().map(Self::Anonymous))
    }

    /// The grant, for whoever cannot do without.
    pub(crate) fn granted(self) -> Result<&'r Grant, Rejection> {
        match self {
            Self::Granted(grant) => Ok(grant),
            Self::Anonymous(anonymous) => Err(Rejection::missing(anonymous, &Arc::default())),
        }
    }
}
