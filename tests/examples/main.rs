//! The example servers as a new user meets them: started, called with the curl lines they print,
//! stopped.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use tower_resource_server::testing::TestIssuer;

/// A program is missing: a visible line, or a failure where CI demands it.
fn skip(what: &str) {
    assert!(std::env::var_os("TRS_REQUIRE_PROGRAMS").is_none(), "{what}");
    eprintln!("SKIPPED: {what}");
}

/// The example beside this test's own program, where `cargo test` puts it.
fn example(name: &str) -> Option<PathBuf> {
    let own = std::env::current_exe().expect("a test knows its program");
    let path = own.parent()?.parent()?.join("examples").join(name);
    if !path.exists() {
        skip(
            "the examples are not built: run cargo test without --test, or cargo build --examples",
        );
        return None;
    }
    Some(path)
}

/// Without one the example can only say so.
fn has_backend() -> bool {
    tower_resource_server::CryptoBackend::preferred().is_some()
}

fn has_curl() -> bool {
    let found = Command::new("curl").arg("--version").output().is_ok();
    if !found {
        skip("curl is not installed");
    }
    found
}

/// A running example; killed when the test ends early.
struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    base: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Option<Self> {
        let mut child = Command::new(example("axum")?)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the example starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let base = line.trim().strip_prefix("listening on ").expect("where it listens").to_owned();
        Some(Self { child, output, base })
    }

    /// The printed pairs of comment and command.
    fn tour(&mut self) -> Vec<(String, String)> {
        let mut tour = Vec::new();
        let mut comment = String::new();
        let mut line = String::new();
        // The tour ends with an empty line after the metadata document.
        while !line.contains("oauth-protected-resource") {
            line.clear();
            self.output.read_line(&mut line).expect("a line");
            if let Some(text) = line.strip_prefix("# ") {
                comment = text.trim().to_owned();
            } else if line.starts_with("curl ") {
                tour.push((comment.clone(), line.trim().to_owned()));
            }
        }
        tour
    }

    fn get(&self, path: &str, token: Option<&str>) -> String {
        let mut curl = Command::new("curl");
        curl.args(["-si", &format!("{}{path}", self.base)]);
        if let Some(token) = token {
            curl.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        text(&curl.output().expect("curl runs").stdout)
    }

    /// Asks it to stop as a process supervisor does, and waits.
    fn stop(mut self) {
        let kill = format!("kill -TERM {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(sent.success());
        assert!(self.child.wait().expect("it ends").success(), "it stops cleanly");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn each_printed_curl_line_gives_what_its_comment_says() {
    // The embedded issuer's keys are fetched over HTTP.
    if !has_backend() || !cfg!(feature = "http-client") {
        return;
    }
    let (true, Some(mut server)) = (has_curl(), Server::start(&[])) else { return };
    let tour = server.tour();
    assert!(tour.len() >= 14, "{tour:?}");
    for (comment, command) in tour {
        let status = comment.split(':').next().expect("a status");
        let answer = Command::new("sh").args(["-c", &command]).output().expect("a shell");
        let answer = text(&answer.stdout);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{comment}\n{answer}");
        for code in ["insufficient_scope", "insufficient_user_authentication", "invalid_token"] {
            let promised = comment.contains(code);
            assert!(!promised || answer.contains(&format!("error=\"{code}\"")), "{comment}");
        }
    }
    server.stop();
}

#[test]
fn an_issuer_outside_is_trusted_by_its_key_file() {
    if !has_backend() || !has_curl() {
        return;
    }
    let issuer = TestIssuer::new("https://as.example.com");
    let file = std::env::temp_dir().join(format!("trs-jwks-{}.json", std::process::id()));
    std::fs::write(&file, issuer.jwks_bytes()).expect("a temporary file");
    let file_name = file.to_str().expect("a UTF-8 path");
    let arguments =
        ["--issuer", "https://as.example.com", "--jwks", file_name, "--audience", "api"];
    let Some(server) = Server::start(&[&arguments[..], &["--envelope", "problem"]].concat()) else {
        return;
    };
    let token = issuer.token().audience("api").build();
    assert!(server.get("/whoami", Some(&token)).contains("\"sub\":\"user-1\""));
    let refused = server.get("/whoami", Some(&issuer.token().build()));
    assert!(refused.contains("application/problem+json") && refused.contains("#wrong-audience"));
    assert!(server.get("/optional", None).contains("{\"sub\":null}"));
    assert!(server.get("/public", None).starts_with("HTTP/1.1 200 "));
    server.stop();
    std::fs::remove_file(file).expect("the file is ours");
}

fn run(arguments: &[&str]) -> Option<Output> {
    Some(Command::new(example("axum")?).args(arguments).output().expect("the example starts"))
}

#[test]
fn bad_flags_are_one_line_and_status_2() {
    let bad: [&[&str]; 9] = [
        &["--no-such-flag"],
        &["--listen", "nowhere"],
        &["--profile", "strict"],
        &["--envelope", "fancy"],
        &["--jwks", "keys.json"],
        &["--issuer", "https://as.example.com"],
        &["--issuer", "https://as.example.com", "--jwks", "/no/such/file"],
        &["--listen", "127.0.0.1:0", "--resource", "http://api.example.com"],
        &["stray"],
    ];
    for arguments in bad {
        let Some(output) = run(arguments) else { return };
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{arguments:?}: {errors}");
        assert!(errors.starts_with("error: "), "{errors}");
    }
}

#[test]
fn without_a_backend_it_says_what_to_enable() {
    if has_backend() {
        return;
    }
    let Some(output) = run(&["--listen", "127.0.0.1:0"]) else { return };
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("enable the feature aws-lc-rs or rust-crypto"));
}

#[test]
fn flags_of_later_versions_say_so() {
    for flag in
        ["introspection", "client-id", "client-secret", "sender-constraint", "nonce", "redis"]
    {
        let Some(output) = run(&[&format!("--{flag}")]) else { return };
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("not yet available"), "{flag}");
    }
}
