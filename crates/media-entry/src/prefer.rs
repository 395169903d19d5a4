//! Which source of an entry is downloaded, and by which mechanism.

use std::fmt;

use crate::drm::DrmScheme;
use crate::entry::MediaEntry;
use crate::platform::{OfflineFairPlay, Platform};
use crate::redact::shown;
use crate::source::{MediaFormat, MediaSource};

/// How strictly the platform's abilities are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Whatever can work: FairPlay by DownloadToGo from iOS 10.3, on 10.0 to 10.2 by an asset download task.
    #[default]
    SeedGates,
    /// Only what is recommended: FairPlay by DownloadToGo only, so on iOS from 10.3.
    RecommendedOnly,
}

/// What carries out a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// DownloadToGo: the manager owns task and location; keys are obtained after the download.
    DownloadToGo,
    /// An asset download task: the application owns task and location; keys are obtained during the download.
    AssetDownloadTask,
}

/// The source to download.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice<'a> {
    /// The source.
    pub source: &'a MediaSource,
    /// What downloads it.
    pub mechanism: Mechanism,
    /// Why this one.
    pub reason: Reason,
    /// Sources that cannot be downloaded here, each with the reason. Those that only come later are not listed.
    pub passed_over: Vec<PassedOver>,
}

/// Why a source was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The first HLS source that can be downloaded; clear or AES-128, so no license is needed.
    HlsWithoutDrm,
    /// The first HLS source that can be downloaded; its FairPlay keys can be kept.
    HlsWithFairPlay,
    /// The same, but on iOS 10.0 to 10.2, where only an asset download task can keep the keys.
    HlsWithFairPlayByTaskOnly,
    /// No HLS source can be downloaded; the first single file can.
    SingleFile(MediaFormat),
    /// Nothing else can be downloaded, and the platform plays Widevine Classic.
    WidevineClassic,
}

/// A source that cannot be downloaded here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The source's id.
    pub source: String,
    /// Where it is, without query.
    pub url: String,
    /// Why it was passed over.
    pub why: Why,
}

/// Why a source cannot be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// Nothing can be downloaded on iOS below 8.
    SystemTooOld,
    /// FairPlay keys cannot be kept on this platform.
    NoOfflineFairPlay,
    /// FairPlay works here by an asset download task only, and the policy does not want that.
    FairPlayNotRecommended,
    /// It is protected by DRM other than FairPlay over HLS.
    OtherDrm,
    /// It is Widevine Classic, which this platform does not play.
    WidevineClassic,
    /// Its format is not known.
    UnknownFormat,
}

/// No source of an entry can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSource {
    /// The entry's id.
    pub entry: String,
    /// All sources, each with the reason; empty for an entry without sources.
    pub passed_over: Vec<PassedOver>,
}

/// Picks the source of `entry` to download on `platform`.
///
/// The first HLS source that can be downloaded; else the first MP4, the first MP3 or M4A, the first Widevine Classic
/// file. HLS can be downloaded without DRM (so AES-128, too), and with FairPlay where its keys can be kept.
///
/// # Errors
/// [`NoSource`] when there is none; it says why of each source.
pub fn for_download<'a>(
    entry: &'a MediaEntry,
    platform: &Platform,
    policy: Policy,
) -> Result<Choice<'a>, NoSource> {
    let mut best: Option<(u8, &MediaSource, Mechanism, Reason)> = None;
    let mut passed_over = Vec::new();
    for source in &entry.sources {
        match judge(source, platform, policy) {
            Ok((mechanism, reason)) => {
                let rank = rank(reason);
                if best.is_none_or(|(leader, ..)| rank < leader) {
                    best = Some((rank, source, mechanism, reason));
                }
            }
            Err(why) => {
                passed_over.push(PassedOver { source: source.id.clone(), url: shown(&source.url), why });
            }
        }
    }
    match best {
        Some((_, source, mechanism, reason)) => Ok(Choice { source, mechanism, reason, passed_over }),
        None => Err(NoSource { entry: entry.id.clone(), passed_over }),
    }
}

fn judge(source: &MediaSource, platform: &Platform, policy: Policy) -> Result<(Mechanism, Reason), Why> {
    if !platform.can_download() {
        return Err(Why::SystemTooOld);
    }
    match source.format() {
        MediaFormat::Unknown => Err(Why::UnknownFormat),
        MediaFormat::Wvm if platform.plays_widevine_classic() => {
            Ok((Mechanism::DownloadToGo, Reason::WidevineClassic))
        }
        MediaFormat::Wvm => Err(Why::WidevineClassic),
        MediaFormat::Hls if source.drm.is_empty() => Ok((Mechanism::DownloadToGo, Reason::HlsWithoutDrm)),
        MediaFormat::Hls if source.drm_of(DrmScheme::FairPlay).is_some() => fair_play(platform, policy),
        MediaFormat::Mp4 | MediaFormat::Mp3 if source.drm.is_empty() => {
            Ok((Mechanism::DownloadToGo, Reason::SingleFile(source.format())))
        }
        MediaFormat::Hls | MediaFormat::Mp4 | MediaFormat::Mp3 => Err(Why::OtherDrm),
    }
}

fn fair_play(platform: &Platform, policy: Policy) -> Result<(Mechanism, Reason), Why> {
    match (platform.offline_fair_play(), policy) {
        (OfflineFairPlay::Never, _) => Err(Why::NoOfflineFairPlay),
        (OfflineFairPlay::AnyMechanism, _) => Ok((Mechanism::DownloadToGo, Reason::HlsWithFairPlay)),
        (OfflineFairPlay::AssetDownloadTaskOnly, Policy::SeedGates) => {
            Ok((Mechanism::AssetDownloadTask, Reason::HlsWithFairPlayByTaskOnly))
        }
        (OfflineFairPlay::AssetDownloadTaskOnly, Policy::RecommendedOnly) => Err(Why::FairPlayNotRecommended),
    }
}

const fn rank(reason: Reason) -> u8 {
    match reason {
        Reason::HlsWithoutDrm | Reason::HlsWithFairPlay | Reason::HlsWithFairPlayByTaskOnly => 0,
        Reason::SingleFile(MediaFormat::Mp4) => 1,
        Reason::SingleFile(_) => 2,
        Reason::WidevineClassic => 3,
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DownloadToGo => "DownloadToGo",
            Self::AssetDownloadTask => "asset download task",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HlsWithoutDrm => f.write_str("first HLS source that can be downloaded, without DRM"),
            Self::HlsWithFairPlay => f.write_str("first HLS source that can be downloaded, with FairPlay"),
            Self::HlsWithFairPlayByTaskOnly => f.write_str(
                "first HLS source that can be downloaded, with FairPlay; iOS 10.0 to 10.2 keep its keys only by an asset download task",
            ),
            Self::SingleFile(format) => write!(f, "no HLS source can be downloaded; first {format} file"),
            Self::WidevineClassic => {
                f.write_str("nothing else can be downloaded; the platform plays Widevine Classic")
            }
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SystemTooOld => "nothing can be downloaded on iOS below 8",
            Self::NoOfflineFairPlay => {
                "FairPlay keys cannot be kept here (iOS from 10.0, elsewhere with a content-key system)"
            }
            Self::FairPlayNotRecommended => {
                "FairPlay on iOS 10.0 to 10.2 takes an asset download task, which the policy rules out"
            }
            Self::OtherDrm => "protected by DRM other than FairPlay over HLS",
            Self::WidevineClassic => "Widevine Classic, which the platform does not play",
            Self::UnknownFormat => "the format is not known",
        })
    }
}

impl fmt::Display for NoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry `{}`: ", self.entry)?;
        if self.passed_over.is_empty() {
            return f.write_str("it has no sources");
        }
        f.write_str("no source can be downloaded: ")?;
        for (at, passed) in self.passed_over.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}source `{}` ({})", passed.source, passed.why)?;
        }
        Ok(())
    }
}

impl std::error::Error for NoSource {}

#[cfg(test)]
mod tests;
