//! The numbers of a figure, as Markdown.

use std::fmt::Write as _;

use crate::axis::number;
use crate::figure::{Figure, Panel};

pub(crate) fn markdown(figure: &Figure) -> String {
    let mut text = format!("### {}\n\n{}\n", figure.title, figure.note);
    for panel in &figure.panels {
        write!(text, "\n{}\n{}", panel.y.label, table(panel)).expect("a string takes all");
        for limit in &panel.limits {
            write!(text, "\n{}: {}", limit.name, number(limit.at)).expect("a string takes all");
        }
        text.push('\n');
    }
    text
}

fn table(panel: &Panel) -> String {
    let mut text = format!("\n| {} |", panel.x.label);
    panel.series.iter().for_each(|series| text += &format!(" {} |", series.name));
    text += &format!("\n|{}\n", "---:|".repeat(1 + panel.series.len()));
    for place in panel.places() {
        text += &format!("| {} |", number(place));
        for series in &panel.series {
            let point = series.points.iter().find(|(x, _)| *x == place);
            text += &format!(" {} |", point.map(|(_, y)| number(*y)).unwrap_or_default());
        }
        text.push('\n');
    }
    text
}
