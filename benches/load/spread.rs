//! How latencies are spread.

/// In microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) const NAMES: [&str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

    pub(crate) const fn figures(&self) -> [f64; 5] {
        [self.p50, self.p90, self.p99, self.p999, self.max]
    }
}
