//! The mixed run in words and figures.

use std::time::Duration;

use super::class::Class;
use super::series::{Part, Series};
use super::{CONNECTIONS, STRANGERS};
use crate::plan::Mixed;
use crate::spread::Spread;

/// With what the server computed, warming up included.
pub(crate) fn print(series: &Series, plan: Mixed, computed: Duration) {
    let Mixed { seconds, rotation, outage } = plan;
    println!(
        "\nMixed traffic: axum over HTTP/1.1 from {CONNECTIONS} connections of wrk, the server on"
    );
    println!("a core of its own. Latencies in µs, up to 4 % too high.");
    println!("{:<34}{:>9}{}", "", "req/s", Spread::NAMES.map(|name| format!("{name:>9}")).concat());
    let phases = [
        ("as ever", 0..rotation),
        ("after the rotation", rotation..outage),
        ("second issuer silent", outage..seconds),
    ];
    for (name, phase) in phases {
        let length = phase.end - phase.start;
        let is_in = |second: &u64| phase.contains(second);
        row(
            name,
            &series.of(|noted| is_in(&noted.second) && noted.class != Class::Stranger),
            length,
        );
    }
    println!("by class, in the whole run; {STRANGERS} more connections for the last:");
    for class in Class::ALL {
        let length = if class == Class::Stranger { seconds - outage } else { seconds };
        row(&format!("  {}", class.name()), &series.of(|noted| noted.class == class), length);
    }
    println!("statuses (due, then counts as they came):");
    for class in Class::ALL {
        let counts: Vec<_> = series
            .statuses(class)
            .iter()
            .map(|(status, count)| format!("{status}: {count}"))
            .collect();
        println!("  {:<32}{:>9}   {}", class.name(), class.status(), counts.join(", "));
    }
    println!("The server computed {:.1} s, warming up included.", computed.as_secs_f64());
}

fn row(name: &str, part: &Part, seconds: u64) {
    let figures = part.spread().figures().map(|figure| format!("{figure:>9.0}")).concat();
    println!("{name:<34}{:>9}{figures}", part.count() / seconds.max(1));
}
