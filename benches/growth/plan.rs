//! What the command line asks for.

use std::path::PathBuf;

use lexopt::prelude::{Long, Value};

/// How much is measured, and where the plots go.
#[derive(Default)]
pub(crate) struct Plan {
    quick: bool,
    only: Option<String>,
}

impl Plan {
    /// `--bench` is what cargo adds.
    pub(crate) fn from_arguments(names: &[&str]) -> Result<Self, String> {
        let mut plan = Self::default();
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Long("bench") => {}
                Long("quick") => plan.quick = true,
                Value(name) => plan.only = Some(name.to_string_lossy().into_owned()),
                other => return Err(other.unexpected().to_string()),
            }
        }
        match &plan.only {
            Some(name) if !names.contains(&name.as_str()) => {
                Err(format!("no sweep has the name {name}; there are {}", names.join(", ")))
            }
            _ => Ok(plan),
        }
    }

    pub(crate) fn includes(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }

    /// What is measured in full, or its small counterpart.
    pub(crate) fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// The powers of ten from one to the other.
    pub(crate) fn powers(&self, from: u32, full: u32, quick: u32) -> Vec<usize> {
        (from..=self.pick(full, quick)).map(|exponent| 10_usize.pow(exponent)).collect()
    }

    /// Where plots go: committed beside the sources, if they are whole.
    pub(crate) fn directory(&self) -> PathBuf {
        let whole = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/growth");
        self.pick(whole.into(), concat!(env!("CARGO_TARGET_TMPDIR"), "/growth").into())
    }
}
