//! What each contestant checks, found by sending requests that are wrong in one way.

pub mod answer;
pub mod bearer;
pub mod dpop;

use http::{Response, StatusCode};
use tokio::runtime::Runtime;

use crate::authority::Authority;
use crate::contestants::Demand;
use crate::requests::{Template, sent};
use crate::roster::Entry;

/// A question, and the requests that answer it.
pub struct Check {
    /// Begins the row.
    pub name: &'static str,
    ask: Ask,
}

/// What is sent, and what the cell then says.
enum Ask {
    /// The request has to be let through.
    Accepts(Template),
    /// The request has to be refused, as the client's fault.
    Refuses(Template),
    /// Of these, the cell counts those that are not let through.
    Counts(Vec<Template>),
    /// The cell tells of the answer to the last of them.
    Answer(Demand, Vec<Template>, fn(&Response<()>) -> String),
}

impl Check {
    const fn accepts(name: &'static str, request: Template) -> Self {
        Self { name, ask: Ask::Accepts(request) }
    }

    const fn refuses(name: &'static str, request: Template) -> Self {
        Self { name, ask: Ask::Refuses(request) }
    }

    const fn counts(name: &'static str, requests: Vec<Template>) -> Self {
        Self { name, ask: Ask::Counts(requests) }
    }

    fn answer(
        name: &'static str,
        demand: Demand,
        request: Template,
        tell: fn(&Response<()>) -> String,
    ) -> Self {
        Self { name, ask: Ask::Answer(demand, vec![request], tell) }
    }

    /// The cell for one contestant, which is built for it.
    #[must_use]
    pub fn cell(&self, entry: &Entry, authority: &Authority, runtime: &Runtime) -> String {
        let demand = if let Ask::Answer(demand, ..) = self.ask { demand } else { Demand::Valid };
        let Some(mut contestant) = (entry.build)(authority, runtime, demand) else {
            return "left to the application".to_owned();
        };
        let mut send = |request: &Template| contestant.answer(runtime, sent(request));
        match &self.ask {
            Ask::Accepts(request) => accepted(send(request).status()),
            Ask::Refuses(request) => refused(send(request).status()),
            Ask::Counts(requests) => {
                let held = requests.iter().filter(|r| send(r).status() != StatusCode::OK);
                format!("{} of {}", held.count(), requests.len())
            }
            Ask::Answer(_, requests, tell) => {
                let answers: Vec<_> = requests.iter().map(send).collect();
                answers.last().map_or_else(String::new, tell)
            }
        }
    }
}

fn accepted(status: StatusCode) -> String {
    match status {
        StatusCode::OK => "yes".to_owned(),
        status => format!("no ({})", status.as_u16()),
    }
}

/// A 5xx is no verdict on the client, though the request did not get through.
fn refused(status: StatusCode) -> String {
    match status {
        StatusCode::OK => "no".to_owned(),
        status if status.is_client_error() => "yes".to_owned(),
        status => format!("answers {}", status.as_u16()),
    }
}
