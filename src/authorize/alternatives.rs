//! Step-ups that have to go together: `acr` has one value, and another that is asked for replaces it.

use super::StepUp;
use super::requirement::Node;
use crate::config::Fault;

impl Node {
    /// Step-ups that must all be met and cannot be: whoever follows the challenge would get it again.
    pub(super) fn contradictions(&self, faults: &mut Vec<Fault>) {
        let (Self::All(nodes) | Self::Any(nodes)) = self else { return };
        nodes.iter().for_each(|node| node.contradictions(faults));
        if !matches!(self, Self::All(_)) {
            return;
        }
        let must = nodes.iter().filter_map(Self::unavoidable).reduce(|all, more| {
            faults.extend(all.contradiction(&more));
            all.join(more)
        });
        let choices = nodes.iter().filter_map(|node| match node {
            Self::Any(choices) => Some(choices),
            _ => None,
        });
        for choices in choices {
            let all = choices.iter().all(|choice| choice.is_excluded_by(must.as_ref()));
            let first = choices.first().filter(|_| all).and_then(Self::unavoidable);
            let pair = must.as_ref().zip(first);
            faults.extend(pair.and_then(|(must, first)| must.contradiction(&first)));
        }
    }

    /// What each token has to meet, whatever else there is to choose from.
    fn unavoidable(&self) -> Option<StepUp> {
        match self {
            Self::StepUp(step_up) => Some(step_up.clone()),
            Self::All(nodes) => nodes.iter().filter_map(Self::unavoidable).reduce(StepUp::join),
            Self::Any(choices) => match choices.as_slice() {
                [only] => only.unavoidable(),
                _ => None,
            },
            Self::Scopes(_) | Self::AuthorizationDetails(_) | Self::Predicate(_) => None,
        }
    }

    fn is_excluded_by(&self, asked: Option<&StepUp>) -> bool {
        asked.zip(self.unavoidable()).is_some_and(|(asked, own)| asked.excludes(&own))
    }

    /// Puts in front of each list of alternatives the first that goes with what is asked for beside
    /// it, and returns all that is asked for.
    pub(super) fn settle(&mut self, asked: Option<StepUp>) -> Option<StepUp> {
        match self {
            Self::StepUp(step_up) => join(asked, Some(step_up.clone())),
            Self::All(_) => {
                let asked = join(asked, self.unavoidable());
                let Self::All(nodes) = self else { return asked };
                nodes.iter_mut().fold(asked, |asked, node| node.settle(asked))
            }
            Self::Any(choices) => {
                let fits = |choice: &Self| !choice.is_excluded_by(asked.as_ref());
                if let Some(chosen) = choices.iter().position(fits) {
                    choices.get_mut(..=chosen)?.rotate_right(1);
                }
                match choices.first_mut() {
                    Some(first) => first.settle(asked),
                    None => asked,
                }
            }
            Self::Scopes(_) | Self::AuthorizationDetails(_) | Self::Predicate(_) => asked,
        }
    }

    /// What a challenge asks for.
    pub(super) fn step_up(&self) -> Option<StepUp> {
        match self {
            Self::StepUp(step_up) => Some(step_up.clone()),
            Self::All(nodes) => nodes.iter().filter_map(Self::step_up).reduce(StepUp::join),
            Self::Any(choices) => choices.first().and_then(Self::step_up),
            Self::Scopes(_) | Self::AuthorizationDetails(_) | Self::Predicate(_) => None,
        }
    }
}

fn join(one: Option<StepUp>, other: Option<StepUp>) -> Option<StepUp> {
    one.into_iter().chain(other).reduce(StepUp::join)
}
