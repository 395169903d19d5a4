//! Roots of many items, and items of many parts: `bench catalog [--sizes LIST] [--parts N] [--dir FOLDER] DTG`.
//!
//! The plans, playlists and journals of all items of a root are the same files under many names: what a manager does
//! not read costs nothing, and what it reads is there. Every figure is one of a process of its own.

mod fill; // many items from one
mod probe; // what one process measures

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use camino_tempfile::Utf8TempDir;
use dtg_core::{BitRate, ContentManager, ItemId, ItemState, Requirements};
use dtg_testkit::{Files, Origin};

use crate::measure::{measure, median};
use crate::work::{Work, make_million};
use fill::fill;
use probe::Figures;

/// The word that this bench is asked for with.
pub(crate) const WORD: &str = "catalog";

/// How many items of a root are new: those that are asked for by their state.
const NEW: usize = 1000;
/// Files of the item that is removed.
const REMOVED_FILES: usize = 100_000;
/// How often a download and the cost of its progress are measured.
const TURNS: usize = 9;
/// Bytes that the body of a download comes in at a time, at most.
const CHUNK: u64 = 16 << 10;

struct Words {
    dtg: String,
    sizes: Vec<usize>,
    parts: usize,
    folder: Option<Utf8PathBuf>,
}

impl Words {
    fn read(given: &[String]) -> Result<Self> {
        let sizes = vec![1000, 10_000, 100_000];
        let mut words = Self { dtg: String::new(), sizes, parts: 500, folder: None };
        let mut rest = given.iter().map(String::as_str);
        while let Some(word) = rest.next() {
            let mut value = || rest.next().with_context(|| format!("{word} needs a value"));
            match word {
                "--sizes" => words.sizes = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?,
                "--parts" => words.parts = value()?.parse()?,
                "--dir" => words.folder = Some(value()?.into()),
                path if words.dtg.is_empty() && !path.starts_with('-') => words.dtg = path.to_owned(),
                other => bail!("`{other}` is not understood here"),
            }
        }
        ensure!(!words.dtg.is_empty(), "usage: bench catalog [--sizes LIST] [--parts N] [--dir FOLDER] DTG");
        Ok(words)
    }
}

/// Measures and prints.
pub(crate) fn run(given: &[String]) -> Result<()> {
    if let Some((probe::WORD, rest)) = given.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return probe::run(rest);
    }
    let words = Words::read(given)?;
    let folder = match &words.folder {
        Some(folder) => Utf8TempDir::new_in(folder)?,
        None => Utf8TempDir::new()?,
    };
    let folder = folder.path();
    let site = folder.join("site");
    fs::create_dir(&site)?;
    let origin = Origin::start(Files::new(&site)?)?;

    println!(
        "| items | planned parts | made anew from folders s | open ms | items_by_state of 1,000 ms | one item ms | peak MiB |"
    );
    println!("|---|---|---|---|---|---|---|");
    for size in &words.sizes {
        println!("{}", many(folder, &origin, *size, words.parts)?);
    }
    println!("\nadding an item of 1,000,000 segments: {}", million(folder, &origin)?);
    println!("{}", progress(folder, &origin, &words.dtg)?);
    println!("removing an item of {REMOVED_FILES} files: {}", removal(folder)?);
    Ok(())
}

/// One row of the table.
fn many(folder: &Utf8Path, origin: &Origin, size: usize, parts: usize) -> Result<String> {
    let root = folder.join("root");
    fill(&root, origin, size, parts)?;
    let rebuilt = Figures::of(&["rebuild", root.as_str()])?;
    let opened = Figures::of(&["open", root.as_str(), &NEW.to_string()])?;
    fs::remove_dir_all(&root)?;
    Ok(format!(
        "| {size} | {} | {:.2} | {:.0} | {:.1} | {:.2} | {:.0} |",
        (size - NEW.min(size)) * parts,
        rebuilt.first,
        opened.first * 1e3,
        opened.second * 1e3,
        opened.third * 1e3,
        opened.peak_mib,
    ))
}

fn million(folder: &Utf8Path, origin: &Origin) -> Result<String> {
    let site = folder.join("site");
    make_million(&site)?;
    let mut seconds = Vec::new();
    let (mut peak, mut disk) = (0.0_f64, 0.0);
    for run in 0..3 {
        let root = folder.join(format!("million-{run}"));
        let figures = Figures::of(&["add", root.as_str(), &origin.url("/million/index.m3u8")])?;
        seconds.push(figures.first);
        disk = figures.second;
        peak = peak.max(figures.peak_mib);
        fs::remove_dir_all(root)?;
    }
    Ok(format!("{:.2} s (median of 3), peak {peak:.0} MiB, its plan {disk:.0} bytes a part", median(seconds)))
}

/// What progress costs of a download of 10,000 segments, and what its plan and journal take. Both are CPU time, and
/// take turns.
fn progress(folder: &Utf8Path, origin: &Origin, dtg: &str) -> Result<String> {
    Work::Small.make(&folder.join("site"))?;
    let url = origin.url(&Work::Small.entry());
    let root = folder.join("small");
    let (mut whole, mut cost) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        let words = [dtg, "download", &url, "--dir", root.as_str(), "--id", "bench", "--quiet"];
        whole.push(measure(&words.map(str::to_owned))?.cpu_seconds());
        cost.push(Figures::of(&["progress", folder.join("cost").as_str(), &url, &CHUNK.to_string()])?.first);
    }
    let item = root.join("items/bench");
    let on_disk = fs::metadata(item.join("plan"))?.len() + fs::metadata(item.join("journal"))?.len();
    let (whole, cost) = (median(whole), median(cost));
    Ok(format!(
        "progress of 10,000 segments: {:.1} ms of {:.0} ms CPU of their download (medians of {TURNS}): {:.1} %\n\
         plan and journal of 10,000 segments: {:.1} bytes a part",
        cost * 1e3,
        whole * 1e3,
        cost / whole * 100.0,
        f64::from(u32::try_from(on_disk)?) / 10_000.0,
    ))
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn removal(folder: &Utf8Path) -> Result<String> {
    let root = folder.join("removed");
    let mut millis = Vec::new();
    for _ in 0..3 {
        let manager = ContentManager::builder(&root).open()?;
        let id = ItemId::new("bench")?;
        manager.add_item(&id, "http://127.0.0.1/none.m3u8")?;
        let media = root.join("items/bench/media/video/0");
        fs::create_dir_all(&media)?;
        for n in 0..REMOVED_FILES {
            fs::write(media.join(format!("{n:06}.ts")), b"segment")?;
        }
        let start = Instant::now();
        manager.remove_item(&id)?;
        millis.push(start.elapsed().as_secs_f64() * 1e3);
        ensure!(manager.item(&id).is_err() && !media.exists(), "it is gone for the caller");
        manager.close();
        fs::remove_dir_all(&root)?;
    }
    Ok(format!(
        "{:.1} ms until it is gone for the caller (median of 3, worst {:.1})",
        median(millis.clone()),
        millis.iter().fold(0.0_f64, |worst, it| worst.max(*it))
    ))
}

/// A manager that does not look after free space.
fn manager(root: &Utf8Path) -> Result<ContentManager> {
    let requirements = Requirements { reserve_bytes: 0, ..Requirements::default() };
    Ok(ContentManager::builder(root).requirements(requirements).open()?)
}

/// Adds an item and makes its plan.
fn added(manager: &ContentManager, url: &str) -> Result<ItemId> {
    let id = ItemId::new("model")?;
    manager.add_item(&id, url)?;
    let item = manager.load_item_metadata(&id, BitRate(1))?;
    ensure!(item.state == ItemState::MetadataLoaded, "it has a plan");
    Ok(id)
}
