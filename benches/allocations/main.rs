//! Allocations of one request on each path, which do not vary from run to run.
//!
//! In a program of its own: counting takes some 6 ns for every allocation and its release, also
//! while nobody asks for it, which is 40 ns of a refusal. `cargo bench` runs this one right before the
//! report, which shows the counts.

#[path = "../paths/mod.rs"]
mod paths;
#[path = "../support/mod.rs"]
mod support;

use paths::{Count, Counts, Options, plans};

fn main() {
    let options = Options::from_command_line();
    let mut counts = Counts::default();
    for plan in plans(&options) {
        let name = plan.name.clone();
        let count = plan.build(&options).sample(|call| {
            let counted = allocation_counter::measure(|| {
                call();
            });
            Count { allocations: counted.count_total, bytes: counted.bytes_total }
        });
        println!("{name:40} {:3} allocations {:6} bytes", count.allocations, count.bytes);
        counts.insert(&name, count);
    }
    counts.write();
}
