//! What is downloaded: four shapes of the same kind of bytes, written below the origin's folder.

use std::fmt::Write as _;
use std::fs::{self, File, Metadata};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::MetadataExt as _;

use anyhow::{Context, Result};
use camino::Utf8Path;

const MIB: u64 = 1 << 20;

/// One shape of presentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// 1 GiB in segments of 6 MiB.
    Big,
    /// 10,000 segments of 16 KiB.
    Small,
    /// One file of 1 GiB, no playlist.
    Mp4,
    /// 512 MiB in one file, by byte ranges of 2 MiB.
    Fmp4,
}

impl Work {
    pub(crate) const ALL: [Self; 4] = [Self::Big, Self::Small, Self::Mp4, Self::Fmp4];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Big => "big",
            Self::Small => "small",
            Self::Mp4 => "mp4",
            Self::Fmp4 => "fmp4",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|work| work.name() == name).with_context(|| format!("no work `{name}`"))
    }

    pub(crate) const fn described(self) -> &'static str {
        match self {
            Self::Big => "`big`: 1 GiB in 6 MiB segments",
            Self::Small => "`small`: 10,000 segments of 16 KiB",
            Self::Mp4 => "`mp4`: one file of 1 GiB",
            Self::Fmp4 => "`fmp4`: 512 MiB by byte ranges",
        }
    }

    /// How many pieces, and the bytes of each.
    const fn pieces(self) -> (u64, u64) {
        match self {
            Self::Big => (171, 6 * MIB),
            Self::Small => (10_000, 16 << 10),
            Self::Mp4 => (1, 1024 * MIB),
            Self::Fmp4 => (256, 2 * MIB),
        }
    }

    pub(crate) const fn bytes(self) -> u64 {
        let (count, length) = self.pieces();
        count * length
    }

    /// Where our program starts.
    pub(crate) fn entry(self) -> String {
        match self {
            Self::Mp4 => "/mp4/file.mp4".to_owned(),
            Self::Big | Self::Small | Self::Fmp4 => format!("/{}/index.m3u8", self.name()),
        }
    }

    /// Writes it, unless it is there.
    pub(crate) fn make(self, site: &Utf8Path) -> Result<()> {
        let folder = site.join(self.name());
        if folder.exists() {
            return Ok(());
        }
        fs::create_dir(&folder)?;
        let (count, length) = self.pieces();
        match self {
            Self::Mp4 => fill(&folder.join("file.mp4"), 0, length)?,
            Self::Fmp4 => fill(&folder.join("file.m4s"), 0, count * length)?,
            Self::Big | Self::Small => {
                for n in 0..count {
                    fill(&folder.join(format!("{n}.ts")), n, length)?;
                }
            }
        }
        if self != Self::Mp4 {
            fs::write(folder.join("index.m3u8"), self.playlist()?)?;
        }
        Ok(())
    }

    fn playlist(self) -> Result<String> {
        let (count, length) = self.pieces();
        let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n".to_owned();
        for n in 0..count {
            match self {
                Self::Fmp4 => {
                    writeln!(text, "#EXTINF:4,\n#EXT-X-BYTERANGE:{length}@{}\nfile.m4s", n * length)?
                }
                Self::Big | Self::Small | Self::Mp4 => writeln!(text, "#EXTINF:4,\n{n}.ts")?,
            }
        }
        text.push_str("#EXT-X-ENDLIST\n");
        Ok(text)
    }

    /// The floor's requests: a URL, and a range of at most 8 MiB where it is a part of a file.
    pub(crate) fn requests(self, url: &dyn Fn(&str) -> String) -> Vec<String> {
        let step = 8 * MIB;
        let ranges = |path: &str| {
            let starts = (0..self.bytes()).step_by(usize::try_from(step).unwrap_or(usize::MAX));
            starts.map(|at| format!("{} {at}-{}", url(path), at + step - 1)).collect()
        };
        match self {
            Self::Mp4 => ranges("/mp4/file.mp4"),
            Self::Fmp4 => ranges("/fmp4/file.m4s"),
            Self::Big | Self::Small => {
                (0..self.pieces().0).map(|n| url(&format!("/{}/{n}.ts", self.name()))).collect()
            }
        }
    }
}

/// A playlist of 1,000,000 segments; nobody asks for those.
pub(crate) fn make_million(site: &Utf8Path) -> Result<()> {
    let folder = site.join("million");
    fs::create_dir(&folder)?;
    let mut file = BufWriter::new(File::create(folder.join("index.m3u8"))?);
    file.write_all(b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n")?;
    for n in 0..1_000_000 {
        writeln!(file, "#EXTINF:4.000000,\nhttps://media.example.com/vod/1080p/segment-{n:07}.ts?part=main")?;
    }
    file.write_all(b"#EXT-X-ENDLIST\n")?;
    file.flush()?;
    Ok(())
}

/// Bytes that look like nothing (xorshift), other ones for every seed.
fn fill(path: &Utf8Path, seed: u64, length: u64) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..length / 8 {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        file.write_all(&word.to_le_bytes())?;
    }
    file.flush()?;
    Ok(())
}

/// The bytes of all files below a folder.
pub(crate) fn bytes_below(folder: &Utf8Path) -> Result<u64> {
    summed(folder, &Metadata::len)
}

/// The same without the holes of files that are written here and there.
pub(crate) fn allocated_below(folder: &Utf8Path) -> Result<u64> {
    summed(folder, &|file| (file.blocks() * 512).min(file.len()))
}

fn summed(folder: &Utf8Path, of_file: &dyn Fn(&Metadata) -> u64) -> Result<u64> {
    let mut sum = 0;
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        sum += if is_folder { summed(entry.path(), of_file)? } else { of_file(&entry.metadata()?) };
    }
    Ok(sum)
}
