//! Whom a layer has let through.

use super::grant::{Anonymous, Grant};

/// Who sent a request, as the layer around has found out.
#[derive(Clone, Copy)]
pub(crate) enum Caller<'r> {
    Granted(&'r Grant),
    Anonymous(&'r Anonymous),
}

#[cfg(any(feature = "axum", feature = "mcp", feature = "tonic"))]
impl<'r> Caller<'r> {
    /// Fails closed: where no layer has looked at the request, that is no anonymous caller.
    pub(crate) fn of(extensions: &'r http::Extensions) -> Option<Self> {
        let granted = extensions.get().map(Self::Granted);
        granted.or_else(|| extensions.get().map(Self::Anonymous))
    }

    /// The grant, for whoever cannot do without.
    pub(crate) fn granted(self) -> Result<&'r Grant, crate::rejection::Rejection> {
        match self {
            Self::Granted(grant) => Ok(grant),
            Self::Anonymous(anonymous) => {
                let demand = std::sync::Arc::default();
                Err(crate::rejection::Rejection::missing(anonymous, &demand))
            }
        }
    }
}
