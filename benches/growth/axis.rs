//! Where an axis begins and ends, and what it says at which places.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::figure::Scale;

/// One axis of a chart. Places on it are values, or their decimal logarithms.
#[derive(Clone)]
pub(crate) struct Ruler {
    scale: Scale,
    places: Range<f64>,
    ticks: Vec<f64>,
}

impl Ruler {
    /// With a tick at each value, and some room at both ends.
    pub(crate) fn at_each(scale: Scale, values: Vec<f64>) -> Self {
        let (first, last) = ends(&values);
        let (first, last) = (place(scale, first), place(scale, last));
        let room = ((last - first) * 0.05).max(0.05);
        Self { scale, places: first - room..last + room, ticks: values }
    }

    /// With ticks at round values, around all of these that are above zero; a linear one begins at
    /// zero. What is not above it, since it was lost in noise, is drawn at the lower end.
    pub(crate) fn around(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let above: Vec<_> = values.filter(|value| *value > 0.0).collect();
        let (least, most) = ends(&above);
        match scale {
            Scale::Linear => Self::linear(most * 1.08),
            Scale::Logarithmic => Self::logarithmic(least, most * 1.08),
        }
    }

    fn linear(most: f64) -> Self {
        let step = round_step(most / 6.0);
        let count = (most / step).ceil();
        let ticks = (0..=count as usize).map(|number| number as f64 * step).collect();
        Self { scale: Scale::Linear, places: 0.0..count * step, ticks }
    }

    fn logarithmic(least: f64, most: f64) -> Self {
        let (first, last) = (least.log10().floor(), most.log10().ceil());
        let ticks = (first as i32..=last as i32).map(|power| 10_f64.powi(power)).collect();
        Self { scale: Scale::Logarithmic, places: first..last, ticks }
    }
}

impl Ranged for Ruler {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = place(self.scale, *value) - self.places.start;
        let share = (share / (self.places.end - self.places.start)).clamp(0.0, 1.0);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    /// There are no lines but those at the ticks.
    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        match self.scale {
            Scale::Linear => self.places.clone(),
            Scale::Logarithmic => 10_f64.powf(self.places.start)..10_f64.powf(self.places.end),
        }
    }
}

impl ValueFormatter<f64> for Ruler {
    fn format(value: &f64) -> String {
        number(*value)
    }
}

fn place(scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// 1, 2 or 5 times a power of ten, and no less than that.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    factors.map(|factor| factor * power).into_iter().find(|step| *step >= least).unwrap_or(least)
}

/// To three digits or so, with commas between thousands.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 99.5 => 0,
        small if small < 9.95 => 2,
        _ => 1,
    };
    let text = format!("{:.digits$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let (sign, dot) =
        (if value < 0.0 { "-" } else { "" }, if fraction.is_empty() { "" } else { "." });
    format!("{sign}{}{dot}{fraction}", thousands(whole))
}

fn thousands(whole: &str) -> String {
    let comma = |(at, digit): (usize, char)| {
        let comma = if at > 0 && (whole.len() - at).is_multiple_of(3) { "," } else { "" };
        format!("{comma}{digit}")
    };
    whole.chars().enumerate().map(comma).collect()
}
