//! Tables of figures: a row for each entry, a column for each path.

use crate::markdown::{Columns, table};
use crate::paths::Path;
use crate::roster::Entry;

/// The rows. Where an entry takes no part in a path its cell stays empty.
pub fn rows(
    paths: &[Path],
    entries: &[Entry],
    mut column: impl FnMut(&Path, &[Entry]) -> Vec<String>,
) -> Vec<Vec<String>> {
    let start = |entry: &Entry| vec![entry.name.clone(), entry.signatures.to_owned()];
    let mut rows: Vec<_> = entries.iter().map(start).collect();
    for path in paths {
        let taking_part = entries.iter().filter(|entry| path.is_for(entry)).cloned();
        let mut cells = column(path, &taking_part.collect::<Vec<_>>()).into_iter();
        for (entry, row) in entries.iter().zip(&mut rows) {
            let cell = path.is_for(entry).then(|| cells.next()).flatten();
            row.push(cell.unwrap_or_default());
        }
    }
    rows
}

/// Prints them as a table.
pub fn show(title: &str, paths: &[Path], rows: &[Vec<String>]) {
    let head = [title, "signatures"].into_iter().chain(paths.iter().map(|path| path.name));
    let head: Vec<_> = head.map(str::to_owned).collect();
    println!("{}", table(Columns::Figures, &head, rows));
}
