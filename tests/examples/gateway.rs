//! The hyper example as a reverse proxy, in front of a server whose part the test plays.

use std::process::{Child, Command, Stdio};

use tower_resource_server::Algorithm;
use tower_resource_server::testing::{SigningKey, TokenBuilder};

use crate::support::{Outside, Server, has_backend, has_curl, text};
use crate::wire::{Peer, Upstream, until};

struct Gateway {
    outside: Outside,
    upstream: Upstream,
    server: Server,
}

impl Gateway {
    /// Without a backend, curl or the example there is none.
    fn start(name: &str, flags: &[&str]) -> Option<Self> {
        if !has_backend() || !has_curl() {
            return None;
        }
        let (outside, upstream) = (Outside::new(name), Upstream::start());
        let url = upstream.url();
        let flags = [&outside.flags()[..], &["--upstream", &url], flags].concat();
        let server = Server::start_example("hyper", &flags, &[])?;
        Some(Self { outside, upstream, server })
    }

    fn token(&self) -> TokenBuilder {
        self.outside.issuer.token()
    }

    fn bearer(&self) -> String {
        format!("Authorization: Bearer {}", self.token().scope("tools/read b").build())
    }

    /// A client, on its way.
    fn curl(&self, path: &str, arguments: &[&str]) -> Child {
        let url = format!("{}{path}", self.server.base);
        let mut curl = Command::new("curl");
        curl.args(["-si", &url]).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        curl.spawn().expect("curl runs")
    }

    /// With a token that is good.
    fn call(&self, path: &str, arguments: &[&str]) -> Child {
        self.curl(path, &[&["-H", &*self.bearer()], arguments].concat())
    }

    /// A client whose every byte the test decides.
    fn raw(&self, line: &str, fields: &str) -> Peer {
        let mut peer = Peer::connect(&self.server.base);
        peer.say(&format!("{line} HTTP/1.1\r\nhost: here\r\n{}\r\n{fields}\r\n", self.bearer()));
        peer
    }
}

fn answer(client: Child) -> String {
    text(&client.wait_with_output().expect("curl ends").stdout)
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";

#[test]
fn the_server_behind_is_told_who_calls_and_gets_no_token() {
    let Some(gateway) = Gateway::start("told", &[]) else { return };
    let client =
        gateway.call("/notes/a%2Fb?x=1&y", &["-H", "DPoP: something", "-H", "Cookie: a=b"]);
    let mut forwarded = gateway.upstream.next();
    assert!(
        forwarded.head.starts_with("GET /notes/a%2Fb?x=1&y HTTP/1.1\r\n"),
        "{}",
        forwarded.head
    );
    assert_eq!(forwarded.fields("authorization"), [""; 0]);
    assert_eq!(forwarded.fields("dpop"), [""; 0]);
    assert!(!forwarded.head.contains("eyJ"), "{}", forwarded.head);
    assert_eq!(forwarded.fields("cookie"), ["a=b"]);
    assert_eq!(forwarded.fields("x-authenticated-issuer"), ["https://as.example.com"]);
    assert_eq!(forwarded.fields("x-authenticated-subject"), ["user-1"]);
    assert_eq!(forwarded.fields("x-authenticated-client"), ["client-1"]);
    assert_eq!(forwarded.fields("x-granted-scope"), ["tools/read b"]);
    assert_eq!(forwarded.fields("host"), [gateway.upstream.url().replace("http://", "")]);
    assert_eq!(forwarded.fields("via"), ["1.1 api.example.com"]);
    assert_eq!(forwarded.fields("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(forwarded.fields("x-forwarded-host"), ["api.example.com"]);
    assert_eq!(forwarded.fields("x-forwarded-proto"), ["https"]);
    forwarded.say(FINE);
    assert!(answer(client).ends_with("\r\n\r\nfine"));
    gateway.server.stop();
}

/// Also where `Connection` would have the gateway's own fields removed, or a name is one byte off.
#[test]
fn what_a_client_writes_is_not_what_the_gateway_tells() {
    let Some(gateway) = Gateway::start("forged", &[]) else { return };
    let forged = [
        "X-Authenticated-Subject: root",
        "x_authenticated_subject: root",
        "X-Authenticated-Roles: root",
        "X-Granted-Scope: admin",
        "X-Granted_Scope: admin",
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-Host: evil.example",
        "X-Real-IP: 10.0.0.1",
        "X-Original-URL: /admin",
        "X_Rewrite_URL: /admin",
        "Forwarded: for=10.0.0.1",
        "Client-Cert: :AAAA:",
        "Connection: x-authenticated-subject, x-granted-scope, host, via",
    ];
    let arguments: Vec<_> = forged.iter().flat_map(|field| ["-H", field]).collect();
    for (version, with) in [("1.1", &arguments[..]), ("2", &arguments[..arguments.len() - 2])] {
        let with =
            if version == "2" { &[&["--http2-prior-knowledge"], with].concat() } else { with };
        // Public, so nobody is known, but for what the client says.
        for path in ["/whoami", "/public"] {
            let client = gateway.call(path, with);
            let mut forwarded = gateway.upstream.next();
            let head = forwarded.head.to_ascii_lowercase();
            for lie in ["root", "admin", "10.0.0.1", "evil", "aaaa", "eyj", "connection:"] {
                assert!(!head.contains(lie), "{lie}: {head}");
            }
            let known: &[&str] = if path == "/public" { &[] } else { &["user-1"] };
            assert_eq!(forwarded.fields("x-authenticated-subject"), known, "{head}");
            assert_eq!(forwarded.fields("x-granted-scope").len(), known.len(), "{head}");
            assert!(forwarded.fields("via")[0].starts_with(&format!("{version} ")), "{head}");
            forwarded.say(FINE);
            assert!(answer(client).ends_with("fine"));
        }
    }
    gateway.server.stop();
}

/// RFC 9113 §8.2.3, and what stood on the way here before.
#[test]
fn cookies_become_one_line_and_hops_are_added() {
    let Some(gateway) = Gateway::start("cookies", &[]) else { return };
    let fields = ["-H", "Cookie: a=b", "-H", "Cookie: c=d", "-H", "Via: 1.1 elsewhere"];
    let client = gateway.call("/", &[&["--http2-prior-knowledge"], &fields[..]].concat());
    let mut forwarded = gateway.upstream.next();
    assert_eq!(forwarded.fields("cookie"), ["a=b; c=d"]);
    assert_eq!(forwarded.fields("via"), ["1.1 elsewhere", "2 api.example.com"]);
    forwarded.say(FINE);
    answer(client);
    gateway.server.stop();
}

/// Text of the token's is no text of the gateway's.
#[test]
fn a_name_that_is_no_ascii_is_encoded() {
    let Some(gateway) = Gateway::start("encoded", &[]) else { return };
    let token = gateway.token().subject("zoë 100%\r\nx-admin: yes").build();
    let client = gateway.curl("/", &["-H", &format!("Authorization: Bearer {token}")]);
    let mut forwarded = gateway.upstream.next();
    let subject = "zo%C3%AB%20100%25%0D%0Ax-admin:%20yes";
    assert_eq!(forwarded.fields("x-authenticated-subject"), [subject]);
    assert_eq!(forwarded.fields("x-admin"), [""; 0]);
    forwarded.say(FINE);
    answer(client);
    gateway.server.stop();
}

/// RFC 9110 §7.6.1, both ways.
#[test]
fn fields_of_one_connection_stay_there() {
    let Some(gateway) = Gateway::start("hops", &[]) else { return };
    let mut client = gateway.raw(
        "GET /chat",
        "connection: keep-alive, x-mine, upgrade\r\nconnection: X-Other\r\nx-mine: 1\r\n\
         x-other: 1\r\nx-kept: 1\r\nupgrade: websocket\r\nkeep-alive: timeout=5\r\nte: trailers\r\n\
         proxy-connection: keep-alive\r\nproxy-authorization: Basic eA==\r\n",
    );
    let mut forwarded = gateway.upstream.next();
    let gone = [
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
        "x-mine",
        "x-other",
    ];
    for name in gone {
        assert_eq!(forwarded.fields(name), [""; 0], "{}", forwarded.head);
    }
    assert_eq!(forwarded.fields("x-kept"), ["1"]);
    forwarded.say(
        "HTTP/1.1 200 OK\r\nconnection: x-internal\r\nx-internal: 1\r\nx-kept: 2\r\n\
         upgrade: h2c\r\nkeep-alive: timeout=9\r\nproxy-authenticate: Basic\r\n\
         content-length: 4\r\n\r\nfine",
    );
    client = client.with_head();
    for name in ["x-internal", "upgrade", "keep-alive", "proxy-authenticate", "connection"] {
        assert_eq!(client.fields(name), [""; 0], "{}", client.head);
    }
    assert_eq!(client.fields("x-kept"), ["2"]);
    client.hears("fine");
    gateway.server.stop();
}

#[test]
fn strangers_get_no_further() {
    let Some(gateway) = Gateway::start("strangers", &[]) else { return };
    let preflight = [
        "-X",
        "OPTIONS",
        "-H",
        "Origin: https://a.example",
        "-H",
        "Access-Control-Request-Method: PUT",
    ];
    let refused: [(&str, &[&str], &str); 7] = [
        ("/", &[], "401"),
        ("/", &["--http2-prior-knowledge"], "401"),
        ("/", &["-H", "Authorization: Bearer broken"], "401"),
        ("/public/", &[], "401"),
        ("/public/../notes", &["--path-as-is"], "401"),
        ("/%70ublic", &["--path-as-is"], "401"),
        ("/", &preflight, "401"),
    ];
    for (path, arguments, status) in refused {
        let said = answer(gateway.curl(path, arguments));
        assert!(said.contains(&format!(" {status} ")), "{path} {arguments:?}: {said}");
        assert!(said.contains("www-authenticate: "), "{path} {arguments:?}: {said}");
    }
    let own = answer(gateway.curl("/.well-known/oauth-protected-resource", &[]));
    assert!(own.contains("\"resource\":\"https://api.example.com\""), "{own}");
    let in_query = answer(gateway.call("/?access_token=x", &[]));
    assert!(in_query.starts_with("HTTP/1.1 400 "), "{in_query}");
    let came = "Via: 1.0 elsewhere, 1.1 api.example.com (again)";
    let refused = [(&["-X", "TRACE"][..], "501"), (&["-H", came], "508")];
    for (arguments, status) in refused {
        let said = answer(gateway.call("/", arguments));
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{arguments:?}: {said}");
        assert!(said.contains("cache-control: no-store"), "{said}");
    }
    assert!(gateway.upstream.has_none(), "nothing was forwarded");
    gateway.server.stop();
}

/// A proof is checked against the public name, and its field goes no further.
#[test]
fn a_bound_token_needs_its_proof_here() {
    let Some(gateway) = Gateway::start("bound", &[]) else { return };
    let key = SigningKey::generate(Algorithm::ES256);
    let token = gateway.token().bound_to(&key).build();
    let url = format!("{}/notes", Outside::RESOURCE);
    let field = format!("Authorization: DPoP {token}");
    let proof = format!("DPoP: {}", key.proof("GET", &url).token(&token).build());
    let client = gateway.curl("/notes", &["-H", &field, "-H", &proof]);
    let mut forwarded = gateway.upstream.next();
    assert_eq!(forwarded.fields("dpop"), [""; 0]);
    assert_eq!(forwarded.fields("x-authenticated-subject"), ["user-1"]);
    forwarded.say(FINE);
    assert!(answer(client).ends_with("fine"));
    let again = answer(gateway.curl("/notes", &["-H", &field, "-H", &proof]));
    assert!(again.contains("error=\"invalid_dpop_proof\""), "{again}");
    gateway.server.stop();
}

/// Neither body waits for its end.
#[test]
fn bodies_are_streamed_both_ways() {
    let Some(gateway) = Gateway::start("streams", &[]) else { return };
    let mut client = gateway.raw("POST /echo", "transfer-encoding: chunked\r\n");
    client.say("5\r\nfirst\r\n");
    let mut forwarded = gateway.upstream.next();
    assert_eq!(forwarded.fields("transfer-encoding"), ["chunked"]);
    forwarded.hears("5\r\nfirst\r\n");
    forwarded.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfrom\r\n");
    client = client.with_head();
    client.hears("4\r\nfrom\r\n");
    client.say("6\r\nsecond\r\n");
    forwarded.hears("6\r\nsecond\r\n");
    client.say("0\r\n\r\n");
    forwarded.hears("0\r\n\r\n");
    forwarded.say("6\r\nbehind\r\n0\r\n\r\n");
    client.hears("6\r\nbehind\r\n0\r\n\r\n");
    gateway.server.stop();
}

/// RFC 9110 §6.5.1: a server may take what comes after a body for what stands before it.
#[test]
fn what_a_client_writes_after_its_body_is_not_what_the_gateway_tells() {
    let Some(gateway) = Gateway::start("trailers", &[]) else { return };
    let fields = "transfer-encoding: chunked\r\n\
                  trailer: x-authenticated-subject, x_granted_scope, upgrade, x-checksum\r\n";
    let lies = "x-authenticated-subject: root\r\nx_granted_scope: admin\r\nupgrade: x\r\n";
    for honest in ["x-checksum: 5\r\n", ""] {
        for path in ["/whoami", "/public"] {
            let mut client = gateway.raw(&format!("POST {path}"), fields);
            client.say(&format!("4\r\nbody\r\n0\r\n{lies}{honest}\r\n"));
            let mut forwarded = gateway.upstream.next();
            forwarded.hears(&format!("4\r\nbody\r\n0\r\n{honest}\r\n"));
            forwarded.say(FINE);
            client.with_head().hears("fine");
        }
    }
    gateway.server.stop();
}

/// RFC 9112 §6.3: two lengths are one way to smuggle a request past whoever believes the other.
#[test]
fn a_body_has_one_length() {
    let Some(gateway) = Gateway::start("lengths", &[]) else { return };
    for fields in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
    ] {
        let mut client = gateway.raw("POST /echo", fields);
        client.say("9\r\nGET /evil\r\n0\r\n\r\n");
        let mut forwarded = gateway.upstream.next();
        assert_eq!(forwarded.fields("content-length"), [""; 0]);
        assert_eq!(forwarded.fields("transfer-encoding"), ["chunked"]);
        forwarded.hears("9\r\nGET /evil\r\n0\r\n\r\n");
        forwarded.say(FINE);
        client.with_head().hears("fine");
    }
    gateway.server.stop();
}

#[test]
fn a_large_body_gets_through_whole() {
    let Some(gateway) = Gateway::start("large", &[]) else { return };
    let length = 4 << 20;
    let body = "0123456789abcdef".repeat(length / 16);
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway-large-body");
    std::fs::write(&file, &body).expect("a temporary file");
    let data = format!("@{}", file.display());
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let client = gateway.call("/", &[version, "--data-binary", &data]);
        let mut forwarded = gateway.upstream.next();
        assert_eq!(forwarded.fields("content-length"), [length.to_string()]);
        assert_eq!(forwarded.fields("expect"), [""; 0]);
        forwarded.hears(&body);
        forwarded.say(&format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"));
        assert!(answer(client).ends_with(&body));
    }
    std::fs::remove_file(file).expect("the file is ours");
    gateway.server.stop();
}

const FRAMINGS: [&str; 2] =
    ["content-length: 100\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"];

/// An answer that is cut short is an error to the client too, whatever its framing.
#[test]
fn a_server_that_dies_amid_its_answer_is_noticed() {
    let Some(gateway) = Gateway::start("dies", &[]) else { return };
    for framing in FRAMINGS {
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let client = gateway.call("/", &[version]);
            gateway.upstream.next().say(&format!("HTTP/1.1 200 OK\r\n{framing}"));
            let output = client.wait_with_output().expect("curl ends");
            assert!(!output.status.success(), "{version} {framing}: {}", text(&output.stdout));
        }
    }
    gateway.server.stop();
}

/// Nothing of what the client gets says that this was all.
#[test]
fn what_came_before_its_death_is_not_made_whole() {
    let Some(gateway) = Gateway::start("dies-late", &[]) else { return };
    for framing in FRAMINGS {
        let mut client = gateway.raw("GET /", "");
        let mut forwarded = gateway.upstream.next();
        forwarded.say(&format!("HTTP/1.1 200 OK\r\n{framing}"));
        client = client.with_head();
        let (_, body) = framing.split_once("\r\n\r\n").expect("a body");
        client.hears(body);
        drop(forwarded);
        assert_eq!(client.rest(), "", "{framing}");
    }
    gateway.server.stop();
}

#[test]
fn a_server_that_is_not_there_is_502() {
    let Some(gateway) = Gateway::start("absent", &[]) else { return };
    let Gateway { outside, upstream, server } = gateway;
    drop(upstream);
    let bearer = format!("Authorization: Bearer {}", outside.issuer.token().build());
    for path in ["/", "/public"] {
        let said = crate::support::shell(&format!("curl -si {}{path} -H '{bearer}'", server.base));
        assert!(said.starts_with("HTTP/1.1 502 "), "{said}");
        assert!(said.ends_with("{\"error\":\"Bad Gateway\"}"), "{said}");
    }
    server.stop();
}

#[test]
fn a_server_that_talks_nonsense_is_502() {
    let Some(gateway) = Gateway::start("nonsense-behind", &[]) else { return };
    let nonsense = ["", "hello\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"];
    for text in nonsense {
        let client = gateway.call("/", &[]);
        let mut forwarded = gateway.upstream.next();
        forwarded.say(text);
        drop(forwarded);
        let said = answer(client);
        assert!(said.starts_with("HTTP/1.1 502 "), "{text}: {said}");
    }
    gateway.server.stop();
}

/// Time runs while the server behind has all there is and says nothing, and while a client that
/// owes the rest of its body sends nothing.
#[test]
fn nobody_is_waited_for_without_end() {
    let Some(gateway) = Gateway::start("patience", &["--upstream-timeout", "0.2"]) else { return };
    let client = gateway.call("/", &["-d", "all of it"]);
    let forwarded = gateway.upstream.next();
    let said = answer(client);
    assert!(said.starts_with("HTTP/1.1 504 "), "{said}");
    drop(forwarded);

    let mut slow = gateway.raw("POST /", "content-length: 10\r\n");
    slow.say("half");
    let _forwarded = gateway.upstream.next();
    let slow = slow.with_head();
    assert!(slow.head.starts_with("HTTP/1.1 408 "), "{}", slow.head);
    gateway.server.stop();
}

/// A request under way is finished; new ones are not begun.
#[test]
fn it_stops_when_what_is_under_way_is_done() {
    let Some(gateway) = Gateway::start("stops", &[]) else { return };
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let Some(server) = Server::start_example(
            "hyper",
            &[&gateway.outside.flags()[..], &["--upstream", &gateway.upstream.url()]].concat(),
            &[],
        ) else {
            return;
        };
        let url = format!("{}/", server.base);
        let mut curl = Command::new("curl");
        curl.args(["-si", version, &url, "-H", &gateway.bearer()]).stdout(Stdio::piped());
        let client = curl.spawn().expect("curl runs");
        let mut forwarded = gateway.upstream.next();
        server.terminate();
        let address = server.base.replace("http://", "");
        until("the port is closed", || std::net::TcpStream::connect(&address).err());
        forwarded.say(FINE);
        assert!(answer(client).ends_with("fine"));
        server.ended();
    }
    gateway.server.stop();
}

/// Its lines are those of a server whose answers it does not know.
#[test]
fn what_it_prints_does_what_it_says() {
    if !crate::support::has_embedded_issuer() || !has_curl() {
        return;
    }
    let upstream = Upstream::start();
    let flags = ["--upstream", &*upstream.url()];
    let Some(mut server) = Server::start_example("hyper", &flags, &[]) else { return };
    let lines = server.tour().lines;
    let spawn = |line: &str| {
        Command::new("sh").args(["-c", line]).stdout(Stdio::piped()).spawn().expect("a shell")
    };
    let mut forwarded = 0;
    for (comment, line) in &lines {
        let client = spawn(line);
        match comment.split_once(':').filter(|(status, _)| status.len() == 3) {
            Some((status, _)) => {
                let said = answer(client);
                assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{comment}: {said}");
            }
            None => {
                upstream.next().say(FINE);
                forwarded += 1;
                assert!(answer(client).ends_with("fine"), "{comment}");
            }
        }
    }
    assert_eq!((forwarded, lines.len()), (2, 4));
    server.stop();
}
