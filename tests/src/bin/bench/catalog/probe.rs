//! What one process measures: `bench catalog probe WHAT ROOT ...` prints its figures on one line.

use std::env;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use camino::Utf8Path;
use dtg_core::{ItemId, ItemState, benching};

use super::{WORD as BENCH, added, manager};
use crate::measure::median;

/// The word that a probe is asked for with.
pub(super) const WORD: &str = "probe";
/// Opened so often.
const RUNS: usize = 5;

/// What a probe found: seconds or other figures, and its peak memory.
pub(super) struct Figures {
    pub(super) first: f64,
    pub(super) second: f64,
    pub(super) third: f64,
    pub(super) peak_mib: f64,
}

impl Figures {
    /// Those of a process of its own.
    pub(super) fn of(words: &[&str]) -> Result<Self> {
        let program = env::current_exe().context("this program's own file")?;
        let output = Command::new(program).arg(BENCH).arg(WORD).args(words).output()?;
        ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        let figures: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [first, second, third, peak_mib] = figures[..] else { bail!("{words:?}: {text}") };
        Ok(Self { first, second, third, peak_mib })
    }
}

/// Measures, and prints the figures.
pub(super) fn run(words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [first, second, third] = match words[..] {
        ["rebuild", root] => rebuild(root.into())?,
        ["open", root, new] => open(root.into(), new.parse()?)?,
        ["add", root, url] => add(root.into(), url)?,
        ["progress", root, url, chunk] => progress(root.into(), url, chunk.parse()?)?,
        _ => bail!("{words:?} is not understood here"),
    };
    println!("{first} {second} {third} {}", peak_mib()?);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let start = Instant::now();
    let done = work()?;
    Ok((done, start.elapsed()))
}

fn rebuild(root: &Utf8Path) -> Result<[f64; 3]> {
    let (opened, time) = timed(|| manager(root))?;
    opened.close();
    Ok([time.as_secs_f64(), 0.0, 0.0])
}

/// Opening, the items of one state, and one item, each the median of some runs.
fn open(root: &Utf8Path, new: usize) -> Result<[f64; 3]> {
    let (mut open, mut by_state, mut one) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (opened, time) = timed(|| manager(root))?;
        open.push(time.as_secs_f64());
        let (items, time) = timed(|| Ok(opened.items_by_state(ItemState::New)?))?;
        by_state.push(time.as_secs_f64());
        ensure!(items.len() == new, "{} items are new", items.len());
        let last = ItemId::new(format!("item-{:06}", new - 1))?;
        let (_, time) = timed(|| Ok(opened.item(&last)?))?;
        one.push(time.as_secs_f64());
        opened.close();
    }
    Ok([median(open), median(by_state), median(one)])
}

/// Adding and planning, and bytes of the plan for each part.
fn add(root: &Utf8Path, url: &str) -> Result<[f64; 3]> {
    let opened = manager(root)?;
    let (id, time) = timed(|| added(&opened, url))?;
    let fetches = f64::from(opened.item(&id)?.fetches);
    ensure!(fetches >= 1e6, "every segment is planned");
    let plan = fs::metadata(root.join("items/model/plan"))?.len();
    Ok([time.as_secs_f64(), f64::from(u32::try_from(plan)?) / fetches, 0.0])
}

/// CPU seconds: wall time would count other processes' turns, too.
fn progress(root: &Utf8Path, url: &str, chunk: u64) -> Result<[f64; 3]> {
    let opened = manager(root)?;
    let _listener = opened.subscribe();
    let id = added(&opened, url)?;
    // Where it can't be read at all, every difference is 0, which is refused.
    let clock = || thread_time().unwrap_or_default();
    let cost = benching::progress_cost(&opened, &id, chunk, clock)?;
    ensure!(!cost.is_zero(), "this system tells no thread's CPU time");
    opened.close();
    fs::remove_dir_all(root)?;
    Ok([cost.as_secs_f64(), 0.0, 0.0])
}

/// How long this thread has had a processor.
fn thread_time() -> Option<Duration> {
    let spent = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    spent.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn peak_mib() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a peak")?;
    let kib: u32 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(f64::from(kib) / 1024.0)
}
