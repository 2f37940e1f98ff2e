//! The list of paths, as gungraun wants it.

use gungraun::prelude::*;

use crate::scenario::Work;
use crate::{bearer, dpop, guarded, refused, replay};

macro_rules! paths {
    ($($name:ident: $scenario:expr,)*) => {
        #[library_benchmark]
        $(#[bench::$name($scenario().into_layer())])*
        fn layer(mut work: Work) -> Work {
            work();
            work
        }

        #[library_benchmark]
        $(#[bench::$name($scenario().into_floor())])*
        fn floor(mut work: Work) -> Work {
            work();
            work
        }
    };
}

paths! {
    bearer_seen: bearer::seen,
    bearer_first_es256: bearer::first_es256,
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
    replay_256_first: replay::first,
    replay_256_again: replay::again,
}

library_benchmark_group!(name = paths, benchmarks = [layer, floor]);

main!(library_benchmark_groups = paths);

/// Counts, or tells the runner what there is to count.
pub(crate) fn run() {
    main();
}
