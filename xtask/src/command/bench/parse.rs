//! `bench parse`: hls-parse beside quick-m3u8 and m3u8-rs, as Markdown.

use std::fmt::Write;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use xtask::texts;

use super::divan::{Measured, read};
use crate::command::{Usage, root};

/// One thing that hls-parse and another reader do.
struct Bar {
    group: &'static str,
    /// Our way and theirs, as the bench calls them.
    ours: &'static str,
    theirs: &'static str,
    work: &'static str,
    other: &'static str,
    /// How many times their speed is asked of ours.
    times: f64,
}

const BARS: [Bar; 4] = [
    Bar {
        group: "walk",
        ours: "ours",
        theirs: "quick_m3u8",
        work: "walk over typed lines",
        other: "quick-m3u8",
        times: 1.0,
    },
    Bar {
        group: "model",
        ours: "ours",
        theirs: "m3u8_rs",
        work: "typed model",
        other: "m3u8-rs",
        times: 5.0,
    },
    Bar {
        group: "rewrite",
        ours: "ours_in_passing",
        theirs: "quick_m3u8",
        work: "rewrite every URI in passing",
        other: "quick-m3u8, read and write",
        times: 1.0,
    },
    Bar {
        group: "rewrite",
        ours: "ours",
        theirs: "quick_m3u8",
        work: "typed model, then rewrite every URI",
        other: "quick-m3u8, read and write",
        times: 1.0,
    },
];

/// Bytes of memory a byte of text that the model may take beside it.
const MEMORY_BAR: f64 = 3.0;

/// Runs both benches and prints what they measured.
pub(super) fn run(words: &[&str]) -> Result<ExitCode> {
    if let Some(word) = words.first() {
        return Err(Usage::unknown(word));
    }
    let (times, memory) = (measured("parse")?, measured("parse_memory")?);
    println!("{}\n{}\n{}", compared(&times), linear(&times), allocated(&memory));
    Ok(ExitCode::SUCCESS)
}

/// Runs a bench of this package.
fn measured(bench: &str) -> Result<Vec<Measured>> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(program);
    command.args(["bench", "--package", "xtask", "--bench", bench, "--", "--color", "never"]);
    let command = command.current_dir(root()?).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let output =
        command.spawn().and_then(std::process::Child::wait_with_output).context("can't start cargo")?;
    ensure!(output.status.success(), "cargo bench --bench {bench}: {}", output.status);
    Ok(read(&String::from_utf8(output.stdout)?))
}

/// Ours beside the others.
fn compared(times: &[Measured]) -> String {
    let mut table =
        String::from("| work | segments | hls-parse | other | ratio | bar |\n|---|---|---|---|---|---|\n");
    for Bar { group, ours, theirs, work, other, times: bar } in BARS {
        for (size, ours) in sizes(times, group, ours) {
            let Some(theirs) = find(times, group, theirs, size) else { continue };
            let mb = megabytes(texts::segments(size).len());
            let (our_speed, their_speed) = (mb / ours.seconds, mb / theirs.seconds);
            let ratio = our_speed / their_speed;
            row(
                &mut table,
                format_args!(
                    "{work} | {size} | {our_speed:.0} MB/s | {other}: {their_speed:.0} MB/s | {ratio:.2} | {bar:.1}"
                ),
            );
        }
    }
    table
}

/// Time for each thing, in texts of several sizes.
fn linear(times: &[Measured]) -> String {
    let mut table = String::from("| model of | count | ns for each |\n|---|---|---|\n");
    for (kind, unit) in [
        ("segments", "segments"),
        ("keys", "segments, each under a key of its own"),
        ("variants", "variants"),
        ("one_line", "bytes in one line"),
    ] {
        for (size, it) in sizes(times, "linear", kind) {
            let each = it.seconds * 1e9 / decimal(size);
            row(&mut table, format_args!("{unit} | {size} | {each:.1}"));
        }
    }
    table
}

/// Memory beside the text.
fn allocated(memory: &[Measured]) -> String {
    let mut table =
        String::from("| memory beside the text | segments | bytes a byte | bar |\n|---|---|---|---|\n");
    for (kind, name, bar) in [
        ("walk", "hls-parse, walk", "-".to_owned()),
        ("model", "hls-parse, model", format!("{MEMORY_BAR:.1}")),
        ("m3u8_rs", "m3u8-rs", "-".to_owned()),
    ] {
        for (size, it) in sizes(memory, "memory", kind) {
            let each = it.bytes.unwrap_or_default() / 1e6 / megabytes(texts::segments(size).len());
            row(&mut table, format_args!("{name} | {size} | {each:.2} | {bar}"));
        }
    }
    table
}

fn row(table: &mut String, cells: std::fmt::Arguments<'_>) {
    writeln!(table, "| {cells} |").expect("writing to memory does not fail");
}

/// The sizes that something was measured in.
fn sizes<'m>(
    list: &'m [Measured],
    group: &'m str,
    name: &'m str,
) -> impl Iterator<Item = (u64, &'m Measured)> {
    list.iter().filter_map(move |it| match it.path.as_slice() {
        [_, a, b, size] if a == group && b == name => Some((size.parse().ok()?, it)),
        _ => None,
    })
}

fn find<'m>(list: &'m [Measured], group: &'m str, name: &'m str, size: u64) -> Option<&'m Measured> {
    sizes(list, group, name).find(|(it, _)| *it == size).map(|(_, it)| it)
}

fn megabytes(bytes: usize) -> f64 {
    decimal(bytes as u64) / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn decimal(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(path: &str, seconds: f64, bytes: Option<f64>) -> Measured {
        Measured { path: path.split('/').map(str::to_owned).collect(), seconds, bytes }
    }

    #[track_caller]
    fn check(table: &str, rows: &[&str]) {
        assert_eq!(table.lines().skip(2).collect::<Vec<_>>(), rows);
    }

    #[test]
    fn a_ratio_is_how_many_times_as_fast_ours_is() {
        let times = [time("parse/model/ours/100", 1e-3, None), time("parse/model/m3u8_rs/100", 8e-3, None)];
        check(&compared(&times), &["| typed model | 100 | 8 MB/s | m3u8-rs: 1 MB/s | 8.00 | 5.0 |"]);
    }

    #[test]
    fn time_is_shared_out_over_what_the_text_has() {
        check(
            &linear(&[time("parse/linear/keys/1000", 1e-3, None)]),
            &["| segments, each under a key of its own | 1000 | 1000.0 |"],
        );
    }

    #[test]
    fn memory_is_told_for_each_byte_of_the_text() {
        let bytes = texts::segments(100).len() as f64;
        check(
            &allocated(&[time("parse_memory/memory/model/100", 1.0, Some(bytes * 2.0))]),
            &["| hls-parse, model | 100 | 2.00 | 3.0 |"],
        );
    }
}
