//! How fast downloads are, beside the least that ureq and rayon can do:
//! `bench [--runs N] [--works LIST] [--connections N] [--disk FOLDER] DTG`.
//!
//! Every work is served by the loopback origin from memory and written to memory, or with `--disk` to a disk: then the
//! time runs until everything is durable. Our program and the floor (one thread a connection, ureq into a file, nothing
//! else) take turns; medians and their ratios are printed as a Markdown table. Linux only: CPU time and peak memory come
//! from /proc.
//!
//! `bench catalog [--sizes LIST] [--parts N] [--dir FOLDER] DTG`: roots of many items, and items of many parts.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

mod work; // what is downloaded
mod floor; // what it is held against
mod measure; // what one run of a program took
mod task; // the other mechanism
mod resume; // what a kill costs
mod words; // what was asked for
mod catalog; // many items, large items

use std::env;
use std::fs;

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use camino_tempfile::Utf8TempDir;
use dtg_testkit::{Files, Origin};

use measure::{Measured, measure, median};
use resume::Resumed;
use words::Words;
use work::Work;

fn main() -> Result<()> {
    let given: Vec<String> = env::args().skip(1).collect();
    if let Some(list) = floor::asked(&given) {
        return floor::run(list);
    }
    if let Some(words) = task::asked(&given) {
        return task::run(words);
    }
    if let Some((catalog::WORD, rest)) = given.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return catalog::run(rest);
    }
    let words = Words::read(&given)?;
    let bench = Bench::start(words)?;
    println!("{} runs each, {} connections\n", bench.words.runs, bench.words.connections);
    println!(
        "| work | dtg wall s | floor wall s | wall ratio | dtg CPU s | floor CPU s | CPU ratio | dtg peak MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for work in &bench.words.works {
        println!("{}", bench.compared(*work)?);
    }
    if bench.words.works.contains(&Work::Big) {
        println!("\nan asset download task beside a manager, `big`: {}", bench.tasked()?);
    }
    println!("\n| killed at half and started again | there at the kill MiB | sent again KiB |");
    println!("|---|---|---|");
    // Of ten thousand files nobody can say quickly enough when half is there.
    for work in bench.words.works.iter().filter(|work| **work != Work::Small) {
        println!("{}", bench.resumed(*work)?);
    }
    println!("\nplanning 1,000,000 segments: {}", bench.planned()?);
    Ok(())
}

/// The origin, and the folders around it.
struct Bench {
    words: Words,
    /// In memory: the site.
    folder: Utf8TempDir,
    /// On a disk: the output.
    disk: Option<Utf8TempDir>,
    origin: Origin,
}

impl Bench {
    fn start(words: Words) -> Result<Self> {
        let memory = Utf8Path::new("/dev/shm");
        let folder = if memory.is_dir() { Utf8TempDir::new_in(memory) } else { Utf8TempDir::new() }?;
        let disk = words.disk.as_deref().map(Utf8TempDir::new_in).transpose()?;
        fs::create_dir(folder.path().join("site"))?;
        let origin = Origin::start(Files::new(folder.path().join("site"))?)?;
        Ok(Self { words, folder, disk, origin })
    }

    fn site(&self) -> Utf8PathBuf {
        self.folder.path().join("site")
    }

    /// An empty folder for one run's output.
    fn output(&self) -> Result<Utf8PathBuf> {
        let folder = self.disk.as_ref().unwrap_or(&self.folder).path().join("output");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        if self.disk.is_some() {
            // What the last run left to write is no part of the next one.
            Measured::default().until_durable(&folder)?;
        }
        Ok(folder)
    }

    /// What starts our program on this URL.
    fn dtg(&self, url: &str, output: &Utf8Path) -> Vec<String> {
        let connections = self.words.connections.to_string();
        let words =
            ["download", url, "--dir", output.as_str(), "--id", "bench", "--connections", &connections];
        let quiet = [self.words.dtg.as_str()].into_iter().chain(words).chain(["--quiet"]);
        quiet.map(str::to_owned).collect()
    }

    fn ours(&self, work: Work) -> Result<Measured> {
        let output = self.output()?;
        let measured = measure(&self.dtg(&self.origin.url(&work.entry()), &output))?;
        let got = work::bytes_below(&output.join("items"))?;
        ensure!(got >= work.bytes(), "{}: {got} bytes of {}", work.name(), work.bytes());
        Ok(measured)
    }

    fn task(&self, work: Work) -> Result<Measured> {
        let output = self.output()?;
        let asset = output.join("asset");
        let program = env::current_exe()?.into_os_string().into_string().ok().context("a path in UTF-8")?;
        let (connections, url) = (self.words.connections.to_string(), self.origin.url(&work.entry()));
        let words = [&program, task::WORD, &connections, &url, asset.as_str()].map(str::to_owned);
        let measured = measure(&words)?;
        let got = work::bytes_below(&asset)?;
        ensure!(got >= work.bytes(), "{}: {got} bytes of {}", work.name(), work.bytes());
        Ok(measured)
    }

    /// A task beside a manager, in turns.
    fn tasked(&self) -> Result<String> {
        Work::Big.make(&self.site())?;
        let (mut tasks, mut managers) = (Vec::new(), Vec::new());
        for run in 0..=self.words.runs {
            let (task, manager) = (self.task(Work::Big)?, self.ours(Work::Big)?);
            if run > 0 {
                tasks.push(task);
                managers.push(manager);
            }
        }
        Ok(task::compared(&tasks, &managers))
    }

    fn floor(&self, work: Work) -> Result<Measured> {
        let output = self.output()?;
        let list = output.join("list");
        fs::write(&list, work.requests(&|path| self.origin.url(path)).join("\n"))?;
        let program = env::current_exe()?.into_os_string().into_string().ok().context("a path in UTF-8")?;
        let connections = self.words.connections.to_string();
        let words = [&program, floor::WORD, &connections, list.as_str(), output.as_str()];
        let measured = measure(&words.map(str::to_owned))?;
        match &self.disk {
            Some(_) => measured.until_durable(&output),
            None => Ok(measured),
        }
    }

    /// One row of the table.
    fn compared(&self, work: Work) -> Result<String> {
        work.make(&self.site())?;
        // The first of each warms caches, and is not counted.
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for run in 0..=self.words.runs {
            let (of_ours, of_floor) = (self.ours(work)?, self.floor(work)?);
            if run > 0 {
                ours.push(of_ours);
                floor.push(of_floor);
            }
        }
        self.origin.clear_requests();
        fs::remove_dir_all(self.site().join(work.name()))?;
        let of = |runs: &[Measured], figure: fn(&Measured) -> f64| median(runs.iter().map(figure).collect());
        let wall = (of(&ours, Measured::wall_seconds), of(&floor, Measured::wall_seconds));
        let cpu = (of(&ours, Measured::cpu_seconds), of(&floor, Measured::cpu_seconds));
        let peak = of(&ours, Measured::peak_mib);
        Ok(format!(
            "| {} | {:.2} | {:.2} | **{:.2}** | {:.2} | {:.2} | **{:.2}** | {peak:.0} |",
            work.described(),
            wall.0,
            wall.1,
            wall.0 / wall.1,
            cpu.0,
            cpu.1,
            cpu.0 / cpu.1,
        ))
    }

    /// One row of the second table: the median of what was sent twice.
    fn resumed(&self, work: Work) -> Result<String> {
        work.make(&self.site())?;
        let mut all = Vec::new();
        for _ in 0..self.words.runs {
            self.origin.clear_requests();
            let output = self.output()?;
            let dtg = self.dtg(&self.origin.url(&work.entry()), &output);
            all.push(resume::killed_at_half(&self.origin, work, &dtg, &output)?);
        }
        fs::remove_dir_all(self.site().join(work.name()))?;
        let of = |figure: fn(&Resumed) -> f64| median(all.iter().map(figure).collect());
        let (kept, twice) = (of(Resumed::kept_mib), of(Resumed::twice_kib));
        Ok(format!("| {} | {kept:.0} | {twice:.0} |", work.described()))
    }

    fn planned(&self) -> Result<String> {
        work::make_million(&self.site())?;
        let url = self.origin.url("/million/index.m3u8");
        let measured = measure(&[self.words.dtg.as_str(), "plan", &url, "--json"].map(str::to_owned))?;
        Ok(format!("{:.2} s, peak {:.0} MiB", measured.wall_seconds(), measured.peak_mib()))
    }
}
