//! The file that is committed: what each path took, and with which tools it was counted.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Counts, Tools};

/// What each path took when the baseline was made.
///
/// As text it has a line `# name: version` for each tool, and then a line for each path, sorted:
/// name, space, instructions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Baseline {
    pub(crate) tools: Tools,
    pub(crate) ours: BTreeMap<String, i64>,
}

impl Baseline {
    /// The baseline that these counts make.
    #[must_use]
    pub fn of(counts: &Counts, tools: Tools) -> Self {
        let ours = counts.0.iter().map(|(path, count)| (path.clone(), count.ours())).collect();
        Self { tools, ours }
    }

    /// Reads what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    ///
    /// [`BaselineError`] with the first line that is not as it is written.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let mut baseline = Self::default();
        for line in text.lines() {
            baseline.take(line).ok_or_else(|| BaselineError(line.to_owned()))?;
        }
        Ok(baseline)
    }

    fn take(&mut self, line: &str) -> Option<()> {
        if let Some(tool) = line.strip_prefix("# ") {
            let (name, version) = tool.split_once(": ")?;
            self.tools.push(name, version);
            return Some(());
        }
        let (path, instructions) = line.split_once(' ')?;
        let known = self.ours.insert(path.to_owned(), instructions.parse().ok()?);
        known.is_none().then_some(())
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, version) in self.tools.iter() {
            writeln!(f, "# {name}: {version}")?;
        }
        for (path, instructions) in &self.ours {
            writeln!(f, "{path} {instructions}")?;
        }
        Ok(())
    }
}

/// A line of a baseline that is not `# name: version` nor `path instructions`, or a path twice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaselineError(String);

impl fmt::Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a line of the baseline is wrong: {}", self.0)
    }
}

impl std::error::Error for BaselineError {}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# rustc: 1.95.0\n# target: x86_64\nbearer_seen 3000\nrefuse_grpc -2\n";

    #[test]
    fn what_is_written_is_read() {
        let baseline = Baseline::read(TEXT).unwrap();
        assert_eq!(baseline.ours["bearer_seen"], 3000);
        assert_eq!(baseline.tools.iter().count(), 2);
        assert_eq!(baseline.to_string(), TEXT);
    }

    #[test]
    fn other_lines_are_refused() {
        for line in ["bearer_seen", "bearer_seen x", "bearer_seen 1 2", "#rustc", "# rustc", ""] {
            assert_eq!(Baseline::read(&format!("{line}\n")), Err(BaselineError(line.to_owned())));
        }
        assert!(Baseline::read("a 1\na 2\n").is_err());
    }
}
