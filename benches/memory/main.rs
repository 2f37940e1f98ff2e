//! How much memory a server takes: at rest, with what it remembers, and after that has expired.
//!
//! `cargo bench --bench memory`, on Linux; `-- --quick` takes a hundredth of everything. Each state is
//! reached in a process of its own, in which a real server is bound and answers. Its clock is moved by
//! hand, so nothing is waited for.

#[path = "../support/mod.rs"]
mod support;

mod fill;
mod process;
mod server;
mod states;
mod table;

use lexopt::prelude::*;

use self::states::State;

/// What the command line asks for.
struct Asked {
    quick: bool,
    /// The one state to reach in this process.
    state: Option<State>,
}

fn asked() -> Result<Asked, lexopt::Error> {
    let mut asked = Asked { quick: false, state: None };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            // Cargo's own.
            Long("bench") => {}
            Long("quick") => asked.quick = true,
            Long("state") => {
                let name = arguments.value()?.string()?;
                asked.state = State::ALL.into_iter().find(|state| state.name() == name);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(asked)
}

fn main() -> Result<(), lexopt::Error> {
    let Asked { quick, state } = asked()?;
    let share = if quick { 100 } else { 1 };
    match state {
        Some(state) => state.reach(share),
        None => table::print(quick),
    }
    Ok(())
}
