//! What the layer costs on each path, beside what the same request costs without it and beside its
//! signatures alone, with what may be: the budgets.
//!
//! Whatever is compared is timed in turn, a batch each, so that what slows the machine down slows
//! both; a figure is the median over rounds, and the quartiles beside it show how quiet the machine
//! was. Nothing here fails when a budget is not met: it is a report.
//!
//! Allocations are counted in [another program](../allocations/main.rs), since to count them slows
//! each of them down, and shown here.

mod budget;
mod line;
#[path = "../paths/mod.rs"]
mod paths;
mod replay;
mod replay_load;
#[path = "../support/mod.rs"]
mod support;
mod timed;
mod yardstick;

use std::time::Instant;

use line::Table;
use paths::{Counts, Options, plans};
use support::together::Partner;
use yardstick::Yardstick;

fn main() {
    let options = Options::from_command_line();
    let begin = Instant::now();
    let counts = Counts::read();
    let partner = Partner::new();
    let yardstick = Yardstick::new();
    let mut table = Table::new();
    for plan in plans(&options) {
        let name = plan.name.clone();
        let mut path = plan.build(&options);
        table.print(&name, timed::lines(&name, &mut path, &options, &counts, &partner, &yardstick));
    }
    for (name, lines) in replay::plans(&options) {
        table.print(&name, lines(&partner));
    }
    table.summary(begin.elapsed());
}
