//! The list of paths, as gungraun wants it.

use std::thread;

use gungraun::prelude::*;
use gungraun::{Callgrind, EntryPoint};
use tower_resource_server::Algorithm;

use crate::scenario::{Scenario, Work};
use crate::{bearer, dpop, guarded, refused, replay, signature};

/// Prepares the work and has it counted, on a thread of its own: its stack and its heap begin at
/// the same place of a page in each run. Those of the first thread move with the environment and
/// with the path of the program, and the backend's arithmetic takes more or fewer steps to align
/// what lies there.
fn apart(prepare: impl FnOnce() -> Work + Send) {
    thread::scope(|scope| {
        let counting = scope.spawn(|| {
            let mut work = prepare();
            count(&mut work);
        });
        counting.join().expect("what is counted does not panic");
    });
}

/// Callgrind counts from where this is entered until it is left.
#[inline(never)]
fn count(work: &mut Work) {
    work();
}

/// From [`count`] on, and whatever else those arguments say.
fn counting(arguments: &[&str]) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::with_args(arguments);
    callgrind.entry_point(EntryPoint::Custom("paths::counted::count".to_owned()));
    LibraryBenchmarkConfig::default().tool(callgrind).clone()
}

/// The signature is left out: the backend's function for it turns collecting off when it is
/// entered, and on again when it is left. Before [`count`] it is the other way round, so what was
/// collected until then is dropped.
fn without_signature() -> LibraryBenchmarkConfig {
    let signature = "--toggle-collect=aws_lc_*_EVP_DigestVerify";
    counting(&[signature, "--zero-before=paths::counted::count"])
}

macro_rules! paths {
    ($($name:ident: $scenario:expr,)*) => {
        #[library_benchmark]
        $(#[bench::$name($scenario)])*
        fn layer(scenario: fn() -> Scenario) {
            apart(|| scenario().into_layer());
        }

        #[library_benchmark]
        $(#[bench::$name($scenario)])*
        fn floor(scenario: fn() -> Scenario) {
            apart(|| scenario().into_floor());
        }
    };
}

paths! {
    bearer_seen: bearer::seen,
    bearer_seen_50_issuers: bearer::seen_of_fifty,
    bearer_first_es256: bearer::first_es256,
    bearer_first_es256_50_issuers: bearer::first_es256_of_fifty,
    bearer_first_rs256: bearer::first_rs256,
    bearer_first_eddsa: bearer::first_eddsa,
    bearer_introspected_seen: bearer::introspected,
    dpop_seen: dpop::seen,
    dpop_both_new: dpop::both_new,
    refuse_no_credentials: refused::no_credentials,
    refuse_garbage: refused::garbage,
    refuse_garbage_of_three_parts: refused::garbage_of_three_parts,
    refuse_expired_seen: refused::expired_seen,
    refuse_grpc: refused::grpc,
    refuse_dpop_without_proof: refused::dpop_without_proof,
    refuse_dpop_for_another_uri: refused::dpop_for_another_uri,
    refuse_dpop_without_nonce: refused::dpop_without_nonce,
    refuse_dpop_replayed: refused::dpop_replayed,
    require_scope_present: guarded::scope_present,
    require_scope_missing: guarded::scope_missing,
    mcp_tool_listed: guarded::tool_listed,
    mcp_tool_unlisted: guarded::tool_unlisted,
    replay_32768_first: replay::first,
    replay_32768_again: replay::again,
}

// How much it is that is left out above.
#[library_benchmark]
#[bench::signature_es256(Algorithm::ES256)]
#[bench::signature_rs256(Algorithm::RS256)]
#[bench::signature_eddsa(Algorithm::EdDSA)]
fn whole(algorithm: Algorithm) {
    apart(|| signature::of(algorithm));
}

library_benchmark_group!(name = paths, config = without_signature(), benchmarks = [layer, floor]);
library_benchmark_group!(name = signatures, config = counting(&[]), benchmarks = whole);

main!(library_benchmark_groups = [paths, signatures]);

/// Counts, or tells the runner what there is to count.
pub(crate) fn run() {
    main();
}
