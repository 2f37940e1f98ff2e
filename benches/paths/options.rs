//! What the command line asks for.

use std::env;
use std::process::exit;

const USAGE: &str = "usage: cargo bench [-- [--quick] [PART OF A PATH'S NAME]]";

#[derive(Default)]
pub(crate) struct Options {
    /// Fewer rounds, smaller caches and stores.
    pub(crate) quick: bool,
    part: Option<String>,
}

impl Options {
    /// Ends the program where the command line is wrong.
    pub(crate) fn from_command_line() -> Self {
        let mut options = Self::default();
        for argument in env::args().skip(1) {
            match &*argument {
                // What cargo itself adds.
                "--bench" => {}
                "--quick" => options.quick = true,
                part if !part.starts_with('-') && options.part.is_none() => {
                    options.part = Some(part.to_owned());
                }
                _ => {
                    eprintln!("{USAGE}");
                    exit(2);
                }
            }
        }
        options
    }

    pub(crate) fn want(&self, name: &str) -> bool {
        self.part.as_ref().is_none_or(|part| name.contains(part))
    }

    /// How many tokens are in the cache, at most.
    pub(crate) const fn most_cached(&self) -> usize {
        if self.quick { 10_000 } else { 100_000 }
    }
}
