//! The examples as programs: where they are, what they say.

use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use tower_resource_server::testing::TestIssuer;

/// A program is missing: a visible line, or a failure where CI demands it.
pub(crate) fn skip(what: &str) {
    assert!(std::env::var_os("TRS_REQUIRE_PROGRAMS").is_none(), "{what}");
    // Not by a macro, whose output tests that pass do not show.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// The example beside this test's own program, where `cargo test` puts it.
pub(crate) fn example(name: &str) -> Option<PathBuf> {
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

fn command(name: &str, arguments: &[&str]) -> Option<Command> {
    let mut command = Command::new(example(name)?);
    command.args(arguments).env_remove("NONCE_SECRET").env_remove("CLIENT_SECRET");
    Some(command)
}

/// Without one the example can only say so.
pub(crate) fn has_backend() -> bool {
    tower_resource_server::CryptoBackend::preferred().is_some()
}

/// The embedded issuer's keys are fetched over HTTP.
pub(crate) fn has_embedded_issuer() -> bool {
    has_backend() && cfg!(feature = "http-client")
}

pub(crate) fn has_curl() -> bool {
    let found = Command::new("curl").arg("--version").output().is_ok();
    if !found {
        skip("curl is not installed");
    }
    found
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What an example says before it ends by itself.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Option<Output> {
    Some(command(name, arguments)?.output().expect("the example starts"))
}

/// What a line for a shell prints.
pub(crate) fn shell(line: &str) -> String {
    text(&Command::new("sh").args(["-c", line]).output().expect("a shell").stdout)
}

/// The JSON document at that URL.
pub(crate) fn document_at(url: &str) -> serde_json::Value {
    let answer = Command::new("curl").args(["-s", url]).output().expect("curl runs");
    serde_json::from_slice(&answer.stdout).expect("a JSON document")
}

/// That arguments are refused as bad ones are: in one line, with status 2.
pub(crate) fn refuses(name: &str, arguments: &[&str]) -> Option<String> {
    let output = run(name, arguments)?;
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
    assert_eq!(errors.lines().count(), 1, "{arguments:?}: {errors}");
    assert!(errors.starts_with("error: "), "{errors}");
    Some(errors)
}

/// An issuer outside, its keys in a file, and the flags with which an example trusts it.
pub(crate) struct Outside {
    pub(crate) issuer: TestIssuer,
    file: PathBuf,
}

impl Outside {
    pub(crate) const RESOURCE: &str = "https://api.example.com";

    /// Files of the same name would be one.
    pub(crate) fn new(name: &str) -> Self {
        let issuer = TestIssuer::new("https://as.example.com");
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("keys-{name}.json"));
        std::fs::write(&file, issuer.jwks_bytes()).expect("a temporary file");
        Self { issuer, file }
    }

    pub(crate) fn flags(&self) -> [&str; 6] {
        let (file, issuer) = (self.file.to_str().expect("a UTF-8 path"), "https://as.example.com");
        ["--issuer", issuer, "--jwks", file, "--resource", Self::RESOURCE]
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// A running example; killed when the test ends early.
pub(crate) struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    pub(crate) base: String,
}

/// How the lines begin by which the tonic server has its client called.
pub(crate) const TONIC_CLIENT: &str = "cargo run --example tonic_client -- ";

/// What it prints for its user to try.
pub(crate) struct Tour {
    /// Each comment and its command.
    pub(crate) lines: Vec<(String, String)>,
    /// The arguments of the client, where the server has use for it.
    pub(crate) client: Option<Vec<String>>,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        Self::start_with(arguments, &[])
    }

    /// With these variables in its environment.
    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Option<Self> {
        Self::start_example("axum", arguments, variables)
    }

    pub(crate) fn start_example(
        name: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Option<Self> {
        let mut command = command(name, &["--listen", "127.0.0.1:0"])?;
        command.envs(variables.iter().copied()).args(arguments);
        Some(Self::spawn(command))
    }

    /// One part of the example `mcp`.
    pub(crate) fn start_part(part: &str, arguments: &[&str]) -> Option<Self> {
        let mut command = command("mcp", &[part, "--listen", "127.0.0.1:0"])?;
        command.args(arguments);
        Some(Self::spawn(command))
    }

    fn spawn(mut command: Command) -> Self {
        let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = started.expect("the example starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let base = line.trim().strip_prefix("listening on ").expect("where it listens").to_owned();
        Self { child, output, base }
    }

    pub(crate) fn tour(&mut self) -> Tour {
        let mut tour = Tour { lines: Vec::new(), client: None };
        let mut comment = String::new();
        let mut line = String::new();
        while !line.starts_with("Control-C") {
            line.clear();
            let length = self.output.read_line(&mut line).expect("a line");
            assert_ne!(length, 0, "the tour has its end");
            if let Some(text) = line.strip_prefix("# ") {
                comment = text.trim().to_owned();
            } else if line.starts_with("curl ") || line.starts_with(TONIC_CLIENT) {
                tour.lines.push((comment.clone(), line.trim().to_owned()));
            } else if let Some(arguments) = line.strip_prefix("cargo run --example dpop_client -- ")
            {
                tour.client = Some(arguments.split_whitespace().map(str::to_owned).collect());
            }
        }
        tour
    }

    /// The issuer it trusts, from its metadata (RFC 9728).
    pub(crate) fn issuer(&self) -> String {
        let document = format!("{}/.well-known/oauth-protected-resource", self.base);
        let issuers = &document_at(&document)["authorization_servers"];
        issuers[0].as_str().expect("an issuer").to_owned()
    }

    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> String {
        let mut curl = Command::new("curl");
        curl.args(["-si", &format!("{}{path}", self.base)]);
        if let Some(token) = token {
            curl.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        text(&curl.output().expect("curl runs").stdout)
    }

    /// Asks it to stop as a process supervisor does.
    pub(crate) fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(sent.success());
    }

    pub(crate) fn ended(mut self) {
        assert!(self.child.wait().expect("it ends").success(), "it stops cleanly");
    }

    pub(crate) fn stop(self) {
        self.terminate();
        self.ended();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
