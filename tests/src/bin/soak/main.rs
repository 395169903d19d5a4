//! Many downloads at once under faults and commands at random: `soak [--seconds N] [--seed S]`.
//!
//! Twenty items come from an origin that fails now and then. Until the time is up they are paused, started, removed and
//! added anew, given priorities, and the rate and the connections are changed. Then all must complete, with every byte
//! as the origin has it; and no thread, socket or file may be left.

#![expect(clippy::print_stdout, reason = "a program for people")]

mod commands;
mod dice;
mod leaks;
mod origins;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino_tempfile::Utf8TempDir;

use commands::Soak;
use leaks::Held;

/// What the words ask for.
struct Wish {
    time: Duration,
    seed: u64,
}

fn wish(words: &[String]) -> Result<Wish> {
    let mut wish = Wish { time: Duration::from_secs(20), seed: 1 };
    for pair in words.chunks(2) {
        match pair {
            [word, value] if word == "--seconds" => wish.time = Duration::from_secs(value.parse()?),
            [word, value] if word == "--seed" => wish.seed = value.parse()?,
            _ => bail!("usage: soak [--seconds N] [--seed S]"),
        }
    }
    Ok(wish)
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wish = wish(&words)?;
    println!("soak: seed {}, {} s", wish.seed, wish.time.as_secs());
    // The first run opens what a process keeps for good.
    run(Duration::ZERO, wish.seed)?;
    let before = Held::now()?;
    println!("before: {before}");
    let report = run(wish.time, wish.seed)?;
    let after = before.awaited()?;
    println!("after:  {after}");
    println!("{report}");
    Ok(())
}

/// Soaks for so long; everything that it opened is closed when it answers.
fn run(time: Duration, seed: u64) -> Result<String> {
    let root = Utf8TempDir::with_prefix("dtg-soak-")?;
    let mut soak = Soak::start(root.path(), seed)?;
    soak.play(time).with_context(|| format!("with seed {seed}"))?;
    soak.finish().with_context(|| format!("with seed {seed}"))
}
