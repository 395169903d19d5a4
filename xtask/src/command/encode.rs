//! `fixtures --encode`: makes the real media under `fixtures/media` with ffmpeg.

mod ffmpeg; // what is asked of it
mod measure; // what came of it
mod text;
mod ts; // the presentations
mod fmp4;
mod aes;

use std::fs;
use std::io;

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use dtg_testkit::{Files, Origin};

/// What the repository is willing to carry.
const LIMIT_BYTES: u64 = 4_000_000;

/// Makes every presentation anew, plays each from a loopback origin, and prints their sizes.
pub(crate) fn run(media: &Utf8Path, work: &Utf8Path) -> Result<()> {
    ffmpeg::check_installed()?;
    for (name, encode) in [("ts", ts::encode as fn(&Utf8Path) -> Result<()>), ("fmp4", fmp4::encode)] {
        encode(&empty(&media.join(name))?).with_context(|| format!("presentation {name}"))?;
    }
    aes::encode(&empty(&media.join("aes"))?, &empty(work)?).context("presentation aes")?;
    fs::remove_dir_all(work)?;
    report(media)
}

/// Plays what is there, and holds its size against the limit.
fn report(media: &Utf8Path) -> Result<()> {
    let origin = Origin::start(Files::new(media)?)?;
    for playlist in ["ts/master.m3u8", "fmp4/master.m3u8", "aes/master.m3u8"] {
        ffmpeg::play(&origin.url(playlist)).with_context(|| format!("{playlist} does not play"))?;
        println!("{playlist} plays");
    }
    let key_frames = ffmpeg::pictures(&origin.url("ts/iframes/90p.m3u8"))?;
    ensure!(key_frames == 12, "{key_frames} key frames can be decoded, not one every 2 s");
    let mut total = 0;
    for name in ["ts", "fmp4", "aes"] {
        let bytes = bytes_in(&media.join(name))?;
        println!("{name:>5}: {bytes} bytes");
        total += bytes;
    }
    ensure!(total <= LIMIT_BYTES, "{total} bytes are more than the {LIMIT_BYTES} that are committed");
    Ok(())
}

fn empty(folder: &Utf8Path) -> Result<Utf8PathBuf> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(folder)?,
    }
    Ok(folder.to_owned())
}

fn bytes_in(folder: &Utf8Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_in(entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
