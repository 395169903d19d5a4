//! `fixtures`: media made anew, or a tree written to disk.

use anyhow::{Context, Result};
use camino::Utf8Path;
use xtask::presets::{Preset, Source, write};

use super::{Usage, encode};

const FORMS: &str = "fixtures takes --encode, or --seed N | --preset NAME and --out DIR";

/// Does what the words after `fixtures` say.
pub(crate) fn run(words: &[&str], root: &Utf8Path) -> Result<()> {
    let media = root.join("fixtures/media");
    match words {
        ["--encode"] => encode::run(&media, &root.join("target/xtask-encode")),
        ["--seed", seed, "--out", out] => {
            let seed = seed.parse().map_err(|_| Usage(format!("`{seed}` is not a seed: a number from 0")))?;
            tree(Source::Seed(seed), &media, out)
        }
        ["--preset", name, "--out", out] => {
            let preset: Preset = name.parse().map_err(|error| Usage(format!("{error}")))?;
            tree(Source::Preset(preset), &media, out)
        }
        _ => Err(Usage(FORMS.to_owned()).into()),
    }
}

fn tree(source: Source, media: &Utf8Path, out: &str) -> Result<()> {
    let written =
        write(source, media, out.into()).with_context(|| format!("can't write the tree to {out}"))?;
    println!("{} files, {} bytes in {out}", written.files, written.bytes);
    Ok(())
}
