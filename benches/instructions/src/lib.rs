//! Compares the instructions of paths with a baseline.
//!
//! `cargo bench -p instructions` counts them and prints the comparison. Here is what it does with
//! the counts; what it counts is beside, in `paths/`.

mod baseline;
mod comparison;
mod summary;
mod tools;

pub use baseline::{Baseline, BaselineError};
pub use comparison::Comparison;
pub use summary::{Counts, SummaryError};
pub use tools::{Tools, ToolsError};
