//! Which audio and subtitle renditions are downloaded with the variant.

use hls_parse::{Language, MediaKind, Multivariant, Rendition, Variant};

use super::{SelectedTrack, SkipReason, Skipped, TrackSource, name_of_uri};
use crate::item::{Track, TrackKind};
use crate::options::{BitRate, Languages, SelectionOptions};

/// What an audio rendition is expected to have, as in the reference.
const AUDIO_RATE: BitRate = BitRate(64_000);

/// The renditions that go with a variant.
#[derive(Default)]
pub(super) struct Choice {
    /// Those that are downloaded or inside the variant.
    pub(super) tracks: Vec<SelectedTrack>,
    /// All audio and text renditions of the variant's groups.
    pub(super) available: Vec<Track>,
    /// The others.
    pub(super) skipped: Vec<Skipped>,
}

/// Chooses among the renditions of the variant's groups: audio first, then subtitles.
///
/// A variant without a group attribute takes no renditions.
pub(super) fn choose(
    multivariant: &Multivariant<'_>,
    variant: &Variant<'_>,
    options: &SelectionOptions,
) -> Choice {
    let mut choice = Choice::default();
    let renditions = &multivariant.renditions;
    choice.add(renditions, MediaKind::Audio, variant.audio.as_deref(), &options.audio);
    choice.add(renditions, MediaKind::Subtitles, variant.subtitles.as_deref(), &options.text);
    choice.skip_views(renditions, variant);
    choice
}

impl Choice {
    fn add(&mut self, renditions: &[Rendition<'_>], kind: MediaKind, group: Option<&str>, asked: &Languages) {
        let of_kind = || renditions.iter().enumerate().filter(move |(_, it)| it.kind == kind);
        let members = || of_kind().filter(move |(_, it)| group == Some(it.group_id.as_ref()));
        let wanted = Wanted::new(asked, || members().map(|(_, it)| it), kind);
        for (index, rendition) in of_kind() {
            if group != Some(rendition.group_id.as_ref()) {
                self.skip(rendition, SkipReason::OtherGroup);
                continue;
            }
            self.available.push(listed(rendition));
            match wanted.judge(rendition) {
                Ok(()) => self.tracks.push(track(index, rendition)),
                Err(reason) => self.skip(rendition, reason),
            }
        }
    }

    /// Other camera angles are left out; what has no URI is the variant itself.
    fn skip_views(&mut self, renditions: &[Rendition<'_>], variant: &Variant<'_>) {
        for rendition in renditions.iter().filter(|it| it.kind == MediaKind::Video) {
            if variant.video.as_deref() != Some(rendition.group_id.as_ref()) {
                self.skip(rendition, SkipReason::OtherGroup);
            } else if rendition.uri.is_some() {
                self.skip(rendition, SkipReason::AlternativeView);
            }
        }
    }

    fn skip(&mut self, rendition: &Rendition<'_>, reason: SkipReason) {
        let uri = rendition.uri.as_ref().map(|uri| name_of_uri(&uri.text));
        let name = Some(rendition.name.to_string()).filter(|name| !name.is_empty());
        let what = name.or(uri).unwrap_or_default();
        self.skipped.push(Skipped { kind: track_kind(rendition.kind), what, reason });
    }
}

/// What is asked for, ready to be compared.
enum Wanted {
    None,
    Default,
    Only(Vec<Language>),
    All,
}

impl Wanted {
    fn new<'r, 'a: 'r, I>(asked: &Languages, members: impl Fn() -> I, kind: MediaKind) -> Self
    where
        I: Iterator<Item = &'r Rendition<'a>>,
    {
        match asked {
            Languages::None => Self::None,
            Languages::Default => Self::Default,
            Languages::All => Self::All,
            Languages::Only(languages) => {
                let only = Self::Only(languages.iter().filter_map(|it| Language::parse(it)).collect());
                let silent = kind == MediaKind::Audio && !members().any(|it| only.judge(it).is_ok());
                if silent { Self::Default } else { only }
            }
        }
    }

    /// Whether a rendition of the variant's group is taken.
    fn judge(&self, rendition: &Rendition<'_>) -> Result<(), SkipReason> {
        if rendition.uri.is_none() {
            let inside = rendition.kind == MediaKind::Audio;
            return if inside { Ok(()) } else { Err(SkipReason::NoUri) };
        }
        let language = rendition.language.as_deref().and_then(Language::parse);
        match (self, language) {
            (Self::None, _) => Err(SkipReason::NotAsked),
            (Self::All, _) | (_, None) => Ok(()),
            (Self::Default, Some(_)) if rendition.default => Ok(()),
            (Self::Default, Some(_)) => Err(SkipReason::NotDefault),
            (Self::Only(asked), Some(its)) if asked.iter().any(|it| it.matches(&its)) => Ok(()),
            (Self::Only(_), Some(_)) => Err(SkipReason::Language),
        }
    }
}

const fn track_kind(kind: MediaKind) -> TrackKind {
    match kind {
        MediaKind::Video => TrackKind::Video,
        MediaKind::Audio => TrackKind::Audio,
        MediaKind::Subtitles | MediaKind::ClosedCaptions => TrackKind::Text,
    }
}

fn listed(rendition: &Rendition<'_>) -> Track {
    Track {
        kind: track_kind(rendition.kind),
        language: rendition.language.as_deref().map(str::to_owned),
        title: Some(rendition.name.to_string()).filter(|name| !name.is_empty()),
    }
}

fn track(index: usize, rendition: &Rendition<'_>) -> SelectedTrack {
    let Track { kind, language, title } = listed(rendition);
    let uri = rendition.uri.as_ref().map(|uri| uri.text.to_string());
    let bit_rate = (kind == TrackKind::Audio && uri.is_some()).then_some(AUDIO_RATE);
    let source = TrackSource::Rendition(index);
    SelectedTrack { kind, source, uri, language, title, bit_rate, resolution: None, codecs: None }
}
