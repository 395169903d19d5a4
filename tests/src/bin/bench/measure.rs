//! What one run of a program took: wall, CPU and peak memory.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;

/// How often the peak is looked at; it only grows, so what is missed is the growth of the last moment.
const LOOK: Duration = Duration::from_millis(5);
/// Linux tells CPU time in hundredths of a second.
const TICK: f64 = 0.01;

/// What one run took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    wall: Duration,
    cpu_ticks: u32,
    peak_kib: u32,
}

impl Measured {
    /// The same with what it took until the files of this folder were on their disk.
    #[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
    pub(crate) fn until_durable(self, folder: &Utf8Path) -> Result<Self> {
        let start = Instant::now();
        let status = Command::new("sync").args(["-f", folder.as_str()]).status()?;
        ensure!(status.success(), "sync {folder}: {status}");
        Ok(Self { wall: self.wall + start.elapsed(), ..self })
    }

    pub(crate) fn wall_seconds(&self) -> f64 {
        self.wall.as_secs_f64()
    }

    /// User and system time.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        f64::from(self.cpu_ticks) * TICK
    }

    pub(crate) fn peak_mib(&self) -> f64 {
        f64::from(self.peak_kib) / 1024.0
    }
}

/// Runs a program to its end, which must be a good one.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub(crate) fn measure(words: &[String]) -> Result<Measured> {
    let before = children_ticks()?;
    let start = Instant::now();
    let mut child = start_quietly(words)?;
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(peak_of(&child).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    let wall = start.elapsed();
    ensure!(status.success(), "{words:?}: {status}");
    Ok(Measured { wall, cpu_ticks: children_ticks()? - before, peak_kib })
}

/// Starts a program whose output nobody reads.
pub(crate) fn start_quietly(words: &[String]) -> Result<Child> {
    let (program, arguments) = words.split_first().context("a program")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().with_context(|| format!("{program} can't be started"))
}

/// Ticks of all children that have ended (proc_pid_stat(5), fields 16 and 17).
fn children_ticks() -> Result<u32> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").context("a stat line")?;
    let ticks = fields.split(' ').skip(13).take(2).map(str::parse::<u32>);
    Ok(ticks.sum::<Result<u32, _>>()?)
}

fn peak_of(child: &Child) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
