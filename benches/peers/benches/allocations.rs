//! Heap allocations for a request, on the paths that `times` times.

use allocation_counter::measure;
use peers::authority::Authority;
use peers::contestant::runtime;
use peers::paths::{Path, with_bearer, with_dpop};
use peers::requests::sent;
use peers::roster::{self, Entry};
use peers::{backend, figures};
use tokio::runtime::Runtime;
use tower_resource_server::Algorithm;

/// So many that what happens once in a while shows as the fraction it is.
const BATCH: usize = 200;

fn main() {
    backend::aws_lc_rs();
    let runtime = runtime();
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        let authority = Authority::new(algorithm);
        let title = format!("Bearer, {algorithm}, allocations for a request");
        let entries: Vec<_> = [roster::bare()].into_iter().chain(roster::bearer()).collect();
        show(&title, &with_bearer(&authority), &entries, &authority, &runtime);
    }
    let authority = Authority::new(Algorithm::ES256);
    let title = "DPoP, ES256, allocations for a request";
    show(title, &with_dpop(&authority), &roster::dpop(), &authority, &runtime);
}

fn show(title: &str, paths: &[Path], entries: &[Entry], authority: &Authority, runtime: &Runtime) {
    let count = |path: &Path, entry: &Entry| count(path, entry, authority, runtime);
    let rows = figures::rows(paths, entries, |path, some| {
        some.iter().map(|entry| count(path, entry)).collect()
    });
    figures::show(title, paths, &rows);
}

/// What a batch allocates beyond what an empty one does, for one request.
fn count(path: &Path, entry: &Entry, authority: &Authority, runtime: &Runtime) -> String {
    let mut contestant = match path.checked(entry, authority, runtime) {
        Ok(contestant) => contestant,
        Err(status) => return format!("answers {}", status.as_u16()),
    };
    let mut counted = |size| {
        let requests: Vec<_> = path.batch(1, size).iter().map(sent).collect();
        let counted = measure(|| {
            contestant.run(runtime, requests);
        });
        counted.count_total
    };
    let each = (counted(BATCH) - counted(0)) as f64 / BATCH as f64;
    let places = usize::from(each.fract() >= 0.05);
    format!("{each:.places$}")
}
