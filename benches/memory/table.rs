//! What the states showed, as a table.

use crate::process::{Step, run};
use crate::states::State;

/// Reaches every state, each in a process of its own, and prints what it takes.
pub(crate) fn print(quick: bool) {
    println!(
        "| state | resident, MiB | over rest | in use | most so far | entries | bytes each | budget |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for state in State::ALL {
        let steps = run(state, quick);
        let rest = steps.first().map_or(0, |step| step.memory.resident);
        for step in &steps {
            println!("{}", row(state, step, rest));
        }
    }
}

fn row(state: State, step: &Step, rest: u64) -> String {
    let Step { name, memory, entries, budget } = step;
    let over = memory.resident as i64 - rest as i64;
    let (entries_shown, each) = match entries {
        0 => (String::new(), String::new()),
        _ if *budget == 0 => (entries.to_string(), String::new()),
        _ => (entries.to_string(), format!("{:.1}", over as f64 / *entries as f64)),
    };
    let budget = if *budget == 0 { String::new() } else { budget.to_string() };
    format!(
        "| {}: {name} | {:.1} | {:+.1} | {:+.1} | {:.1} | {entries_shown} | {each} | {budget} |",
        state.name(),
        mib(memory.resident as f64),
        mib(over as f64),
        mib(memory.in_use as f64),
        mib(memory.most as f64),
    )
}

fn mib(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}
