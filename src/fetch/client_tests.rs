use super::FetchErrorKind::{ForbiddenAddress, ForbiddenScheme};
use super::*;

const LONGEST: Duration = Duration::from_secs(5);

fn strict() -> AddressPolicy {
    AddressPolicy::default()
}

fn loopback() -> AddressPolicy {
    AddressPolicy { allow_loopback: true, ..strict() }
}

fn verdict(policy: &AddressPolicy, url: &str) -> Option<FetchErrorKind> {
    let url: Uri = url.parse().expect("a URL");
    check(policy, &url).err().map(|refused| refused.kind())
}

#[test]
fn plain_http_is_for_loopback_where_allowed() {
    for url in ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost/", "http://a.localhost"] {
        assert_eq!(verdict(&loopback(), url), None, "{url}");
        assert_eq!(verdict(&strict(), url), Some(ForbiddenAddress), "{url}");
    }
    for url in ["http://as.example/", "http://1.1.1.1/", "http://10.0.0.1", "ftp://[::1]/", "/"] {
        assert_eq!(verdict(&loopback(), url), Some(ForbiddenScheme), "{url}");
    }
}

#[test]
fn literals_of_https_obey_the_policy() {
    for url in ["https://as.example/", "https://1.1.1.1/", "https://[2606:4700::1111]:8443/"] {
        assert_eq!(verdict(&strict(), url), None, "{url}");
    }
    for url in ["https://10.0.0.1", "https://[fe80::1]/", "https://[::ffff:169.254.169.254]/"] {
        assert_eq!(verdict(&loopback(), url), Some(ForbiddenAddress), "{url}");
    }
}

#[test]
fn private_literals_are_for_those_who_name_them() {
    let named = ["10.0.0.1", "fd00::1"].map(str::to_owned).into_iter().collect();
    let policy = AddressPolicy { private_hosts: std::sync::Arc::new(named), ..strict() };
    for url in ["https://10.0.0.1:8443/jwks", "https://[fd00:0::1]/"] {
        assert_eq!(verdict(&policy, url), None, "{url}");
        assert_eq!(verdict(&strict(), url), Some(ForbiddenAddress), "{url}");
    }
    for url in ["https://10.0.0.2/", "https://[fd00::2]/"] {
        assert_eq!(verdict(&policy, url), Some(ForbiddenAddress), "{url}");
    }
    // In the clear it is loopback or nothing.
    assert_eq!(verdict(&policy, "http://10.0.0.1/"), Some(ForbiddenScheme));
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
#[test]
fn without_a_backend_there_is_no_client() {
    let refused = HttpClient::new(strict(), LONGEST).expect_err("no backend");
    assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
}

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod with_backend {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread::{JoinHandle, spawn};

    use super::*;

    /// A client without roots, so that the tests need none on the machine.
    fn client(policy: AddressPolicy) -> HttpClient {
        let tls = ClientConfig::builder_with_provider(provider().expect("a backend").into())
            .with_safe_default_protocol_versions()
            .expect("the provider serves TLS 1.2 and 1.3")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        HttpClient::with_tls(policy, tls, LONGEST)
    }

    /// Answers one request, then hands its head back.
    fn serve_one(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound listener");
        let thread = spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                head.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).expect("an open connection");
            String::from_utf8(head).expect("a request in ASCII")
        });
        (address, thread)
    }

    fn get(url: &str) -> Request<Bytes> {
        Request::get(url).body(Bytes::new()).expect("a request")
    }

    async fn kind(policy: AddressPolicy, url: &str) -> FetchErrorKind {
        let refused = client(policy).fetch(get(url), FetchLimits::default()).await;
        refused.expect_err(url).kind()
    }

    #[test]
    fn a_client_is_built_without_runtime_or_with_a_plain_reason() {
        if let Err(error) = HttpClient::new(strict(), LONGEST) {
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
    }

    #[tokio::test]
    async fn loopback_is_reached_where_allowed() {
        let (address, served) =
            serve_one("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
        let url = format!("http://{address}/jwks");
        let answer = client(loopback()).fetch(get(&url), FetchLimits::default()).await;
        assert_eq!(answer.expect("an answer").body(), &Bytes::from_static(b"{}"));
        let head = served.join().expect("the server ends");
        assert!(head.starts_with("GET /jwks HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("host: {address}\r\n")), "{head}");
    }

    #[tokio::test]
    async fn a_redirect_comes_back_unfollowed() {
        let (address, served) = serve_one(
            "HTTP/1.1 302 Found\r\nlocation: http://[fe80::1]/\r\ncontent-length: 0\r\n\r\n",
        );
        let url = format!("http://{address}/jwks");
        let answer = client(loopback()).fetch(get(&url), FetchLimits::default()).await;
        // R8725BIS-3.10-1: so a redirect to an address that is not allowed leads nowhere.
        assert_eq!(answer.expect("an answer").status(), 302);
        served.join().expect("the server ends");
    }

    #[tokio::test]
    async fn loopback_is_refused_by_default() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a bound listener").port();
        listener.set_nonblocking(true).expect("a listener");
        for host in
            ["http://127.0.0.1", "http://localhost", "https://127.0.0.1", "https://localhost"]
        {
            // R8725BIS-3.10-1: unless the development flag allows it, as in the test above.
            assert_eq!(
                kind(strict(), &format!("{host}:{port}/")).await,
                ForbiddenAddress,
                "{host}"
            );
        }
        let untouched = listener.accept().expect_err("nobody connected");
        assert_eq!(untouched.kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn a_closed_port_is_transport() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound listener");
        drop(listener);
        let refused = kind(loopback(), &format!("https://{address}/")).await;
        assert_eq!(refused, FetchErrorKind::Transport);
    }

    /// Nobody answers at it: its queue is full, and Linux drops what comes then.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_that_is_silent_takes_half_the_time() {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let listener = socket.listen(1).expect("a listener");
        let address = listener.local_addr().expect("a bound listener");
        let queued = [(); 2].map(|()| std::net::TcpStream::connect(address).expect("room"));
        tokio::time::pause();
        let begun = tokio::time::Instant::now();
        let refused = kind(loopback(), &format!("http://{address}/")).await;
        assert_eq!((refused, begun.elapsed().as_secs()), (FetchErrorKind::Transport, 2));
        drop((queued, listener));
    }
}
