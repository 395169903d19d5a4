//! Which audio and subtitle renditions are downloaded with the variants.

use std::collections::{HashMap, HashSet};

use hls_parse::{ClosedCaptions, Language, MediaKind, Multivariant, Rendition, Variant};

use super::{SelectReason, SelectedTrack, SkipReason, Skipped, TrackSource, name_of_uri};
use crate::item::{Track, TrackKind};
use crate::options::{BitRate, Languages, SelectionOptions};

/// What an audio rendition is expected to have, as in the reference.
const AUDIO_RATE: BitRate = BitRate(64_000);

/// The renditions that go with the variants.
#[derive(Default)]
pub(super) struct Choice {
    /// Those that are downloaded or inside a variant.
    pub(super) tracks: Vec<SelectedTrack>,
    /// All audio and text renditions of the variants' groups.
    pub(super) available: Vec<Track>,
    /// The others.
    pub(super) skipped: Vec<Skipped>,
}

/// Chooses among the renditions of the variants' groups: audio first, then subtitles.
///
/// A variant without a group attribute takes no renditions.
pub(super) fn choose(
    multivariant: &Multivariant<'_>,
    variants: &[&Variant<'_>],
    options: &SelectionOptions,
) -> Choice {
    let mut choice = Choice::default();
    let renditions = &multivariant.renditions;
    choice.add(renditions, MediaKind::Audio, &groups(variants, MediaKind::Audio), &options.audio);
    choice.add(renditions, MediaKind::Subtitles, &groups(variants, MediaKind::Subtitles), &options.text);
    choice.skip_views(renditions, &groups(variants, MediaKind::Video));
    choice.skip_captions(renditions, &groups(variants, MediaKind::ClosedCaptions));
    choice
}

/// The groups of a kind that the variants name.
fn groups<'v>(variants: &[&'v Variant<'_>], kind: MediaKind) -> HashSet<&'v str> {
    let named = |variant: &&'v Variant<'_>| match kind {
        MediaKind::Audio => variant.audio.as_deref(),
        MediaKind::Video => variant.video.as_deref(),
        MediaKind::Subtitles => variant.subtitles.as_deref(),
        MediaKind::ClosedCaptions => match &variant.closed_captions {
            Some(ClosedCaptions::Group(group)) => Some(group.as_ref()),
            Some(ClosedCaptions::None) | None => None,
        },
    };
    variants.iter().filter_map(named).collect()
}

impl Choice {
    fn add(
        &mut self,
        renditions: &[Rendition<'_>],
        kind: MediaKind,
        groups: &HashSet<&str>,
        asked: &Languages,
    ) {
        let mut members: HashMap<&str, Vec<&Rendition<'_>>> = HashMap::new();
        for rendition in renditions.iter().filter(|it| it.kind == kind) {
            members.entry(&rendition.group_id).or_default().push(rendition);
        }
        let wanted = Wanted::from(asked);
        let stand_ins: HashSet<u32> = match kind {
            MediaKind::Audio => members.values().flat_map(|members| wanted.stand_ins(members)).collect(),
            MediaKind::Video | MediaKind::Subtitles | MediaKind::ClosedCaptions => HashSet::new(),
        };
        for (index, rendition) in renditions.iter().enumerate().filter(|(_, it)| it.kind == kind) {
            if !groups.contains(rendition.group_id.as_ref()) {
                self.skip(rendition, SkipReason::OtherGroup);
                continue;
            }
            self.available.push(listed(rendition));
            let is_stand_in = stand_ins.contains(&rendition.tag_line);
            match wanted.judge(rendition) {
                Ok(reason) => self.tracks.push(track(index, rendition, reason)),
                Err(_) if is_stand_in => self.tracks.push(track(index, rendition, SelectReason::StandIn)),
                Err(reason) => self.skip(rendition, reason),
            }
        }
    }

    /// Other camera angles are left out; what has no URI is the variant itself.
    fn skip_views(&mut self, renditions: &[Rendition<'_>], groups: &HashSet<&str>) {
        for rendition in renditions.iter().filter(|it| it.kind == MediaKind::Video) {
            if !groups.contains(rendition.group_id.as_ref()) {
                self.skip(rendition, SkipReason::OtherGroup);
            } else if rendition.uri.is_some() {
                self.skip(rendition, SkipReason::AlternativeView);
            }
        }
    }

    /// Captions are inside the variants' segments, and come with them.
    fn skip_captions(&mut self, renditions: &[Rendition<'_>], groups: &HashSet<&str>) {
        for rendition in renditions.iter().filter(|it| it.kind == MediaKind::ClosedCaptions) {
            if !groups.contains(rendition.group_id.as_ref()) {
                self.skip(rendition, SkipReason::OtherGroup);
            }
        }
    }

    fn skip(&mut self, rendition: &Rendition<'_>, reason: SkipReason) {
        let uri = rendition.uri.as_ref().map(|uri| name_of_uri(&uri.text));
        let name = Some(rendition.name.to_string()).filter(|name| !name.is_empty());
        let what = name.or(uri).unwrap_or_default();
        let kind = track_kind(rendition.kind);
        self.skipped.push(Skipped { kind, what, line: rendition.tag_line, reason });
    }
}

/// What is asked for, ready to be compared.
enum Wanted {
    None,
    Default,
    Only(Vec<Language>),
    All,
}

impl From<&Languages> for Wanted {
    fn from(asked: &Languages) -> Self {
        match asked {
            Languages::None => Self::None,
            Languages::Default => Self::Default,
            Languages::All => Self::All,
            Languages::Only(languages) => {
                Self::Only(languages.iter().filter_map(|it| Language::parse(it)).collect())
            }
        }
    }
}

impl Wanted {
    /// Whether a rendition of a chosen variant's group is taken.
    fn judge(&self, rendition: &Rendition<'_>) -> Result<SelectReason, SkipReason> {
        if rendition.uri.is_none() {
            let inside = rendition.kind == MediaKind::Audio;
            return if inside { Ok(SelectReason::Inside) } else { Err(SkipReason::NoUri) };
        }
        let language = rendition.language.as_deref().and_then(Language::parse);
        match (self, language) {
            (Self::None, _) => Err(SkipReason::NotAsked),
            (Self::All, _) => Ok(SelectReason::Asked),
            (Self::Default, _) if rendition.default => Ok(SelectReason::Default),
            (_, None) => Ok(SelectReason::NoLanguage),
            (Self::Default, Some(_)) => Err(SkipReason::NotDefault),
            (Self::Only(asked), Some(its)) if asked.iter().any(|it| it.matches(&its)) => {
                Ok(SelectReason::Asked)
            }
            (Self::Only(_), Some(_)) => Err(SkipReason::Language),
        }
    }

    /// What is taken of a group of audio renditions of which nothing else would be, by line.
    ///
    /// A variant with a group has no sound but its group's: those that are the default, else the first that
    /// a player may choose by itself, else the first.
    fn stand_ins(&self, group: &[&Rendition<'_>]) -> Vec<u32> {
        let silent = matches!(self, Self::None);
        if silent || group.iter().any(|it| self.judge(it).is_ok()) {
            return Vec::new();
        }
        let mut lines: Vec<u32> = group.iter().filter(|it| it.default).map(|it| it.tag_line).collect();
        if lines.is_empty() {
            let first = group.iter().find(|it| it.autoselect).or(group.first());
            lines.extend(first.map(|it| it.tag_line));
        }
        lines
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

pub(super) fn track(index: usize, rendition: &Rendition<'_>, reason: SelectReason) -> SelectedTrack {
    let Track { kind, language, title } = listed(rendition);
    let uri = rendition.uri.as_ref().map(|uri| uri.text.to_string());
    let bit_rate = (kind == TrackKind::Audio && uri.is_some()).then_some(AUDIO_RATE);
    let source = TrackSource::Rendition(index);
    SelectedTrack { kind, source, reason, uri, language, title, bit_rate, resolution: None, codecs: None }
}
