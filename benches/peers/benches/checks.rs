//! What each crate checks, and what it answers: found by sending it requests, not by reading.

use peers::authority::Authority;
use peers::backend;
use peers::checks::{self, Check};
use peers::contestant::runtime;
use peers::markdown::{Columns, table};
use peers::roster::{self, Entry};

use tokio::runtime::Runtime;
use tower_resource_server::Algorithm;

fn main() {
    backend::aws_lc_rs();
    let runtime = runtime();
    let (es256, rs256) = (Authority::new(Algorithm::ES256), Authority::new(Algorithm::RS256));
    let bearer = once_each(roster::bearer());
    let accepts = checks::bearer::accepts;
    let mut rows = vec![
        row(&accepts("accepts a good ES256 token", &es256), &bearer, &es256, &runtime),
        row(&accepts("accepts a good RS256 token", &rs256), &bearer, &rs256, &runtime),
    ];
    rows.extend(rows_of(&checks::bearer::checks(&es256), &bearer, &es256, &runtime));
    show("Bearer", &bearer, &rows);
    let dpop = once_each(roster::dpop());
    show("DPoP", &dpop, &rows_of(&checks::dpop::checks(&es256), &dpop, &es256, &runtime));
}

/// One column for each crate, whatever its backends.
fn once_each(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.dedup_by(|a, b| a.name == b.name);
    entries
}

fn rows_of(
    checks: &[Check],
    entries: &[Entry],
    authority: &Authority,
    runtime: &Runtime,
) -> Vec<Vec<String>> {
    checks.iter().map(|check| row(check, entries, authority, runtime)).collect()
}

fn row(check: &Check, entries: &[Entry], authority: &Authority, runtime: &Runtime) -> Vec<String> {
    let cells = entries.iter().map(|entry| check.cell(entry, authority, runtime));
    [check.name.to_owned()].into_iter().chain(cells).collect()
}

fn show(title: &str, entries: &[Entry], rows: &[Vec<String>]) {
    let head: Vec<_> =
        [title.to_owned()].into_iter().chain(entries.iter().map(|e| e.name.clone())).collect();
    println!("{}", table(Columns::Text, &head, rows));
}
