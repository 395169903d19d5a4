//! Kills a downloading process at random moments, and checks each time what it leaves: `crash [--kills N] [--seed S]`.
//!
//! After each kill: the folder opens, is not said to be completed while it is not, and the next process
//! fetches nothing again but what was in flight. At the end of each download every byte is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::num::NonZeroU16;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use camino::Utf8Path;
use camino_tempfile::Utf8TempDir;
use dtg_core::{BitRate, ContentManager, ContentReader, ItemId, ItemState, Requirements};
use dtg_testkit::{Fault, Memory, Origin, Rule};

const SEGMENTS: usize = 40;
const CONNECTIONS: u16 = 3;
/// No process lives longer than this before it is killed.
const LONGEST_LIFE: u64 = 120;

#[expect(clippy::print_stdout, reason = "a program talks to who started it")]
fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (mut kills, mut seed) = (200, 1);
    let mut rest = words.as_slice();
    loop {
        rest = match rest {
            [] => break,
            ["worker", root, url] => return download(root, url),
            ["--kills", n, rest @ ..] => {
                kills = n.parse().context("--kills takes a number")?;
                rest
            }
            ["--seed", n, rest @ ..] => {
                seed = n.parse().context("--seed takes a number")?;
                rest
            }
            [word, ..] => bail!("`{word}` is not understood here"),
        };
    }
    let mut story = Story { dice: Dice(seed), ..Story::default() };
    while story.kills < kills {
        story.tell(kills).with_context(|| format!("--seed {seed}, after {} kills", story.kills))?;
    }
    println!(
        "{} kills, {} downloads completed, {} of {} fetches asked for again (all in flight), seed {seed}",
        story.kills, story.completed, story.again, story.fetches
    );
    Ok(())
}

fn id() -> Result<ItemId> {
    Ok(ItemId::new("item")?)
}

/// What the process does that is killed.
fn download(root: &str, url: &str) -> Result<()> {
    let manager = ContentManager::builder(root)
        .connections(NonZeroU16::new(CONNECTIONS).context("at least one connection")?)
        .requirements(Requirements { reserve_bytes: 0, ..Requirements::default() })
        .open()?;
    let item =
        manager.item(&id()?).or_else(|_| manager.add_item(&id()?, url).map_err(anyhow::Error::from))?;
    if item.state == ItemState::New {
        manager.load_item_metadata(&id()?, BitRate(1))?;
    }
    if item.state != ItemState::Completed {
        manager.start_item(&id()?)?;
    }
    manager.wait(&id()?)?;
    Ok(())
}

/// Random numbers that are the same for the same seed (SplitMix64).
#[derive(Debug, Default)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}

/// All that has happened so far.
#[derive(Debug, Default)]
struct Story {
    dice: Dice,
    kills: u32,
    completed: u32,
    fetches: usize,
    again: usize,
}

impl Story {
    /// One download, killed until it is completed.
    fn tell(&mut self, most: u32) -> Result<()> {
        let root = Utf8TempDir::new()?;
        let files = files();
        let origin = Origin::start(Memory::new(files.clone()))?;
        origin.fault(Rule::from(Fault::DelayHead(Duration::from_millis(4))));
        let mut answered = BTreeSet::new();
        loop {
            let mut worker = Worker::start(root.path(), &origin.url("/item.m3u8"))?;
            if self.kills < most {
                sleep(Duration::from_millis(self.dice.below(LONGEST_LIFE)));
                worker.kill()?;
                self.kills += 1;
            } else {
                worker.end()?;
            }
            let asked = segments_asked(&origin);
            // Each once: what a killed process asked for last may come to the origin's ear only now.
            let again: BTreeSet<&String> =
                asked.iter().map(|(target, _)| target).filter(|it| answered.contains(*it)).collect();
            ensure!(
                again.len() <= usize::from(CONNECTIONS),
                "{again:?} were finished and fetched again; {asked:?} were asked for"
            );
            self.again += again.len();
            answered.extend(asked.into_iter().filter(|(_, whole)| *whole).map(|(target, _)| target));
            origin.clear_requests();
            if check(root.path(), &files)? == Some(ItemState::Completed) {
                self.completed += 1;
                self.fetches += SEGMENTS;
                return Ok(());
            }
        }
    }
}

/// A presentation of one rendition: no two segments are alike.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n".to_owned();
    let mut files = BTreeMap::new();
    for n in 0..SEGMENTS {
        text.push_str(&format!("#EXTINF:4,\nseg-{n}.ts\n"));
        let bytes = (0..10_000_usize + 100 * n).map(|at| (at * 31 + (at >> 8) + n * 131).to_le_bytes()[0]);
        files.insert(format!("/seg-{n}.ts"), bytes.collect());
    }
    files.insert("/item.m3u8".to_owned(), (text + "#EXT-X-ENDLIST\n").into_bytes());
    files
}

/// The segments that were asked for, and whether each was sent to its end.
fn segments_asked(origin: &Origin) -> Vec<(String, bool)> {
    let requests = origin.requests().into_iter().filter(|request| request.target.ends_with(".ts"));
    requests.map(|request| (request.target, request.finished)).collect()
}

/// Whatever was killed, the folder opens, and what it calls completed is whole.
fn check(root: &Utf8Path, files: &BTreeMap<String, Vec<u8>>) -> Result<Option<ItemState>> {
    if let Ok(reader) = ContentReader::open(root)
        && let Ok(location) = reader.playback_location(&id()?)
    {
        check_bytes(&location.folder_path(), files).context("a reader was told that it is completed")?;
    }
    let manager = ContentManager::open(root).context("the folder can't be opened")?;
    let Ok(item) = manager.item(&id()?) else { return Ok(None) };
    if item.state == ItemState::Completed {
        check_bytes(&manager.playback_location(&id()?)?.folder_path(), files)?;
    }
    Ok(Some(item.state))
}

fn check_bytes(folder: &Utf8Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    for n in 0..SEGMENTS {
        let path = folder.join(format!("video/0/{n:06}.ts"));
        let is_right = std::fs::read(&path).ok().as_ref() == files.get(&format!("/seg-{n}.ts"));
        ensure!(is_right, "{path} is not what the origin has");
    }
    Ok(())
}

/// The process that is killed; killed, too, when a check fails.
struct Worker(Child);

impl Worker {
    fn start(root: &Utf8Path, url: &str) -> Result<Self> {
        let program = env::current_exe().context("this program's own file")?;
        let worker = Command::new(program).args(["worker", root.as_str(), url]).stderr(Stdio::null()).spawn();
        Ok(Self(worker.context("a process that downloads")?))
    }

    fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let status = self.0.wait()?;
        ensure!(status.success(), "the download ended with {status}");
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended is as good as killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
