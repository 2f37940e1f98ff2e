//! The replay store in a cluster of one node.

use std::time::Duration;

use tokio::time::sleep;
use tower_resource_server::ClaimOutcome::{First, Replay};
use tower_resource_server::RedisReplayStore;
use tower_resource_server::ReplayStoreError::Unavailable;

use super::claims::{claim, fresh, made, recovers};
use super::server::{RedisServer, free_port};

async fn start() -> Option<RedisServer> {
    let bus = free_port().to_string();
    let options = ["--cluster-enabled", "yes", "--cluster-port", &bus];
    let server = RedisServer::start_with(&options).await?;
    assert_eq!(server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await, "OK");
    for _ in 0..3000 {
        if server.command(&["CLUSTER", "INFO"]).await.contains("cluster_state:ok") {
            return Some(server);
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the cluster does not come up");
}

fn store(url: &str) -> RedisReplayStore {
    RedisReplayStore::cluster([url]).expect("a URL").timeout(Duration::from_secs(30))
}

// R9449-11.1-5
#[tokio::test]
async fn a_proof_is_taken_once_and_a_loss_is_noticed() {
    let Some(server) = start().await else { return };
    let user =
        ["app", "on", ">pass", "resetkeys", "~trs:dpop:*", "-@all", "+set", "+get", "+cluster"];
    assert_eq!(server.command(&[&["ACL", "SETUSER"], &user[..]].concat()).await, "OK");
    let url = format!("redis://app:pass@127.0.0.1:{}", server.port());
    let (here, there) = (store(&url), store(&url));
    for number in 0..50 {
        assert_eq!(claim(&here, &fresh(number, 0)).await, Ok(First), "{number}");
        assert_eq!(claim(&there, &fresh(number, 0)).await, Ok(Replay), "{number}");
    }
    assert_eq!(server.command(&["FLUSHALL"]).await, "OK");
    for number in 0..50 {
        assert_eq!(claim(&here, &fresh(number, 1)).await, Err(Unavailable), "{number}");
        assert_eq!(claim(&there, &fresh(number, 1)).await, Ok(Replay), "{number}");
    }
    recovers(&here, 120).await;
    recovers(&there, 120).await;
}

#[tokio::test]
async fn a_node_that_comes_back_empty_is_found_and_not_believed() {
    let Some(mut server) = start().await else { return };
    let store = store(&server.url());
    for number in 0..20 {
        assert_eq!(claim(&store, &fresh(number, 0)).await, Ok(First), "{number}");
    }
    server.kill();
    for number in 0..5 {
        assert_eq!(claim(&store, &fresh(number, 0)).await, Err(Unavailable), "{number}");
    }
    server.run().await;
    for number in 0..20 {
        assert_ne!(claim(&store, &fresh(number, 1)).await, Ok(First), "{number}");
    }
    recovers(&store, 120).await;
    for number in 0..20 {
        assert_ne!(claim(&store, &made(number, 1, 120)).await, Ok(First), "{number}");
    }
}

#[tokio::test]
async fn a_node_that_stops_answering_is_not_waited_for() {
    let Some(server) = start().await else { return };
    let store = store(&server.url()).timeout(Duration::from_millis(100));
    recovers(&store, 0).await;
    server.signal("STOP");
    for number in 0..5 {
        assert_eq!(claim(&store, &fresh(number, 0)).await, Err(Unavailable), "{number}");
    }
    server.signal("CONT");
    recovers(&store, 120).await;
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_unavailable() {
    let nodes = [free_port(), free_port()].map(|port| format!("redis://:secret@127.0.0.1:{port}"));
    let store = RedisReplayStore::cluster(&nodes).expect("URLs");
    assert_eq!(claim(&store, &fresh(1, 0)).await, Err(Unavailable));
    assert!(!format!("{store:?}").contains("secret"), "{store:?}");
}

#[test]
fn a_connection_whose_runtime_ended_is_made_anew() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    };
    let (first, second) = (runtime(), runtime());
    let Some(server) = second.block_on(start()) else { return };
    let store = store(&server.url());
    first.block_on(recovers(&store, 0));
    drop(first);
    second.block_on(recovers(&store, 0));
}
