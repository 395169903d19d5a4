//! `bench`: measures, and prints tables of ratios: what counts is what stood side by side in one run.

mod divan;
mod parse;
mod download;

use std::process::ExitCode;

use anyhow::Result;

use super::Usage;

/// Runs the bench that the words name.
pub(super) fn run(words: &[&str]) -> Result<ExitCode> {
    match words {
        ["parse", rest @ ..] => parse::run(rest),
        ["download", rest @ ..] => download::run(rest),
        ["catalog", ..] => download::run(words),
        [] => Err(Usage("bench takes what to measure: parse, download or catalog".to_owned()).into()),
        [word, ..] => Err(Usage::unknown(word)),
    }
}
