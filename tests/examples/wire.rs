//! Connections whose every byte the test decides: a client's, or those of a server behind.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tries again until there is something, for as long as the patience lasts.
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let pause = Duration::from_millis(5);
    for _ in 0..PATIENCE.as_millis() / pause.as_millis() {
        if let Some(found) = attempt() {
            return found;
        }
        std::thread::sleep(pause);
    }
    panic!("{what}: not in time");
}

pub(crate) struct Upstream(TcpListener);

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("it can");
        Self(listener)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().expect("an address"))
    }

    /// The next connection and the request on it, up to its body.
    pub(crate) fn next(&self) -> Peer {
        let (stream, _) = until("a forwarded request", || self.0.accept().ok());
        Peer::new(stream).with_head()
    }

    pub(crate) fn has_none(&self) -> bool {
        self.0.accept().is_err()
    }
}

/// One end of a connection.
pub(crate) struct Peer {
    stream: BufReader<TcpStream>,
    /// Request line or status line, and fields.
    pub(crate) head: String,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nonblocking(false).expect("it can");
        stream.set_read_timeout(Some(PATIENCE)).expect("it can");
        Self { stream: BufReader::new(stream), head: String::new() }
    }

    /// To a server at that base URL.
    pub(crate) fn connect(base: &str) -> Self {
        let address = base.strip_prefix("http://").expect("a base URL");
        Self::new(TcpStream::connect(address).expect("the server runs"))
    }

    pub(crate) fn with_head(mut self) -> Self {
        self.hears_head();
        self
    }

    pub(crate) fn hears_head(&mut self) {
        self.head.clear();
        while !self.head.ends_with("\r\n\r\n") {
            let length = self.stream.read_line(&mut self.head).expect("a line");
            assert_ne!(length, 0, "a whole head: {}", self.head);
        }
    }

    /// Of the length that the head says.
    pub(crate) fn hears_body(&mut self) -> String {
        let length = self.fields("content-length").first().map_or(Ok(0), |length| length.parse());
        let mut body = vec![0; length.expect("a number")];
        self.stream.read_exact(&mut body).expect("so much");
        String::from_utf8(body).expect("UTF-8")
    }

    /// The values of all fields of that name.
    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(field, _)| *field == name).map(|(_, value)| value).collect()
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).expect("the other end listens");
    }

    /// To one that may break off meanwhile.
    pub(crate) fn tries_to_say(&mut self, text: &str) {
        let _ = self.stream.get_mut().write_all(text.as_bytes());
    }

    /// Waits for exactly that text.
    pub(crate) fn hears(&mut self, text: &str) {
        let mut heard = vec![0; text.len()];
        self.stream.read_exact(&mut heard).expect("so much");
        assert_eq!(String::from_utf8_lossy(&heard), text);
    }

    /// What comes until the other end has no more, or breaks off.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        String::from_utf8_lossy(&rest).into_owned()
    }
}
