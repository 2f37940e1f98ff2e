//! A real redis-server for a test, on a loopback port of its own.
//!
//! The tests of the examples have it too.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// A test that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that keeps nothing on disk by itself; killed when dropped.
pub(crate) struct RedisServer {
    port: u16,
    options: Vec<String>,
    folder: PathBuf,
    child: Option<Child>,
}

impl RedisServer {
    /// Prints a line and gives none where the program is missing, or fails where CI demands it.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(options: &[&str]) -> Option<Self> {
        let mut server = Self::stopped(options)?;
        server.run().await;
        Some(server)
    }

    /// One that does not run yet.
    pub(crate) fn stopped(options: &[&str]) -> Option<Self> {
        if Command::new("redis-server").arg("--version").output().is_err() {
            let demanded = std::env::var_os("TRS_REQUIRE_PROGRAMS").is_some();
            assert!(!demanded, "the replay store's tests need redis-server");
            // Not by a macro, whose output tests that pass do not show.
            let _ =
                writeln!(std::io::stderr(), "SKIPPED: the replay store's tests need redis-server");
            return None;
        }
        let port = free_port();
        let name = format!("redis-{}-{port}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Some(Self { port, options, folder, child: None })
    }

    /// Starts it, again after it was killed, and waits until it answers.
    pub(crate) async fn run(&mut self) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(&self.folder)
            .args(&self.options)
            .stdout(Stdio::null())
            .spawn();
        self.child = Some(child.expect("redis-server starts"));
        for _ in 0..3000 {
            if self.ask(&["PING"]).await.is_ok_and(|answer| answer == "PONG") {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("redis-server does not answer on port {}", self.port);
    }

    /// Kills it; what it did not save is lost.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends it a signal: `STOP` makes it mute with its connections open, `CONT` lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let child = self.child.as_ref().expect("it runs");
        let kill = format!("kill -{name} {}", child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(sent.success());
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The answer to a command: a text, a number or an error, as text.
    pub(crate) async fn command(&self, words: &[&str]) -> String {
        let answer = timeout(PATIENCE, self.ask(words)).await.expect("an answer in time");
        answer.expect("the server runs")
    }

    async fn ask(&self, words: &[&str]) -> std::io::Result<String> {
        let mut server = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).await?);
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        server.write_all(request.as_bytes()).await?;
        let mut line = String::new();
        server.read_line(&mut line).await?;
        let Some(length) = line.strip_prefix('$') else {
            return Ok(line.get(1..).unwrap_or_default().trim().to_owned());
        };
        let Ok(length) = length.trim().parse::<usize>() else { return Ok("nil".to_owned()) };
        let mut text = vec![0; length];
        server.read_exact(&mut text).await?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("its address").port()
}
