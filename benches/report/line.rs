//! The table that is printed.

use std::time::Duration;

use crate::budget::{Budget, Verdict};
use crate::support::measure::Spread;

/// One figure.
pub(crate) struct Line {
    /// What is compared, and in which unit.
    pub(crate) what: String,
    /// Of the layer.
    pub(crate) layer: Option<f64>,
    /// Of what it is compared with.
    pub(crate) beside: Option<f64>,
    pub(crate) figure: f64,
    /// The quartiles of the figure over rounds.
    pub(crate) spread: Option<(f64, f64)>,
    pub(crate) budget: Budget,
    /// Digits after the point.
    pub(crate) digits: usize,
}

impl Line {
    /// A figure by itself.
    pub(crate) fn new(what: impl Into<String>, figure: f64, budget: Budget) -> Self {
        let (layer, beside, spread) = (None, None, None);
        Self { what: what.into(), layer, beside, figure, spread, budget, digits: 3 }
    }

    /// A figure that comes of comparing two.
    pub(crate) fn compared(
        what: impl Into<String>,
        layer: f64,
        beside: f64,
        spread: Spread,
        budget: Budget,
    ) -> Self {
        let mut line = Self::new(what, spread.median, budget);
        (line.layer, line.beside) = (Some(layer), Some(beside));
        line.spread = Some((spread.low, spread.high));
        line
    }

    pub(crate) fn digits(mut self, digits: usize) -> Self {
        self.digits = digits;
        self
    }

    /// Rounded as it is shown, so that nothing is over by zero.
    fn verdict(&self) -> Verdict {
        let unit = 10_f64.powi(i32::try_from(self.digits).expect("few"));
        self.budget.judge((self.figure * unit).round() / unit)
    }

    fn print(&self, name: &str) {
        let number = |value: f64| format!("{value:.0$}", self.digits);
        let maybe = |value: Option<f64>| value.map(number).unwrap_or_default();
        let spread = self.spread.map(|(low, high)| format!("{} … {}", number(low), number(high)));
        let verdict = match self.verdict() {
            Verdict::NotJudged => String::new(),
            Verdict::Met => "met".to_owned(),
            Verdict::Missed(by) => format!("over by {}", number(by)),
        };
        let text = format!(
            "{name:31} {:34} {:>9} {:>9} {:>9} {:>19} {:>8}  {verdict}",
            self.what,
            maybe(self.layer),
            maybe(self.beside),
            number(self.figure),
            spread.unwrap_or_default(),
            self.budget.to_string(),
        );
        println!("{}", text.trim_end());
    }
}

/// Prints as it goes, and keeps what was over.
pub(crate) struct Table {
    judged: usize,
    missed: Vec<String>,
}

impl Table {
    pub(crate) fn new() -> Self {
        println!(
            "{:31} {:34} {:>9} {:>9} {:>9} {:>19} {:>8}\n",
            "path", "compared", "layer", "beside", "figure", "quartiles", "budget"
        );
        Self { judged: 0, missed: Vec::new() }
    }

    pub(crate) fn print(&mut self, name: &str, lines: Vec<Line>) {
        for (index, line) in lines.into_iter().enumerate() {
            line.print(if index == 0 { name } else { "" });
            match line.verdict() {
                Verdict::NotJudged => continue,
                Verdict::Met => {}
                Verdict::Missed(_) => self.missed.push(format!("{name}: {}", line.what)),
            }
            self.judged += 1;
        }
        println!();
    }

    pub(crate) fn summary(&self, took: Duration) {
        let met = self.judged - self.missed.len();
        println!("{met} of {} budgets met, in {:.0} s. Over:", self.judged, took.as_secs_f64());
        self.missed.iter().for_each(|missed| println!("  {missed}"));
    }
}
