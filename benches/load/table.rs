//! What the comparison shows.

use crate::compare::{Pair, Setting};
use crate::cores::Cores;
use crate::generator::{AT_ONCE, Tokens, Turn, Version};
use crate::measure::median;
use crate::plan::Plan;
use crate::spread::Spread;
use crate::trust::TOKENS;

/// Of the requests a second that the unprotected server answers.
const BUDGET: f64 = 0.97;

pub(crate) fn explain(plan: &Plan) {
    let Plan { rounds, seconds, .. } = plan;
    println!("GET /tools with a token that was seen before, {AT_ONCE} requests at once.");
    println!(
        "Medians of {rounds} rounds of {seconds} s for each server, in turn; ratios are medians of"
    );
    println!("ratios within a round. Latencies and CPU time in µs. The budget is about requests a");
    println!("second: protected >= {:.0} % of unprotected, with one token.", BUDGET * 100.0);
    println!(
        "busy: the part of its cores' time that the server computed. Where it is much under 100 %,"
    );
    println!("the generator was the bottleneck, and CPU time tells more than requests a second.");
}

pub(crate) fn print(setting: &Setting<'_>, pairs: &[Pair]) {
    let version = match setting.version {
        Version::Http1 => "HTTP/1.1 (wrk)",
        Version::Http2 => "HTTP/2 (oha)",
    };
    println!("\n{}, {version}, {}", setting.example, places(setting.cores));
    let names = Spread::NAMES.map(|name| format!("{name:>8}")).concat();
    println!("{:<26}{:>9}{names}{:>10}{:>7}", "", "req/s", "CPU/req", "busy");
    for pair in pairs {
        let tokens = match pair.tokens {
            Tokens::One => "one token".to_owned(),
            Tokens::InTurn => format!("{TOKENS} tokens"),
        };
        row(&format!("unprotected, {tokens}"), &pair.unprotected);
        row(&format!("protected, {tokens}"), &pair.protected);
        ratio(pair);
    }
}

fn places(cores: &Cores) -> String {
    let list =
        |cores: &[usize]| cores.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let (server, generator) = (list(&cores.server), list(&cores.generator));
    match cores.are_shared() {
        true => format!("server on core {server}, where the generator runs too (core {generator})"),
        false => format!("server on core {server}, generator on core {generator}"),
    }
}

fn row(name: &str, turns: &[Turn]) {
    let figure = |of: &dyn Fn(&Turn) -> f64| median(turns.iter().map(of).collect());
    let spread: String = (0..Spread::NAMES.len())
        .map(|index| format!("{:>8.0}", figure(&|turn| turn.spread.figures()[index])))
        .collect();
    let (rate, computed) = (figure(&|turn| turn.rate), figure(&|turn| turn.computed));
    let busy = figure(&|turn| turn.busy) * 100.0;
    println!("{name:<26}{rate:>9.0}{spread}{computed:>10.2}{busy:>6.0}%");
}

fn ratio(Pair { tokens, unprotected, protected }: &Pair) {
    let by = |of: &dyn Fn(&Turn) -> f64| {
        let ratios =
            protected.iter().zip(unprotected).map(|(with, without)| of(with) / of(without));
        median(ratios.collect())
    };
    let (rate, computed) = (by(&|turn| turn.rate), by(&|turn| turn.computed));
    let verdict = match tokens {
        Tokens::InTurn => "",
        Tokens::One if rate >= BUDGET => "; within the budget",
        Tokens::One => "; over the budget",
    };
    let (rate, computed) = (rate * 100.0, computed * 100.0);
    println!("  requests a second {rate:.1} % of unprotected, CPU time {computed:.1} %{verdict}");
}
