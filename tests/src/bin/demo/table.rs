//! What came of the items, in columns.

use tests::Played;

use crate::download::Outcome;

const HEAD: [&str; 6] = ["item", "mechanism", "tracks", "parts", "bytes", "result"];

/// A line an item, then the playback URLs.
pub(crate) fn of(outcomes: &[Outcome]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(outcomes.iter().map(row));
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let table: String = rows.iter().map(line).collect();
    let urls: String = outcomes.iter().map(|outcome| format!("  {}\n", outcome.url)).collect();
    format!("\n{table}\nplayback, with no network:\n{urls}")
}

fn row(outcome: &Outcome) -> [String; 6] {
    let cells = match &outcome.played {
        Ok(played) => [
            tracks(played),
            played.parts.to_string(),
            played.bytes.to_string(),
            "equals the fixture".to_owned(),
        ],
        Err(error) => ["-".to_owned(), "-".to_owned(), "-".to_owned(), format!("FAILED: {error:#}")],
    };
    let [tracks, parts, bytes, result] = cells;
    [outcome.id.to_string(), outcome.mechanism.to_string(), tracks, parts, bytes, result]
}

fn tracks(played: &Played) -> String {
    let counts = [(played.variants, "variant"), (played.audio, "audio"), (played.text, "text")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}
