//! What a sweep found, to be plotted and printed.

/// One picture, of one or two panels side by side.
pub(crate) struct Figure {
    pub(crate) title: &'static str,
    /// What the reader must know beside machine and date.
    pub(crate) note: String,
    pub(crate) panels: Vec<Panel>,
}

pub(crate) struct Panel {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    /// What must not be crossed, or is expected.
    pub(crate) limits: Vec<Limit>,
}

impl Panel {
    pub(crate) fn new(x: Axis, y: Axis) -> Self {
        Self { x, y, series: Vec::new(), limits: Vec::new() }
    }

    /// Every x that was measured, in order.
    pub(crate) fn places(&self) -> Vec<f64> {
        let mut places: Vec<_> = self.points().map(|(x, _)| x).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }

    pub(crate) fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.series.iter().flat_map(|series| series.points.iter().copied())
    }
}

/// A quantity, with its unit.
pub(crate) struct Axis {
    pub(crate) label: &'static str,
    pub(crate) scale: Scale,
}

impl Axis {
    pub(crate) const fn linear(label: &'static str) -> Self {
        Self { label, scale: Scale::Linear }
    }

    pub(crate) const fn logarithmic(label: &'static str) -> Self {
        Self { label, scale: Scale::Logarithmic }
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Scale {
    Linear,
    Logarithmic,
}

pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// What the layer is compared with: drawn in grey.
    pub(crate) is_reference: bool,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, is_reference: false, points: Vec::new() }
    }

    pub(crate) const fn reference(name: &'static str) -> Self {
        Self { name, is_reference: true, points: Vec::new() }
    }

    pub(crate) fn push(&mut self, x: usize, y: f64) {
        self.points.push((x as f64, y));
    }
}

pub(crate) struct Limit {
    pub(crate) name: String,
    pub(crate) at: f64,
    /// It is to be reached, and not to be kept below.
    pub(crate) is_least: bool,
}

impl Limit {
    pub(crate) fn most(name: impl Into<String>, at: f64) -> Self {
        Self { name: name.into(), at, is_least: false }
    }

    pub(crate) fn least(name: impl Into<String>, at: f64) -> Self {
        Self { name: name.into(), at, is_least: true }
    }
}
