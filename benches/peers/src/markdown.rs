//! Tables as they go into a document.

use std::fmt::Write;

/// How the columns after the first are aligned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Columns {
    /// To the left.
    Text,
    /// To the right.
    Figures,
}

/// A table.
#[must_use]
pub fn table(columns: Columns, head: &[String], rows: &[Vec<String>]) -> String {
    let mut text = line(head);
    let rule = |index| match columns {
        Columns::Figures if index > 0 => "---:".to_owned(),
        _ => "---".to_owned(),
    };
    text += &line(&(0..head.len()).map(rule).collect::<Vec<_>>());
    rows.iter().for_each(|row| text += &line(row));
    text
}

fn line(cells: &[String]) -> String {
    let mut text = String::from("|");
    for cell in cells {
        let _ = write!(text, " {cell} |");
    }
    text + "\n"
}
