//! oha, for HTTP/2.

use std::error::Error;

use serde_json::Value;

use crate::cores::pinned;
use crate::generator::{AT_ONCE, Count, Load, output};
use crate::spread::Spread;

const CONNECTIONS: usize = 4;

/// With the one token: it has no way to change fields between requests.
pub(crate) fn run(load: &Load<'_>, url: &str) -> Result<Count, Box<dyn Error>> {
    let mut command = pinned(&load.cores.generator, "oha");
    // -w: what is under way at the end is waited for, and does not count as broken.
    command.args(["--no-tui", "-w", "--output-format", "json", "--http2"]);
    command.args(["-c", &CONNECTIONS.to_string(), "-p", &(AT_ONCE / CONNECTIONS).to_string()]);
    command.args(["--worker-threads", &load.cores.generator.len().to_string()]);
    command.args(["-z", &format!("{}s", load.seconds)]);
    command.args(["-H", &format!("Authorization: Bearer {}", load.trust.token), url]);
    let report: Value = serde_json::from_str(&output(command)?)?;
    count(&report).ok_or_else(|| "oha reports something else".into())
}

fn count(report: &Value) -> Option<Count> {
    let latencies = &report["latencyPercentiles"];
    let micros = |seconds: &Value| Some(seconds.as_f64()? * 1e6);
    let spread = Spread {
        p50: micros(&latencies["p50"])?,
        p90: micros(&latencies["p90"])?,
        p99: micros(&latencies["p99"])?,
        p999: micros(&latencies["p99.9"])?,
        max: micros(&report["summary"]["slowest"])?,
    };
    let sum = |counts: &Value| -> Option<f64> {
        Some(counts.as_object()?.values().filter_map(Value::as_f64).sum())
    };
    let statuses = &report["statusCodeDistribution"];
    let answers = sum(statuses)?;
    let bad =
        answers - statuses["200"].as_f64().unwrap_or(0.0) + sum(&report["errorDistribution"])?;
    Some(Count { answers, seconds: report["summary"]["total"].as_f64()?, spread, bad })
}
