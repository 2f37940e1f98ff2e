//! What gungraun writes about each benchmark, as lines of JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// What was counted of one path.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Count {
    /// Of a request through the layer.
    pub(crate) layer: i64,
    /// Of what cannot be saved.
    pub(crate) floor: i64,
}

impl Count {
    /// What is compared.
    pub(crate) const fn ours(self) -> i64 {
        self.layer - self.floor
    }
}

/// What was counted, by path.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts(pub(crate) BTreeMap<String, Count>);

impl Counts {
    /// Reads one line for each benchmark: of each path there is a `layer` and its `floor`, or it is
    /// counted as a `whole`.
    ///
    /// # Errors
    ///
    /// [`SummaryError`] if a line is not what gungraun 0.20 writes, or if a path lacks one of them.
    pub fn read(lines: &str) -> Result<Self, SummaryError> {
        let mut layers = BTreeMap::new();
        let mut floors = BTreeMap::new();
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let (function, path, instructions) = benchmark(line).ok_or_else(|| error(line))?;
            match function.as_str() {
                "layer" => layers.insert(path, instructions),
                "floor" => floors.insert(path, instructions),
                "whole" => {
                    floors.insert(path.clone(), 0);
                    layers.insert(path, instructions)
                }
                _ => return Err(error(line)),
            };
        }
        if !layers.keys().eq(floors.keys()) {
            return Err(error("a path has a layer or a floor, and not both"));
        }
        let pairs = layers.into_iter().zip(floors.into_values());
        Ok(Self(pairs.map(|((path, layer), floor)| (path, Count { layer, floor })).collect()))
    }
}

fn benchmark(line: &str) -> Option<(String, String, i64)> {
    let summary: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| Some(summary.get(name)?.as_str()?.to_owned());
    let counted = summary.pointer("/profiles/0/data/total/metrics/Ir/values")?;
    Some((text("function_name")?, text("id")?, newest(counted)?))
}

/// The value of this run, beside which that of the run before may stand.
fn newest(values: &Value) -> Option<i64> {
    values.get("new")?.as_i64()
}

fn error(found: &str) -> SummaryError {
    SummaryError(found.chars().take(200).collect())
}

/// What was found in place of gungraun's summary of a benchmark.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SummaryError(String);

impl fmt::Display for SummaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no summary that this version understands: {}", self.0)
    }
}

impl std::error::Error for SummaryError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(function: &str, path: &str, values: &str) -> String {
        let metrics = format!(r#"{{"Dr":{{"values":{{"new":9}}}},"Ir":{{"values":{values}}}}}"#);
        let profile = format!(r#"{{"data":{{"total":{{"metrics":{metrics}}}}}}}"#);
        format!(r#"{{"function_name":"{function}","id":"{path}","profiles":[{profile}]}}"#)
    }

    #[test]
    fn both_counts_of_a_path_are_found() {
        let new = line("layer", "bearer_seen", r#"{"new":27542}"#);
        // Another run went before.
        let both = line("floor", "bearer_seen", r#"{"new":22142,"old":7}"#);
        let counts = Counts::read(&format!("{new}\n\n{both}\n")).unwrap();
        assert_eq!(counts.0["bearer_seen"], Count { layer: 27542, floor: 22142 });
        assert_eq!(counts.0["bearer_seen"].ours(), 5400);
    }

    #[test]
    fn a_whole_has_no_floor() {
        let counts = Counts::read(&line("whole", "signature_es256", r#"{"new":7}"#)).unwrap();
        assert_eq!(counts.0["signature_es256"], Count { layer: 7, floor: 0 });
    }

    #[test]
    fn half_a_path_is_an_error() {
        let layer = line("layer", "bearer_seen", r#"{"new":1}"#);
        assert!(Counts::read(&layer).is_err());
        let floor = line("floor", "another", r#"{"new":1}"#);
        assert!(Counts::read(&format!("{layer}\n{floor}")).is_err());
    }

    #[test]
    fn other_lines_are_errors() {
        for values in [r#"{"old":1}"#, r#"{"new":1.5}"#, "null"] {
            assert!(Counts::read(&line("layer", "bearer_seen", values)).is_err());
        }
        assert!(Counts::read("counting").is_err());
        assert!(Counts::read(&line("roof", "bearer_seen", r#"{"new":1}"#)).is_err());
    }
}
