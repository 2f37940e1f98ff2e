//! Counts beside the baseline, and the verdict.

use std::collections::BTreeSet;
use std::fmt;

use crate::summary::Count;
use crate::{Baseline, Counts, Tools};

/// What a path may rise or fall by, in hundredths of the baseline.
const PERCENT: i64 = 3;

/// What a path may rise or fall by at least. Of a path of some hundred instructions three
/// hundredths are fewer than the compiler moves about when it comes to other conclusions.
const INSTRUCTIONS: i64 = 30;

/// Counts beside a baseline. As text it is a table; the [verdict](Self::verdict) goes below it.
#[derive(Clone, Debug)]
pub struct Comparison {
    rows: Vec<Row>,
    /// Name, version of the baseline, version here.
    unlike: Vec<[String; 3]>,
}

#[derive(Clone, Debug)]
struct Row {
    path: String,
    before: Option<i64>,
    now: Option<Count>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Same,
    Risen,
    Fallen,
    /// It is not in the baseline.
    New,
    /// It is in the baseline alone.
    Gone,
}

impl Comparison {
    /// Counts made with these tools, beside the baseline.
    #[must_use]
    pub fn new(baseline: &Baseline, counts: &Counts, tools: &Tools) -> Self {
        let paths: BTreeSet<_> = baseline.ours.keys().chain(counts.0.keys()).collect();
        let row = |path: &String| Row {
            path: path.clone(),
            before: baseline.ours.get(path).copied(),
            now: counts.0.get(path).copied(),
        };
        let unlike = baseline.tools.unlike(tools).into_iter();
        Self {
            rows: paths.into_iter().map(row).collect(),
            unlike: unlike.map(|(name, then, now)| [name, then, now].map(str::to_owned)).collect(),
        }
    }

    /// Whether no path has risen, and both have the same paths. What other tools make of the same
    /// program rises and falls by itself, and fails nothing.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.rows.iter().all(|row| match row.verdict() {
            Verdict::Same | Verdict::Fallen => true,
            Verdict::Risen => !self.unlike.is_empty(),
            Verdict::New | Verdict::Gone => false,
        })
    }

    /// The verdict in words, a line for each thing to tell.
    #[must_use]
    pub fn verdict(&self) -> Vec<String> {
        let mut lines = self.told(Verdict::Fallen, "takes less, which a new baseline would hold");
        let risen = match self.unlike.is_empty() {
            true => "FAILED: it takes more than in the baseline",
            false => "takes more than in the baseline of other tools, which proves nothing",
        };
        lines.extend(self.told(Verdict::Risen, risen));
        lines.extend(self.told(Verdict::New, "FAILED: it is not in the baseline"));
        lines.extend(self.told(Verdict::Gone, "FAILED: it was not counted"));
        lines.extend(self.unlike.iter().map(|[name, then, now]| {
            format!("The baseline was made with {name} {then}, these counts with {now}.")
        }));
        if self.passes() {
            lines.push("PASSED.".to_owned());
        }
        lines
    }

    fn told(&self, verdict: Verdict, text: &str) -> Vec<String> {
        let rows = self.rows.iter().filter(|row| row.verdict() == verdict);
        rows.map(|row| format!("{}: {text}.", row.path)).collect()
    }
}

impl Row {
    fn verdict(&self) -> Verdict {
        match (self.before, self.now.map(Count::ours)) {
            (None, _) => Verdict::New,
            (_, None) => Verdict::Gone,
            (Some(before), Some(now)) => {
                let slack = (before.abs() * PERCENT / 100).max(INSTRUCTIONS);
                match now - before {
                    more if more > slack => Verdict::Risen,
                    more if more < -slack => Verdict::Fallen,
                    _ => Verdict::Same,
                }
            }
        }
    }

    /// `+7.5 %`, or nothing where there is nothing to compare.
    fn change(&self) -> String {
        match (self.before, self.now.map(Count::ours)) {
            (Some(before), Some(now)) if before != 0 => {
                format!("{:+.1} %", (now - before) as f64 * 100.0 / before.abs() as f64)
            }
            _ => String::new(),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<30} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "instructions", "layer", "floor", "baseline", "now", "change"
        )?;
        for row in &self.rows {
            let shown = |value: Option<i64>| value.map_or_else(String::new, |it| it.to_string());
            writeln!(
                f,
                "{:<30} {:>9} {:>9} {:>9} {:>9} {:>9}{}",
                row.path,
                shown(row.now.map(|count| count.layer)),
                shown(row.now.map(|count| count.floor)),
                shown(row.before),
                shown(row.now.map(Count::ours)),
                row.change(),
                row.verdict().mark(),
            )?;
        }
        writeln!(
            f,
            "now = layer - floor; {PERCENT} %, and {INSTRUCTIONS} in any case, are let pass"
        )
    }
}

impl Verdict {
    const fn mark(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Risen => "  RISEN",
            Self::Fallen => "  fallen",
            Self::New => "  NEW",
            Self::Gone => "  GONE",
        }
    }
}

#[cfg(test)]
#[path = "comparison_tests.rs"]
mod tests;
