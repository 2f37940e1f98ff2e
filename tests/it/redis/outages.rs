//! The replay store when its server is away, mute, odd, or unwilling.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower_resource_server::ClaimOutcome::{First, Replay};
use tower_resource_server::RedisReplayStore;
use tower_resource_server::ReplayStoreError::Unavailable;
use tracing::Level;

use super::claims::{claim, fresh, patient, recovers, store};
use super::server::{RedisServer, free_port};
use crate::observability::Capture;

const LOG: &str = "tower_resource_server::replay";

fn impatient(url: &str) -> RedisReplayStore {
    RedisReplayStore::new(url).expect("a URL").timeout(Duration::from_millis(50))
}

#[tokio::test]
async fn a_server_that_starts_late_is_found() {
    let Some(mut server) = RedisServer::stopped(&[]) else { return };
    let store = store(&server);
    let log = Capture::start();
    for number in 0..10 {
        assert_eq!(claim(&store, &fresh(number, 0)).await, Err(Unavailable));
    }
    server.run().await;
    recovers(&store, 0).await;
    assert_eq!(claim(&store, &fresh(1, 0)).await, Ok(First), "nothing was lost");
    let levels: Vec<_> = log.of(LOG).iter().map(|event| event.level).collect();
    assert_eq!(levels, [Level::WARN, Level::INFO], "each change once: {:?}", log.of(LOG));
}

#[tokio::test]
async fn a_server_that_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("redis://{}", listener.local_addr().expect("its address"));
    let mute = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
        }
    });
    let store = impatient(&url);
    for number in 0..3 {
        assert_eq!(claim(&store, &fresh(number, 0)).await, Err(Unavailable));
    }
    mute.abort();
}

#[tokio::test]
async fn a_server_that_stops_answering_is_left_and_found_again() {
    let Some(server) = RedisServer::start().await else { return };
    let store = impatient(&server.url());
    recovers(&store, 0).await;
    server.signal("STOP");
    for number in 0..5 {
        assert_eq!(claim(&store, &fresh(number, 0)).await, Err(Unavailable));
    }
    server.signal("CONT");
    recovers(&store, 1).await;
}

#[tokio::test]
async fn answers_that_make_no_sense_are_no_answers() {
    for text in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "\0\0\0\0",
        "$999999999999\r\n",
        "*-7\r\n",
        "+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n",
        ":1\r\n:1\r\n$0\r\n\r\n:1\r\n:1\r\n:1\r\n",
        "$-1\r\n$-1\r\n$3\r\nabc\r\n*0\r\n*0\r\n*0\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("redis://{}", listener.local_addr().expect("its address"));
        let odd = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let _ = connection.write_all(text.as_bytes()).await;
                let _ = connection.read(&mut [0; 4096]).await;
            }
        });
        let store = impatient(&url);
        for number in 0..3 {
            assert_eq!(claim(&store, &fresh(number, 0)).await, Err(Unavailable), "{text:?}");
        }
        odd.abort();
    }
}

#[tokio::test]
async fn a_server_that_refuses_to_record_accepts_nothing() {
    let Some(server) = RedisServer::start().await else { return };
    let store = store(&server);
    assert_eq!(claim(&store, &fresh(1, 0)).await, Ok(First));

    // -OOM: without eviction a full server refuses.
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_eq!(claim(&store, &fresh(2, 0)).await, Err(Unavailable));
    server.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(claim(&store, &fresh(2, 0)).await, Ok(First));

    // -WRONGTYPE: something else lies where the marker was.
    let marker = server.command(&["GET", "trs:dpop:epoch"]).await;
    server.command(&["DEL", "trs:dpop:epoch"]).await;
    server.command(&["LPUSH", "trs:dpop:epoch", "x"]).await;
    assert_eq!(claim(&store, &fresh(3, 0)).await, Err(Unavailable));
    server.command(&["SET", "trs:dpop:epoch", &marker]).await;
    assert_eq!(claim(&store, &fresh(4, 0)).await, Ok(First));

    // -READONLY: it was made a replica.
    server.command(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]).await;
    assert_eq!(claim(&store, &fresh(5, 0)).await, Err(Unavailable));
    server.command(&["REPLICAOF", "NO", "ONE"]).await;
    recovers(&store, 0).await;
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown_and_can_be_mended() {
    let Some(server) = RedisServer::start().await else { return };
    server.command(&["CONFIG", "SET", "requirepass", "right-secret"]).await;
    let url = format!("redis://:wrong-secret@127.0.0.1:{}", server.port());
    let store = patient(&url);
    let log = Capture::start();
    assert_eq!(claim(&store, &fresh(1, 0)).await, Err(Unavailable));
    assert_eq!(claim(&impatient(&server.url()), &fresh(1, 0)).await, Err(Unavailable));
    let shown = format!("{store:?} {store:#?} {:?}", log.all());
    assert!(!shown.contains("secret"), "{shown}");
    assert!(log.of(LOG)[0].get("error").is_some_and(|error| error.contains("authentication")));
    assert!(shown.contains(&format!("redis://127.0.0.1:{}", server.port())));

    let mended = patient(&url.replace("wrong", "right"));
    assert_eq!(claim(&mended, &fresh(1, 0)).await, Ok(First));
}

/// Passes requests on and breaks off when the answer to the first claim comes.
async fn cut_after_first_record(listener: TcpListener, port: u16) {
    let mut cut = false;
    while let Ok((mut client, _)) = listener.accept().await {
        let mut server = TcpStream::connect(("127.0.0.1", port)).await.expect("the server runs");
        let (mut question, mut answer) = (vec![0; 65536], vec![0; 65536]);
        let mut records = false;
        loop {
            tokio::select! {
                read = client.read(&mut question) => match read {
                    Ok(length @ 1..) => {
                        records |= question[..length].windows(2).any(|pair| pair == b"PX");
                        server.write_all(&question[..length]).await.expect("the server runs");
                    }
                    _ => break,
                },
                read = server.read(&mut answer) => match read {
                    Ok(length @ 1..) if cut || !records => {
                        client.write_all(&answer[..length]).await.expect("the client waits");
                    }
                    _ => break,
                },
            }
        }
        cut |= records;
    }
}

#[tokio::test]
async fn a_record_whose_answer_was_lost_is_not_made_twice() {
    let Some(server) = RedisServer::start().await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("redis://{}", listener.local_addr().expect("its address"));
    let between = tokio::spawn(cut_after_first_record(listener, server.port()));
    let store = patient(&url);
    assert_eq!(claim(&store, &fresh(1, 0)).await, Err(Unavailable));
    assert_eq!(claim(&store, &fresh(1, 0)).await, Ok(Replay), "it was recorded");
    assert_eq!(claim(&store, &fresh(2, 0)).await, Ok(First));
    let stats = server.command(&["INFO", "commandstats"]).await;
    // Two with the first marker before them, and one without.
    assert!(stats.contains("cmdstat_set:calls=5,"), "{stats}");
    between.abort();
}

#[tokio::test]
async fn tls_that_fails_is_no_panic() {
    // With both backends compiled in and no provider for the process, rustls has no default.
    let dead = impatient(&format!("rediss://:secret@localhost:{}", free_port()));
    assert_eq!(claim(&dead, &fresh(1, 0)).await, Err(Unavailable));
    let Some(server) = RedisServer::start().await else { return };
    let plain = impatient(&format!("rediss://127.0.0.1:{}", server.port()));
    assert_eq!(claim(&plain, &fresh(1, 0)).await, Err(Unavailable));
}

#[test]
fn faulty_urls_are_told_when_the_store_is_made() {
    let fault = |made: Result<_, tower_resource_server::RedisConfigError>| {
        made.err()
            .map(|error: tower_resource_server::RedisConfigError| error.to_string())
            .unwrap_or_default()
    };
    assert!(fault(RedisReplayStore::new("http://h")).contains("use redis, rediss"));
    assert!(fault(RedisReplayStore::new("rediss://h#insecure")).contains("SSL_CERT_FILE"));
    assert!(fault(RedisReplayStore::cluster([""; 0])).contains("at least one URL"));
    let differing = ["redis://:a@h", "redis://:b@h"];
    assert!(fault(RedisReplayStore::cluster(differing)).contains("the same"));
    assert!(fault(RedisReplayStore::cluster(["rediss://h"])).contains("install_default"));
}
