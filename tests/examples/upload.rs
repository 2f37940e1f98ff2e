//! For whom the gateway waits, and how long. The clock is the test's.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::StatusCode;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::time::{Instant, sleep};

#[path = "../../examples/hyper/gateway/upload.rs"]
mod waiting;

use waiting::Upload;

const PATIENCE: Duration = Duration::from_secs(30);

/// A body of so many frames, each after that pause; and then an answer after another one.
async fn upload(frames: usize, pause: Duration, thinks: Duration) -> Result<usize, StatusCode> {
    let body = stream::iter(0..frames).then(move |_| async move {
        sleep(pause).await;
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"data")))
    });
    let (mut upload, progress) = Upload::new(StreamBody::new(body.boxed()));
    let sent = async {
        let mut seen = 0;
        while let Some(Ok(_)) = upload.frame().await {
            seen += 1;
        }
        sleep(thinks).await;
        seen
    };
    progress.wait(sent, PATIENCE).await
}

#[tokio::test(start_paused = true)]
async fn an_upload_takes_as_long_as_it_moves() {
    let begun = Instant::now();
    let nearly = PATIENCE - Duration::from_secs(1);
    assert_eq!(upload(100, nearly, nearly).await, Ok(100));
    assert!(begun.elapsed() > PATIENCE * 90);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_is_at_fault() {
    let begun = Instant::now();
    let answer = upload(2, PATIENCE + Duration::from_secs(1), Duration::ZERO).await;
    assert_eq!(answer, Err(StatusCode::REQUEST_TIMEOUT));
    assert!(begun.elapsed() <= PATIENCE + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_it_all_and_says_nothing_is_at_fault() {
    let thinks = PATIENCE + Duration::from_secs(1);
    for frames in [0, 3] {
        let answer = upload(frames, Duration::from_secs(1), thinks).await;
        assert_eq!(answer, Err(StatusCode::GATEWAY_TIMEOUT), "{frames}");
    }
}
