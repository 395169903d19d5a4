//! A multivariant playlist made local: the lines of what is chosen.

use std::collections::{HashMap, HashSet};

use hls_parse::{ClosedCaptions, Line, LineKind, MediaKind, Multivariant, Rendition, Variant};

use super::attributes::{self, Change};
use super::{Names, Page, localize_key, tags};
use crate::layout;
use crate::plan::{DropReason, Plan};
use crate::select::{Selection, TrackSource};

/// Edits the lines of a multivariant playlist.
pub(super) fn localize(
    page: &mut Page<'_>,
    multivariant: &Multivariant<'_>,
    selection: &Selection,
    names: &Names<'_>,
) {
    let kept = Kept::new(multivariant, selection, names.plan);
    for line in hls_parse::lines(page.text) {
        match &line.kind {
            LineKind::Blank | LineKind::Comment(_) => {}
            LineKind::Uri(_) => kept.localize_uri(page, &line),
            LineKind::Tag { name, .. } => match *name {
                "EXT-X-STREAM-INF" => kept.localize_variant(page, &line, name),
                "EXT-X-MEDIA" => kept.localize_rendition(page, &line, name),
                "EXT-X-I-FRAME-STREAM-INF" => page.drop_line(&line, name, DropReason::NotChosen),
                "EXT-X-SESSION-KEY" => localize_session_key(page, &line, name, names),
                "EXT-X-SESSION-DATA" => localize_session_data(page, &line, name, names),
                _ => page.common_tag(&line, name, &multivariant.variables),
            },
        }
    }
}

/// What stays, by line number.
struct Kept<'m, 'a> {
    variants: HashMap<u32, (&'m Variant<'a>, String)>,
    other_uris: HashSet<u32>,
    /// With the local name of its playlist, where it has one.
    renditions: HashMap<u32, Option<String>>,
    groups: HashSet<(MediaKind, &'m str)>,
}

impl<'m, 'a> Kept<'m, 'a> {
    fn new(multivariant: &'m Multivariant<'a>, selection: &Selection, plan: &Plan) -> Self {
        let mut kept = Self {
            variants: HashMap::new(),
            other_uris: multivariant.variants.iter().map(|it| it.uri_line).collect(),
            renditions: HashMap::new(),
            groups: HashSet::new(),
        };
        let files = local_files(selection, plan);
        for track in &selection.tracks {
            let local = track.uri.as_deref().and_then(|uri| files.get(uri)).cloned();
            match track.source {
                TrackSource::Variant(index) => {
                    if let Some((variant, local)) = multivariant.variants.get(index).zip(local) {
                        kept.add_variant(variant, local, &multivariant.renditions);
                    }
                }
                TrackSource::Rendition(index) => {
                    if let Some(rendition) = multivariant.renditions.get(index) {
                        kept.add_rendition(rendition, local);
                    }
                }
            }
        }
        kept
    }

    /// With it stay the renditions that have no playlist of their own: they are inside its segments.
    fn add_variant(&mut self, variant: &'m Variant<'a>, local: String, renditions: &'m [Rendition<'a>]) {
        let inside = |it: &&Rendition<'_>| {
            it.uri.is_none() && group_of(variant, it.kind) == Some(it.group_id.as_ref())
        };
        let unlisted = |it: &&Rendition<'_>| matches!(it.kind, MediaKind::Video | MediaKind::ClosedCaptions);
        for rendition in renditions.iter().filter(inside).filter(unlisted) {
            self.add_rendition(rendition, None);
        }
        self.other_uris.remove(&variant.uri_line);
        self.variants.insert(variant.tag_line, (variant, local.clone()));
        self.variants.insert(variant.uri_line, (variant, local));
    }

    fn add_rendition(&mut self, rendition: &'m Rendition<'a>, local: Option<String>) {
        self.renditions.insert(rendition.tag_line, local);
        self.groups.insert((rendition.kind, rendition.group_id.as_ref()));
    }

    fn localize_uri(&self, page: &mut Page<'_>, line: &Line<'_>) {
        if let Some((_, local)) = self.variants.get(&line.number) {
            page.edits.replace(line.span, local);
        } else if self.other_uris.contains(&line.number) {
            page.edits.remove(line.full); // its tag is what is listed as dropped
        } else {
            page.drop_line(line, "URI", DropReason::Misplaced);
        }
    }

    fn localize_variant(&self, page: &mut Page<'_>, line: &Line<'_>, tag: &str) {
        let Some((variant, _)) = self.variants.get(&line.number) else {
            return page.drop_line(line, tag, DropReason::NotChosen);
        };
        let has = |kind| group_of(variant, kind).is_some_and(|group| self.groups.contains(&(kind, group)));
        page.change(line, tag, |attribute| {
            let kind = match attribute.name {
                "AUDIO" => MediaKind::Audio,
                "VIDEO" => MediaKind::Video,
                "SUBTITLES" => MediaKind::Subtitles,
                "CLOSED-CAPTIONS" if group_of(variant, MediaKind::ClosedCaptions).is_some() => {
                    MediaKind::ClosedCaptions
                }
                _ => return tags::offline_attribute(attribute),
            };
            if has(kind) { Change::Keep } else { Change::Remove(DropReason::EmptyGroup) }
        });
    }

    fn localize_rendition(&self, page: &mut Page<'_>, line: &Line<'_>, tag: &str) {
        let Some(local) = self.renditions.get(&line.number) else {
            return page.drop_line(line, tag, DropReason::NotChosen);
        };
        page.change(line, tag, |attribute| match (attribute.name, local) {
            ("URI", Some(local)) => Change::Value(local.clone()),
            _ => tags::offline_attribute(attribute),
        });
    }
}

/// The local media playlists, by the URI they were fetched from.
fn local_files<'s>(selection: &'s Selection, plan: &Plan) -> HashMap<&'s str, String> {
    let playlists = plan.playlists.iter().zip(0..);
    let files = playlists.map(|(playlist, number)| layout::playlist_name(playlist.kind, number).to_string());
    selection.playlists().into_iter().zip(files).collect()
}

/// The group that a variant names for a kind of rendition.
fn group_of<'v>(variant: &'v Variant<'_>, kind: MediaKind) -> Option<&'v str> {
    match kind {
        MediaKind::Audio => variant.audio.as_deref(),
        MediaKind::Video => variant.video.as_deref(),
        MediaKind::Subtitles => variant.subtitles.as_deref(),
        MediaKind::ClosedCaptions => match &variant.closed_captions {
            Some(ClosedCaptions::Group(group)) => Some(group),
            Some(ClosedCaptions::None) | None => None,
        },
    }
}

fn localize_session_key(page: &mut Page<'_>, line: &Line<'_>, tag: &str, names: &Names<'_>) {
    if attributes::value(line, "METHOD") == Some("NONE") {
        page.drop_line(line, tag, DropReason::Misplaced);
    } else {
        localize_key(page, line, tag, names);
    }
}

fn localize_session_data(page: &mut Page<'_>, line: &Line<'_>, tag: &str, names: &Names<'_>) {
    let Some(uri) = attributes::find(line, "URI") else { return };
    match names.of(uri.value_span) {
        Some(local) => page.change(line, tag, attributes::becomes("URI", local)),
        None => page.drop_line(line, tag, DropReason::Misplaced),
    }
}
