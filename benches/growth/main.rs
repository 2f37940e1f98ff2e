//! How cost grows with what there is more of: cached tokens, keys, issuers, used proofs, bytes of a
//! token, threads.
//!
//! `cargo bench --bench growth` makes all plots and prints their numbers; a name makes one of them,
//! and `--quick` makes small ones under `target/`, which replace none of those committed.

#[path = "../support/mod.rs"]
mod support;

mod axis;
mod cached;
mod caption;
mod chart;
mod figure;
mod floor;
mod issuers;
mod keys;
mod plan;
mod replay;
mod sight;
mod sizes;
mod table;
mod threads;

use std::time::Instant;

use figure::Figure;
use plan::Plan;

type Sweep = fn(&Plan) -> Figure;

const SWEEPS: [(&str, Sweep); 6] = [
    ("cached", cached::figure),
    ("keys", keys::figure),
    ("issuers", issuers::figure),
    ("replay", replay::figure),
    ("sizes", sizes::figure),
    ("threads", threads::figure),
];

fn main() {
    let names = SWEEPS.map(|(name, _)| name);
    let plan = match Plan::from_arguments(&names) {
        Ok(plan) => plan,
        Err(message) => {
            eprintln!("{message}");
            std::process::exit(2);
        }
    };
    for (name, measure) in SWEEPS.into_iter().filter(|(name, _)| plan.includes(name)) {
        let start = Instant::now();
        let figure = measure(&plan);
        println!("{}", table::markdown(&figure));
        let path = plan.directory().join(format!("{name}.svg"));
        chart::write(&figure, &caption::line(), &path);
        println!("plotted in {}, after {:.0?}\n", path.display(), start.elapsed());
    }
}
