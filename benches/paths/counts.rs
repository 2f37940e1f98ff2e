//! Allocations of each path, from the program that counts to the one that reports.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Allocations of one request, and the bytes of all of them.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
}

#[derive(Default)]
pub(crate) struct Counts(HashMap<String, Count>);

fn file() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("allocations")
}

impl Counts {
    pub(crate) fn insert(&mut self, name: &str, count: Count) {
        self.0.insert(name.to_owned(), count);
    }

    pub(crate) fn get(&self, name: &str) -> Option<Count> {
        self.0.get(name).copied()
    }

    pub(crate) fn write(&self) {
        let line = |(name, count): (&String, &Count)| {
            format!("{name} {} {}\n", count.allocations, count.bytes)
        };
        let text: String = self.0.iter().map(line).collect();
        fs::write(file(), text).expect("cargo made the directory");
    }

    /// What was counted since this program was built; none if nothing was.
    pub(crate) fn read() -> Self {
        let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
        let built = std::env::current_exe().and_then(|program| changed(&program));
        match (built, changed(&file())) {
            (Ok(built), Ok(counted)) if counted > built => Self::parsed(),
            _ => Self::default(),
        }
    }

    fn parsed() -> Self {
        let text = fs::read_to_string(file()).unwrap_or_default();
        let line = |line: &str| {
            let mut words = line.split(' ');
            let name = words.next()?.to_owned();
            let mut number = || words.next()?.parse().ok();
            Some((name, Count { allocations: number()?, bytes: number()? }))
        };
        Self(text.lines().filter_map(line).collect())
    }
}
