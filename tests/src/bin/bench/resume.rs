//! What a SIGKILL at half costs: bytes that are sent again.

use std::time::Duration;

use anyhow::{Result, ensure};
use camino::Utf8Path;
use dtg_testkit::{Origin, RequestRecord};

use crate::measure::{measure, start_quietly};
use crate::work::{Work, allocated_below, bytes_below};

const LOOK: Duration = Duration::from_millis(2);

/// What a kill at half cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resumed {
    kept: u64,
    twice: u64,
}

impl Resumed {
    /// What was there at the kill.
    pub(crate) fn kept_mib(&self) -> f64 {
        kib(self.kept) / 1024.0
    }

    /// What was sent again of it.
    pub(crate) fn twice_kib(&self) -> f64 {
        kib(self.twice)
    }
}

fn kib(bytes: u64) -> f64 {
    u32::try_from(bytes >> 10).map_or(f64::INFINITY, f64::from)
}

/// Kills a download when half is there, lets it go on, and says how much was sent twice.
pub(crate) fn killed_at_half(
    origin: &Origin,
    work: Work,
    dtg: &[String],
    output: &Utf8Path,
) -> Result<Resumed> {
    let items = output.join("items");
    let mut child = start_quietly(dtg)?;
    while allocated_below(&items).unwrap_or(0) < work.bytes() / 2 {
        ensure!(child.try_wait()?.is_none(), "{}: it ended before half was there", work.name());
        std::thread::sleep(LOOK);
    }
    child.kill()?;
    child.wait()?;
    let kept = allocated_below(&items)?.min(work.bytes());
    let asked_before = origin.requests().len();
    measure(dtg)?;
    let got = bytes_below(&items)?;
    ensure!(got >= work.bytes(), "{}: {got} bytes of {}", work.name(), work.bytes());
    let again: Vec<RequestRecord> = origin.requests().split_off(asked_before);
    let media = again.iter().filter(|record| !record.path().ends_with(".m3u8"));
    let sent: u64 = media.map(|record| record.body_sent).sum();
    Ok(Resumed { kept, twice: sent.saturating_sub(work.bytes() - kept) })
}
