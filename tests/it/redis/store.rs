//! The replay store in Redis, against a real server.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use tokio::time::sleep;
use tower_resource_server::ClaimOutcome::{First, Replay};
use tower_resource_server::ReplayStoreError::Unavailable;
use tower_resource_server::{Claim, ProofUse, ReplayStore};

use super::claims::{claim, fresh, made, patient, store};
use super::server::RedisServer;

fn record(prefix: &str, proof: &ProofUse) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(proof.key()))
}

// R9449-11.1-3, R9449-11.1-5
#[tokio::test]
async fn a_proof_is_taken_once_by_all_servers_together() {
    let Some(server) = RedisServer::start().await else { return };
    let (here, there) = (store(&server), store(&server));
    assert_eq!(claim(&here, &fresh(1, 0)).await, Ok(First));
    assert_eq!(claim(&here, &fresh(1, 1)).await, Ok(Replay));
    assert_eq!(claim(&there, &fresh(1, 1)).await, Ok(Replay));
    assert_eq!(claim(&there, &fresh(2, 1)).await, Ok(First));
    assert_eq!(claim(&here, &fresh(2, 1)).await, Ok(Replay));
}

// R9449-11.1-3
#[tokio::test]
async fn a_record_stays_as_long_as_the_proof_and_two_seconds_more() {
    let Some(server) = RedisServer::start().await else { return };
    let store = store(&server);
    let (long, short) = (made(1, 0, 0), made(2, 0, 90));
    assert_eq!(claim(&store, &long).await, Ok(First));
    assert_eq!(claim(&store, &short).await, Ok(First));
    let left = async |proof| {
        let left = server.command(&["PTTL", &record("trs:dpop:", proof)]).await;
        left.parse::<i64>().expect("milliseconds")
    };
    assert!((60_001..=92_000).contains(&left(&long).await), "{}", left(&long).await);
    assert!(left(&short).await <= 2000, "{}", left(&short).await);
    for _ in 0..3000 {
        if left(&short).await == -2 {
            // It is gone; the marker never goes.
            assert_eq!(server.command(&["DBSIZE"]).await, "2");
            assert_eq!(server.command(&["PTTL", "trs:dpop:epoch"]).await, "-1");
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the record does not expire");
}

// R9449-11.1-5
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_copies_at_once_one_is_taken() {
    let Some(server) = RedisServer::start().await else { return };
    let stores = [Arc::new(store(&server)), Arc::new(store(&server))];
    for number in 0..20 {
        let copies: Vec<_> = (0..200)
            .map(|copy| {
                let store = Arc::clone(&stores[copy % 2]);
                tokio::spawn(async move { claim(&*store, &fresh(number, 0)).await })
            })
            .collect();
        let mut taken = 0;
        for copy in copies {
            match copy.await.expect("no panic").expect("the server runs") {
                First => taken += 1,
                Replay => {}
            }
        }
        assert_eq!(taken, 1, "of the copies of proof {number}");
    }
}

#[tokio::test]
async fn a_claim_is_one_round_trip_over_one_connection() {
    let Some(server) = RedisServer::start().await else { return };
    let store = Arc::new(store(&server));
    let claims = (0..50).map(|number| {
        let store = Arc::clone(&store);
        async move { claim(&*store, &fresh(number, 0)).await }
    });
    assert!(futures_util::future::join_all(claims).await.into_iter().all(|said| said == Ok(First)));
    let stats = server.command(&["INFO", "commandstats"]).await;
    let calls = |command: &str| {
        let line = stats.lines().find(|line| line.starts_with(command)).expect(command);
        let number = line.split(['=', ',']).nth(1).expect("calls");
        number.parse::<u32>().expect("a number")
    };
    assert_eq!(calls("cmdstat_get:"), 50);
    assert_eq!(calls("cmdstat_info:"), 1, "one connection for all who waited");
    // Those that were sent before the marker was seen bring the first one along.
    assert!((51..=100).contains(&calls("cmdstat_set:")), "{stats}");
}

#[tokio::test]
async fn prefixes_and_databases_keep_applications_apart() {
    let Some(server) = RedisServer::start().await else { return };
    let proof = fresh(1, 0);
    assert_eq!(claim(&store(&server), &proof).await, Ok(First));
    assert_eq!(claim(&store(&server).prefix("orders:"), &proof).await, Ok(First));
    assert_eq!(claim(&store(&server).prefix("orders:"), &proof).await, Ok(Replay));
    assert_eq!(claim(&patient(&format!("{}/3", server.url())), &proof).await, Ok(First));
    assert_eq!(server.command(&["EXISTS", &record("orders:", &proof)]).await, "1");
    assert_eq!(server.command(&["GET", &record("orders:", &proof)]).await, "1");
}

#[tokio::test]
async fn a_user_with_three_commands_and_the_prefix_is_enough() {
    let Some(server) = RedisServer::start().await else { return };
    let user = ["app", "on", ">pass", "resetkeys", "~trs:dpop:*", "-@all", "+set", "+get", "+info"];
    assert_eq!(server.command(&[&["ACL", "SETUSER"], &user[..]].concat()).await, "OK");
    let store = patient(&format!("redis://app:pass@127.0.0.1:{}", server.port()));
    assert_eq!(claim(&store, &fresh(1, 0)).await, Ok(First));
    assert_eq!(claim(&store, &fresh(1, 0)).await, Ok(Replay));
    // Without INFO a restart could go unnoticed.
    server.command(&["ACL", "SETUSER", "app", "-info"]).await;
    let blind = patient(&format!("redis://app:pass@127.0.0.1:{}", server.port()));
    assert_eq!(claim(&blind, &fresh(2, 0)).await, Err(Unavailable));
}

#[tokio::test]
async fn both_protocols_of_redis_do() {
    let Some(server) = RedisServer::start().await else { return };
    let store = patient(&format!("{}?protocol=resp3", server.url()));
    assert_eq!(claim(&store, &fresh(1, 0)).await, Ok(First));
    assert_eq!(claim(&store, &fresh(1, 0)).await, Ok(Replay));
}

#[tokio::test]
async fn a_clock_set_back_is_not_trusted_until_it_has_caught_up() {
    let Some(server) = RedisServer::start().await else { return };
    let store = store(&server);
    assert_eq!(claim(&store, &fresh(1, 3600)).await, Ok(First));
    assert_eq!(claim(&store, &fresh(2, 3598)).await, Ok(First), "two seconds are tolerated");
    assert_eq!(claim(&store, &fresh(3, 3597)).await, Err(Unavailable));
    assert_eq!(claim(&store, &fresh(1, 0)).await, Err(Unavailable));
    assert_eq!(claim(&store, &fresh(1, 3600)).await, Ok(Replay));
    assert_eq!(claim(&store, &fresh(4, 3630)).await, Err(Unavailable), "good before that");
    assert_eq!(claim(&store, &fresh(5, 3631)).await, Ok(First));
}

#[test]
fn making_a_store_takes_no_runtime_and_a_claim_says_that_it_does() {
    let store = patient("redis://127.0.0.1:1");
    let Claim::Pending(answer) = store.claim(&fresh(1, 0)) else { panic!("later") };
    assert_eq!(answer.now_or_never(), Some(Err(Unavailable)));
}
