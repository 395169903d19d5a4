//! `fuzz`: runs the targets of `fuzz/`, by the seeds that are kept there and what earlier runs have found.
//!
//! The address sanitizer stays on: its runtime comes with the stable toolchain, and none of our code is unsafe, but
//! some of what it calls is.

use std::fs;
use std::process::{Command, ExitCode, Output};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;

use super::Usage;

/// What a smoke run gives each target.
const SMOKE_SECONDS: u32 = 60;
/// Where a smoke run's chance starts from: what one finds the next one finds too, and a change that breaks nothing
/// is not stopped by luck. Runs for longer start anywhere.
const SMOKE_SEED: u32 = 1;
/// Targets that run side by side.
const SIDE_BY_SIDE: usize = 2;

#[derive(Debug, PartialEq, Eq)]
struct Order<'a> {
    /// Its words come as they are; without one all targets run.
    target: Option<&'a str>,
    /// Without a time one target runs until it is stopped, and all of them as long as in a smoke run.
    seconds: Option<u32>,
    start: Start,
}

/// What a run starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// The seeds alone, and always the same chance.
    Afresh,
    /// The seeds, what earlier runs found, and another chance each time.
    Onward,
}

/// Fuzzes what the words say.
pub(super) fn run(words: &[&str], root: &Utf8Path) -> Result<ExitCode> {
    let targets = targets(root)?;
    let Order { target, seconds, start } = order(words, &targets)?;
    let success = match target {
        Some(target) => command(root, target, seconds, start)?.status()?.success(),
        None => all(root, &targets, seconds.unwrap_or(SMOKE_SECONDS), start)?,
    };
    Ok(if success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn order<'a>(words: &[&'a str], targets: &[String]) -> Result<Order<'a>> {
    let (mut target, mut seconds, mut start) = (None, None, Start::Onward);
    let mut rest = words;
    while let Some((word, mut after)) = rest.split_first() {
        match *word {
            "--smoke" => {
                seconds = seconds.or(Some(SMOKE_SECONDS));
                start = Start::Afresh;
            }
            "--seconds" => {
                let value;
                (value, after) = after.split_first().unwrap_or((&"", &[]));
                let not_seconds = |_| Usage(format!("`{value}` is not a number of seconds"));
                seconds = Some(value.parse().map_err(not_seconds)?);
            }
            word if target.is_none() && targets.iter().any(|known| known == word) => target = Some(word),
            word => return Err(Usage::unknown(word)),
        }
        rest = after;
    }
    Ok(Order { target, seconds, start })
}

/// Every target by its name, which is its file's with `-` for `_`.
fn targets(root: &Utf8Path) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in root.join("fuzz/fuzz_targets").read_dir_utf8()? {
        let entry = entry?;
        targets.extend(entry.file_name().strip_suffix(".rs").map(|name| name.replace('_', "-")));
    }
    targets.sort();
    Ok(targets)
}

/// Runs all targets, and says how each went; what a target prints is shown when it finds something.
fn all(root: &Utf8Path, targets: &[String], seconds: u32, start: Start) -> Result<bool> {
    let built = fuzz(root, "build").status().context("can't start cargo")?;
    ensure!(built.success(), "cargo fuzz build: {built}; is cargo-fuzz installed?");
    let (waiting, failed) = (Mutex::new(targets.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(target) = next(&waiting) {
                    if let Err(error) = one(root, target, seconds, start) {
                        println!("{target}: {error:#}");
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(target);
                    }
                }
            });
        }
    });
    Ok(failed.into_inner().unwrap_or_else(PoisonError::into_inner).is_empty())
}

fn next<T>(waiting: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).next()
}

fn one(root: &Utf8Path, target: &str, seconds: u32, start: Start) -> Result<()> {
    let Output { status, stderr, .. } = command(root, target, Some(seconds), start)?.output()?;
    let said = String::from_utf8_lossy(&stderr);
    ensure!(status.success(), "{status}\n{said}");
    let executions = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    println!("{target}: {seconds} s, {} executions, nothing found", executions.unwrap_or("no").trim());
    Ok(())
}

/// A target's run. What it finds is kept in `fuzz/artifacts`; what is new to it in `fuzz/corpus`, unless it starts
/// afresh.
fn command(root: &Utf8Path, target: &str, seconds: Option<u32>, start: Start) -> Result<Command> {
    let corpus = match start {
        Start::Afresh => root.join("fuzz/target/afresh").join(target),
        Start::Onward => root.join("fuzz/corpus").join(target),
    };
    if start == Start::Afresh && corpus.exists() {
        fs::remove_dir_all(&corpus)?;
    }
    fs::create_dir_all(&corpus)?;
    let mut command = fuzz(root, "run");
    command.args([target, corpus.as_str(), root.join("fuzz/seeds").join(target).as_str(), "--"]);
    command.args(["-timeout=20", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1"]);
    command.arg(format!("-dict={}", root.join("fuzz/words.dict")));
    command.args(seconds.map(|seconds| format!("-max_total_time={seconds}")));
    command.args((start == Start::Afresh).then(|| format!("-seed={SMOKE_SEED}")));
    Ok(command)
}

/// `cargo fuzz`, whose flags for rustc the stable toolchain takes only when it is told to.
fn fuzz(root: &Utf8Path, verb: &str) -> Command {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(program);
    command.args(["fuzz", verb, "--fuzz-dir"]).arg(root.join("fuzz"));
    command.env("RUSTC_BOOTSTRAP", "1").current_dir(root.join("fuzz"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], target: Option<&str>, seconds: Option<u32>, start: Start) {
        let order = order(words, &["parse".to_owned(), "select-plan".to_owned()]).unwrap();
        assert_eq!(order, Order { target, seconds, start });
    }

    #[test]
    fn one_target_runs_until_it_is_stopped_or_for_a_time() {
        check(&["parse"], Some("parse"), None, Start::Onward);
        check(&["--seconds", "5", "select-plan"], Some("select-plan"), Some(5), Start::Onward);
        check(&[], None, None, Start::Onward);
    }

    #[test]
    fn a_smoke_run_starts_afresh_whatever_its_time() {
        check(&["--smoke"], None, Some(60), Start::Afresh);
        check(&["parse", "--smoke"], Some("parse"), Some(60), Start::Afresh);
        check(&["--smoke", "--seconds", "9"], None, Some(9), Start::Afresh);
        check(&["--seconds", "9", "--smoke"], None, Some(9), Start::Afresh);
    }

    #[test]
    fn a_run_that_starts_afresh_takes_nothing_from_another_and_has_a_fixed_chance() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let earlier = root.join("fuzz/target/afresh/parse/found");
        fs::create_dir_all(earlier.parent().unwrap()).unwrap();
        fs::write(&earlier, "").unwrap();
        let has_seed = |start| {
            let command = command(root, "parse", Some(1), start).unwrap();
            command.get_args().any(|word| word == "-seed=1")
        };
        assert!(has_seed(Start::Afresh) && !has_seed(Start::Onward));
        assert!(!earlier.exists() && root.join("fuzz/corpus/parse").exists());
    }

    #[test]
    fn targets_that_are_not_there_and_times_that_are_none_are_refused() {
        for words in [&["prase"][..], &["parse", "parse"], &["--seconds"], &["--seconds", "x"]] {
            assert!(order(words, &["parse".to_owned()]).unwrap_err().is::<Usage>(), "{words:?}");
        }
    }

    #[test]
    fn every_target_has_its_seeds_and_its_place_in_the_manifest() {
        let root = super::super::root().unwrap();
        let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        let targets = targets(&root).unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            assert!(root.join("fuzz/seeds").join(&target).read_dir_utf8().unwrap().count() > 1, "{target}");
        }
    }
}
