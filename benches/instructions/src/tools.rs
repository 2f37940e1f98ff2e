//! The programs on which counts depend.

use std::fmt;
use std::process::Command;

/// Names and versions of the programs that counts depend on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tools(Vec<(String, String)>);

/// Without these nothing is counted.
const NEEDED: [(&str, &[&str]); 2] =
    [("valgrind", &["valgrind", "--version"]), ("gungraun", &["gungraun-runner", "--version"])];

impl Tools {
    /// Asks the programs of this machine.
    ///
    /// # Errors
    ///
    /// [`ToolsError`] with the names of those that do not run.
    pub fn found() -> Result<Self, ToolsError> {
        let mut tools = Self::default();
        let rustc = ask(&["rustc", "-vV"]).unwrap_or_default();
        for (name, line) in
            [("rustc", "release: "), ("target", "host: "), ("llvm", "LLVM version: ")]
        {
            let version = rustc.lines().find_map(|text| text.strip_prefix(line));
            tools.push(name, version.unwrap_or("unknown"));
        }
        tools.push("libc", ask(&["getconf", "GNU_LIBC_VERSION"]).as_deref().unwrap_or("unknown"));
        let mut missing = Vec::new();
        for (name, command) in NEEDED {
            match ask(command) {
                Some(version) => tools.push(name, &version),
                None => missing.push(command[0].to_owned()),
            }
        }
        if missing.is_empty() { Ok(tools) } else { Err(ToolsError(missing)) }
    }

    pub(crate) fn push(&mut self, name: &str, version: &str) {
        self.0.push((name.to_owned(), version.to_owned()));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, version)| (name.as_str(), version.as_str()))
    }

    /// Those of which the other has no such version: name, version here, version there.
    pub(crate) fn unlike<'a>(&'a self, other: &'a Self) -> Vec<(&'a str, &'a str, &'a str)> {
        let there = |name: &str| other.iter().find(|(other, _)| *other == name);
        let pair = |(name, version)| (name, version, there(name).map_or("unknown", |(_, v)| v));
        self.iter().map(pair).filter(|(_, here, there)| here != there).collect()
    }
}

/// What the program prints, if it runs and succeeds.
fn ask(command: &[&str]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Programs that do not run here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToolsError(Vec<String>);

impl fmt::Display for ToolsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be run", self.0.join(" and "))
    }
}

impl std::error::Error for ToolsError {}
