//! oidc-provider and what it depends on, installed once below the target directory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// Each with what it is called by.
const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("package.json")),
    ("package-lock.json", include_str!("package-lock.json")),
    ("server.mjs", include_str!("server.mjs")),
];

/// A lockfile that npm is done with.
const INSTALLED: &str = "installed.json";

/// The oldest Node that oidc-provider and its dependencies run on.
const OLDEST_NODE: u32 = 18;

/// Where the server and its modules are; none, after a line that says why, where they cannot be.
pub(crate) fn folder() -> Option<&'static Path> {
    static FOLDER: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| install().map_err(|why| skip(&why)).ok());
    FOLDER.as_deref()
}

fn skip(why: &str) {
    let line = format!("the tests against oidc-provider need {why}");
    assert!(std::env::var_os("TRS_REQUIRE_PROGRAMS").is_none(), "{line}");
    // Not by a macro, whose output tests that pass do not show.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {line}");
}

fn install() -> Result<PathBuf, String> {
    let node = run("node", &["--version"], Path::new("."))?;
    let major =
        node.trim().trim_start_matches('v').split('.').next().and_then(|it| it.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST_NODE) {
        return Err(format!("Node {OLDEST_NODE} or later; this is {}", node.trim()));
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("oidc-provider");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, content) in FILES {
        std::fs::write(folder.join(name), content).expect("a file");
    }
    let (_, lock) = FILES[1];
    if std::fs::read_to_string(folder.join(INSTALLED)).is_ok_and(|installed| installed == lock) {
        return Ok(folder);
    }
    run("npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund"], &folder)?;
    std::fs::write(folder.join(INSTALLED), lock).expect("a file");
    Ok(folder)
}

/// What the program says, or why it could not.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<String, String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let Ok(Output { status, stdout, stderr }) = output else {
        return Err(format!("{program}, which is not installed"));
    };
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&stderr).trim().replace('\n', "; ");
    Err(format!("{program} {}, which failed: {why}", arguments.join(" ")))
}
