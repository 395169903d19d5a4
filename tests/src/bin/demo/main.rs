//! The main job, end to end, on the fixtures: `demo [--keep]`.
//!
//! Entries are downloaded from a loopback origin and registered; the origin is stopped; every item is played back
//! through the playback server and compared with the fixture byte for byte. One more is under FairPlay: its key server is
//! stopped too, and what its stored keys decrypt is compared with the clear media. `--keep` leaves the server up.

#![expect(clippy::print_stdout, reason = "a program for people")]

mod download;
mod fairplay;
mod progress;
mod table;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use camino_tempfile::Utf8TempDir;
use dtg_core::ContentManager;
use dtg_testkit::{Fault, Files, Origin};
use playback_server::PlaybackServer;
use tests::{Fixture, Shelf, media_folder};

use download::{Job, Outcome};

fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let keeps = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--keep"] => true,
        _ => bail!("usage: demo [--keep]"),
    };
    let root = Utf8TempDir::with_prefix("dtg-demo-")?;
    let content = Arc::new(ContentManager::open(root.path().join("items"))?);
    let (origin, jobs) = downloaded(&content)?;
    let keys = root.path().join("keys");
    let protected = fairplay::registered(&content, &keys).context("preset fairplay")?;
    // From here on there is no network.
    origin.stop();

    let server = PlaybackServer::start(Arc::new(Shelf(Arc::clone(&content))))?;
    let outcomes: Vec<Outcome> = jobs.iter().map(|job| job.play(&content, &server)).collect();
    print!("{}", table::of(&outcomes));
    println!("\n{}", protected.play(&server, &keys).context("preset fairplay")?);
    if keeps {
        // A TempDir that is kept is deleted by nobody, also when the process is ended by Ctrl-C.
        println!("\nfolder: {}\nThe server is up until Enter or Ctrl-C.", root.keep());
        io::stdin().read_line(&mut String::new())?;
    }
    let failed = outcomes.iter().any(|outcome| outcome.played.is_err());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Downloads every fixture from an origin, which is returned so that it can be stopped.
fn downloaded(content: &ContentManager) -> Result<(Origin, Vec<Job>)> {
    let origin = Origin::start(Files::new(media_folder())?)?;
    // Slow enough to be seen.
    origin.fault("rate=150000".parse::<Fault>()?);
    println!("origin: {}", origin.url("/"));
    let address = origin.url("/");
    let address = address.trim_end_matches('/');
    let events = content.subscribe();
    let jobs = Fixture::ALL
        .iter()
        .map(|fixture| {
            Job::add(content, fixture.entry(address)?).with_context(|| format!("fixture {}", fixture.0))
        })
        .collect::<Result<Vec<_>>>()?;
    for job in &jobs {
        content.start_item(&job.id)?;
    }
    progress::follow(&events, jobs.iter().map(|job| job.id.clone()).collect())?;
    println!("origin: {} requests answered; stopping it", origin.requests().len());
    Ok((origin, jobs))
}
