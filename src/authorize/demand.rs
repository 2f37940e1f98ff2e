//! A requirement as a layer holds it: checked once, its challenges built once.
//!
//! What a challenge and the body beside it say depends on the layer and the kind of the refusal,
//! hardly ever on the request. So each layer keeps them, one slot a kind, and builds one when it is
//! first needed. A flood of bad requests is then answered without formatting anything.

use std::sync::OnceLock;

use bytes::Bytes;

use super::{Grant, Requirement, Shortfall};
use crate::config::{Fault, Settings};
use crate::error::RejectionKind;
use crate::render::Challenges;
use crate::scheme::{Scheme, SenderConstraint};

/// What one layer demands, and what it says to those who do not meet it.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    pub(crate) requirement: Option<Requirement>,
    /// `scope` of the challenges: everything the operation needs.
    pub(crate) scope: Option<String>,
    pub(crate) acr_values: Option<String>,
    pub(crate) max_age: Option<u64>,
    /// Whether to answer 404 in place of 403 (RFC 9110 §15.5.4).
    pub(crate) conceal: bool,
    /// The requirement has faults: every request is refused.
    pub(crate) unusable: bool,
    /// The layer's own choice of what it accepts; without one, that of the layer around it.
    pub(crate) constraint: Option<SenderConstraint>,
    /// It belongs to a layer and will be used again.
    pub(crate) is_kept: bool,
    challenges: OnceLock<Box<[OnceLock<Challenges>]>>,
    bodies: OnceLock<Box<[OnceLock<Bytes>]>>,
}

/// Kinds, times the schemes that may have been tried: none that is clear, Bearer, DPoP.
const SLOTS: usize = RejectionKind::COUNT * 3;

impl Demand {
    pub(crate) fn new(requirement: Requirement) -> Self {
        let requirement = requirement.settle();
        let scopes = requirement.challenged_scopes();
        let step_up = requirement.step_up();
        Self {
            scope: (!scopes.is_empty()).then(|| scopes.join(" ")),
            acr_values: step_up.as_ref().and_then(super::StepUp::acr_values),
            max_age: step_up.as_ref().and_then(super::StepUp::max_age_seconds),
            requirement: Some(requirement),
            ..Self::default()
        }
    }

    /// Nothing is demanded but a token of a scheme that is accepted.
    pub(crate) fn any_token(constraint: SenderConstraint) -> Self {
        Self { constraint: Some(constraint), is_kept: true, ..Self::default() }
    }

    /// A requirement with faults: nobody meets it.
    pub(crate) fn unusable(requirement: Requirement) -> Self {
        Self { unusable: true, ..Self::new(requirement) }
    }

    /// Nobody meets it: what it belongs to is not usable as configured.
    #[cfg(feature = "mcp")]
    pub(crate) fn of_nobody() -> Self {
        Self { unusable: true, is_kept: true, ..Self::default() }
    }

    /// The same demand, answered 404 where it would be 403.
    pub(crate) fn concealed(&self) -> Self {
        Self { conceal: true, ..self.copy() }
    }

    /// The same demand, of tokens that are bound in that way; `None` leaves it to the layer around.
    pub(crate) fn constrained(&self, constraint: impl Into<Option<SenderConstraint>>) -> Self {
        Self { constraint: constraint.into(), ..self.copy() }
    }

    /// All but the challenges and bodies, which are built for one layer.
    fn copy(&self) -> Self {
        let Self { conceal, unusable, constraint, is_kept, .. } = *self;
        let bare = self.requirement.clone().map(Self::new).unwrap_or_default();
        Self { conceal, unusable, constraint, is_kept, ..bare }
    }

    /// A layer's, which keeps its challenges.
    pub(crate) fn kept(self) -> Self {
        Self { is_kept: true, ..self }
    }

    /// In its challenges stand the scopes of `outer` as well: the next token has to pass the layer
    /// around too, and some clients ask for exactly what a challenge names.
    #[cfg(feature = "mcp")]
    pub(crate) fn within(self, outer: Option<&Requirement>) -> Self {
        let Some(outer) = outer.cloned() else { return self };
        let all = self.requirement.iter().cloned().fold(outer, Requirement::and);
        let scopes = all.challenged_scopes();
        Self { scope: (!scopes.is_empty()).then(|| scopes.join(" ")), ..self }
    }

    /// What is demanded here already, and `more`.
    pub(crate) fn and(&self, more: Requirement) -> Requirement {
        match &self.requirement {
            Some(requirement) => requirement.clone().and(more),
            None => more,
        }
    }

    pub(crate) fn check(&self, grant: &Grant) -> Result<(), Shortfall> {
        let Some(requirement) = &self.requirement else { return Ok(()) };
        let shortfall = requirement.shortfall(grant);
        if shortfall.is_none() { Ok(()) } else { Err(shortfall) }
    }

    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(requirement) = &self.requirement {
            requirement.faults(&mut faults);
        }
        faults
    }

    /// The challenges for a kind and the scheme that was tried, where their parameters depend on
    /// nothing but the layer.
    pub(crate) fn challenges(
        &self,
        kind: RejectionKind,
        tried: Option<Scheme>,
        build: impl FnOnce() -> Challenges,
    ) -> &Challenges {
        let row = match tried {
            None => 0,
            Some(Scheme::Bearer) => 1,
            Some(Scheme::Dpop) => 2,
        };
        let slots = self.challenges.get_or_init(|| vec![OnceLock::new(); SLOTS].into());
        slots[row * RejectionKind::COUNT + kind as usize].get_or_init(build)
    }

    /// The body of [`OAuthJson`](crate::render::OAuthJson) for a kind, where it depends on nothing
    /// but the layer.
    pub(crate) fn body(&self, kind: RejectionKind, build: impl FnOnce() -> Bytes) -> &Bytes {
        let slots = self.bodies.get_or_init(|| vec![OnceLock::new(); RejectionKind::COUNT].into());
        slots[kind as usize].get_or_init(build)
    }

    /// Tells the server which scopes and types of authorization details its routes use, for its
    /// metadata.
    pub(crate) fn register(&self, settings: &Settings) {
        if let Some(requirement) = &self.requirement {
            settings.metadata.add_scopes(requirement.named_scopes());
            settings.metadata.add_details_types(requirement.named_types());
        }
    }
}
