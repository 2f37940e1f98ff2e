//! The replay store when its server lost records.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_resource_server::ClaimOutcome::{First, Replay};
use tower_resource_server::ReplayStoreError::Unavailable;
use tower_resource_server::{ProofUse, RedisReplayStore};

use super::claims::{claim, fresh, made, recovers, store};
use super::server::RedisServer;
use crate::observability::Capture;

/// Claims a used proof until the store has noticed; it is never taken.
async fn never_taken(store: &RedisReplayStore, number: u64, second: i64, now: i64) {
    for _ in 0..20 {
        assert_ne!(claim(store, &made(number, second, now)).await, Ok(First));
    }
}

#[tokio::test]
async fn after_a_restart_without_data_no_used_proof_is_taken() {
    let Some(mut server) = RedisServer::start().await else { return };
    let stores = [store(&server), store(&server)];
    for (number, store) in (0..).zip(&stores) {
        assert_eq!(claim(store, &fresh(number, 0)).await, Ok(First));
    }
    server.kill();
    for store in &stores {
        assert_eq!(claim(store, &fresh(9, 1)).await, Err(Unavailable));
    }
    server.run().await;
    for store in &stores {
        never_taken(store, 0, 0, 1).await;
        never_taken(store, 1, 0, 1).await;
    }
    // What could not have been used before is taken, what could is not: by either, and by one that
    // starts now.
    for (number, store) in (20..).zip(stores.iter().chain([&store(&server)])) {
        recovers(store, 120).await;
        assert_eq!(claim(store, &fresh(number, 120)).await, Ok(First));
        assert_eq!(claim(store, &fresh(number, 120)).await, Ok(Replay));
        assert_eq!(claim(store, &made(number + 10, 1, 120)).await, Err(Unavailable));
    }
}

#[tokio::test]
async fn records_that_are_flushed_are_missed_at_once() {
    let Some(server) = RedisServer::start().await else { return };
    let log = Capture::start();
    let (here, there) = (store(&server), store(&server));
    assert_eq!(claim(&here, &fresh(1, 0)).await, Ok(First));
    assert_eq!(claim(&there, &fresh(2, 0)).await, Ok(First));
    server.command(&["FLUSHALL"]).await;
    // Over the same connection, without any failure in between.
    assert_eq!(claim(&here, &fresh(1, 1)).await, Err(Unavailable));
    assert_eq!(claim(&there, &fresh(2, 1)).await, Err(Unavailable));
    assert_eq!(claim(&here, &fresh(3, 120)).await, Ok(First));
    assert_eq!(claim(&there, &fresh(3, 120)).await, Ok(Replay));
    let told = log.of("tower_resource_server::replay");
    assert_eq!(told.len(), 1, "one of them wrote the marker: {told:?}");
}

#[tokio::test]
async fn a_process_that_starts_after_a_loss_does_not_hide_it() {
    let Some(server) = RedisServer::start().await else { return };
    let (old, new) = (store(&server), store(&server));
    assert_eq!(claim(&old, &fresh(1, 0)).await, Ok(First));
    server.command(&["FLUSHALL"]).await;
    // It takes the empty server for a new one, until a process that knows better comes.
    assert_eq!(claim(&new, &fresh(2, 1)).await, Ok(First));
    assert_eq!(claim(&old, &fresh(1, 2)).await, Err(Unavailable));
    assert_eq!(claim(&new, &fresh(3, 3)).await, Err(Unavailable));
    assert_eq!(claim(&new, &fresh(2, 3)).await, Ok(Replay), "a record is a record");
    assert_eq!(claim(&new, &fresh(4, 120)).await, Ok(First));
}

#[tokio::test]
async fn a_server_back_with_an_old_snapshot_is_found_out() {
    let Some(mut server) = RedisServer::start().await else { return };
    let store = store(&server);
    assert_eq!(claim(&store, &fresh(1, 0)).await, Ok(First));
    assert_eq!(server.command(&["SAVE"]).await, "OK");
    assert_eq!(claim(&store, &fresh(2, 1)).await, Ok(First));
    let marker = server.command(&["GET", "trs:dpop:epoch"]).await;
    server.kill();
    server.run().await;
    assert_eq!(server.command(&["GET", "trs:dpop:epoch"]).await, marker, "it came back");
    let fresh_process = self::store(&server);
    never_taken(&fresh_process, 2, 1, 2).await;
    never_taken(&store, 2, 1, 2).await;
    assert_eq!(claim(&store, &fresh(1, 2)).await, Ok(Replay), "this one was saved");
    recovers(&store, 120).await;
    recovers(&fresh_process, 120).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_that_notice_at_once_agree() {
    let Some(server) = RedisServer::start().await else { return };
    let stores: Vec<_> = (0..8).map(|_| Arc::new(store(&server))).collect();
    for store in &stores {
        recovers(&**store, 0).await;
    }
    for round in 0..10 {
        let start = 1 + round * 200;
        let number = 5000 + u64::try_from(round).expect("small") * 100;
        server.command(&["FLUSHALL"]).await;
        let claims: Vec<_> = (0..400)
            .map(|index| {
                let store = Arc::clone(&stores[index % 8]);
                let copy = fresh(number + (index % 3) as u64, start);
                tokio::spawn(async move { claim(&*store, &copy).await })
            })
            .collect();
        for said in claims {
            assert_ne!(said.await.expect("no panic"), Ok(First), "round {round}");
        }
        for (store, number) in stores.iter().zip(number + 10..) {
            assert_eq!(claim(&**store, &fresh(number, start + 120)).await, Ok(First), "{round}");
        }
    }
}

#[tokio::test]
async fn when_the_clock_has_caught_up_no_proof_of_before_is_taken_again() {
    let Some(server) = RedisServer::start().await else { return };
    let store = store(&server);
    assert_eq!(claim(&store, &fresh(1, 3600)).await, Ok(First));
    // The clock was an hour ahead.
    assert_eq!(claim(&store, &fresh(2, 0)).await, Err(Unavailable));
    // In the server, where the right time went on, the record comes to its end.
    expire(&server, &fresh(1, 3600)).await;
    assert_eq!(claim(&store, &fresh(3, 3597)).await, Err(Unavailable), "not yet");
    for now in [3598, 3600, 3630, 3690] {
        assert_ne!(claim(&store, &made(1, 3600, now)).await, Ok(First), "{now}");
    }
    assert_eq!(claim(&store, &fresh(4, 3691)).await, Ok(First), "not good before");
    assert_eq!(claim(&store, &fresh(4, 3691)).await, Ok(Replay));
}

/// Ends the record of a proof, as its time does.
async fn expire(server: &RedisServer, proof: &ProofUse) {
    let key = format!("trs:dpop:{}", URL_SAFE_NO_PAD.encode(proof.key()));
    assert_eq!(server.command(&["DEL", &key]).await, "1");
}
