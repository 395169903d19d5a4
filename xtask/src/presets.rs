//! Trees with names.

mod synthetic;
mod packaged;
mod protected;

pub use synthetic::{huge, wide};

use std::fmt;
use std::io;
use std::str::FromStr;

use camino::Utf8Path;

use crate::strategy::{Options, tree_of_seed};
use crate::tree::{Hosts, Tree};
use crate::write::{Summary, write_to};

/// A tree with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Two variants and an audio rendition of a few hundred bytes each.
    Tiny,
    /// Real media under FairPlay: fragmented MP4 encrypted by `cbcs`, two keys, a clear lead-in.
    Fairplay,
    /// FairPlay, Widevine, PlayReady and an identity key on the same segments.
    DrmMixed,
    /// One media playlist of 1,000,000 segments.
    Huge,
    /// 2,000 variants.
    Wide,
    /// Real media: three MPEG-TS variants with audio and subtitles.
    VodTs,
    /// Real media: fragmented MP4, a file a segment.
    VodFmp4,
    /// Real media: fragmented MP4, a file a rendition, with byte ranges.
    Byterange,
    /// Real media: MPEG-TS under AES-128 with two keys.
    AesRotation,
    /// Real media: one variant with all audio renditions.
    MultiAudio,
    /// Real media: audio renditions as variants, no video.
    AudioOnly,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Tiny,
        Self::Fairplay,
        Self::DrmMixed,
        Self::Huge,
        Self::Wide,
        Self::VodTs,
        Self::VodFmp4,
        Self::Byterange,
        Self::AesRotation,
        Self::MultiAudio,
        Self::AudioOnly,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Fairplay => "fairplay",
            Self::DrmMixed => "drm-mixed",
            Self::Huge => "huge",
            Self::Wide => "wide",
            Self::VodTs => "vod-ts",
            Self::VodFmp4 => "vod-fmp4",
            Self::Byterange => "byterange",
            Self::AesRotation => "aes-rotation",
            Self::MultiAudio => "multi-audio",
            Self::AudioOnly => "audio-only",
        }
    }

    /// The tree. Presets of real media read it from `media`, the folder `fixtures/media`.
    ///
    /// # Errors
    /// When real media is wanted and cannot be read.
    pub fn tree(self, media: &Utf8Path) -> io::Result<Tree> {
        Ok(match self {
            Self::Tiny => synthetic::tiny(),
            Self::Fairplay => protected::fairplay(media)?,
            Self::DrmMixed => synthetic::drm_mixed(),
            Self::Huge => huge(1_000_000),
            Self::Wide => wide(2_000),
            Self::VodTs => packaged::vod_ts(media)?,
            Self::VodFmp4 => packaged::vod_fmp4(media)?,
            Self::Byterange => packaged::byterange(media)?,
            Self::AesRotation => packaged::aes_rotation(media)?,
            Self::MultiAudio => packaged::multi_audio(media)?,
            Self::AudioOnly => packaged::audio_only(media)?,
        })
    }
}

/// What a fixture is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The tree that this number stands for, with every feature.
    Seed(u64),
    /// A tree with a name.
    Preset(Preset),
}

/// Writes a fixture and its `tree.json` below `out`, with hosts called `http://NAME.test`.
///
/// `media` is the folder `fixtures/media`.
///
/// # Errors
/// When the disk fails, or real media is wanted and cannot be read.
pub fn write(source: Source, media: &Utf8Path, out: &Utf8Path) -> io::Result<Summary> {
    let tree = match source {
        Source::Seed(seed) => tree_of_seed(seed, &Options::default()),
        Source::Preset(preset) => preset.tree(media)?,
    };
    write_to(&tree, &Hosts::placeholders(&tree.hosts), out)
}

/// No preset has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPreset(pub String);

impl fmt::Display for UnknownPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.name()).collect();
        write!(f, "no preset is called `{}`; there are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownPreset {}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(name: &str) -> Result<Self, UnknownPreset> {
        let found = Self::ALL.into_iter().find(|preset| preset.name() == name);
        found.ok_or_else(|| UnknownPreset(name.to_owned()))
    }
}

#[cfg(test)]
mod tests;
