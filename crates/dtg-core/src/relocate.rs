//! An item at a fresh address: the same parts are found again, and another encode is noticed.
//!
//! A part's identity is its rendition, its media sequence number and its byte range; its URI may be
//! another one each time. What was downloaded stays good only if all of that, and every duration, is the same.

use hls_parse::{MediaPlaylist, Multivariant, ParseOptions, Playlist, Variables};
use thiserror::Error;

use crate::plan::{Fetch, Length, Origin, OriginSet, Plan, Resource};
use crate::select::{self, SelectedTrack, Selection};

/// How what a fresh address gives is not what the item is made of.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnotherEncode {
    /// A track that was chosen is not there with the same kind, language, name, bit rate and codecs.
    #[error("the track {0} is not there any more")]
    Track(String),
    /// There are other playlists, files or requests than before.
    #[error("it has {found} {what}, where there were {expected}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// Before.
        expected: usize,
        /// Now.
        found: usize,
    },
    /// A segment has another number, duration or byte range.
    #[error("segment {0} has another number, duration or byte range")]
    Segment(u64),
    /// A file has another length, role or place.
    #[error("file {0} has another length, role or place")]
    File(u32),
    /// A playlist can't be read.
    #[error("a playlist can't be read")]
    Unreadable,
}

/// A plan and the playlists that it points into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) origins: &'a OriginSet,
}

/// The tracks of a fresh selection in the order of the earlier one.
pub(crate) fn in_order_of(known: &Selection, fresh: Selection) -> Result<Selection, AnotherEncode> {
    let mut left = fresh.tracks;
    let mut tracks = Vec::with_capacity(left.len());
    for track in &known.tracks {
        let place = left.iter().position(|it| is_same(track, it));
        tracks.push(left.remove(place.ok_or_else(|| AnotherEncode::Track(name_of(track)))?));
    }
    let (expected, found) = (tracks.len(), tracks.len() + left.len());
    same("tracks", expected, found)?;
    Ok(Selection { tracks, ..fresh })
}

/// The known tracks as a fresh playlist lists them, in the same order.
pub(crate) fn found_again(
    known: &[SelectedTrack],
    fresh: &Multivariant<'_>,
) -> Result<Vec<SelectedTrack>, AnotherEncode> {
    let mut left = select::all_tracks(fresh);
    let again = known.iter().map(|track| {
        let place = left.iter().position(|it| is_same(track, it));
        place.map(|at| left.remove(at)).ok_or_else(|| AnotherEncode::Track(name_of(track)))
    });
    again.collect()
}

/// Whether these are the same tracks in the same order.
pub(crate) fn are_same(a: &[SelectedTrack], b: &[SelectedTrack]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
}

/// Whether the first playlists of `fresh` are those of `known`, segment by segment: then its files are, too.
pub(crate) fn extends(known: Placed<'_>, fresh: Placed<'_>) -> Result<(), AnotherEncode> {
    for (a, b) in known.plan.playlists.iter().zip(&fresh.plan.playlists) {
        let (a, b) = (segments_of(known.origins, a.origin)?, segments_of(fresh.origins, b.origin)?);
        same_segments(&a, &b)?;
    }
    let (expected, found) = (known.plan.playlists.len(), fresh.plan.playlists.len());
    if found < expected { Err(AnotherEncode::Count { what: "playlists", expected, found }) } else { Ok(()) }
}

fn is_same(a: &SelectedTrack, b: &SelectedTrack) -> bool {
    let of =
        |it: &SelectedTrack| (it.kind, it.language.clone(), it.title.clone(), it.bit_rate, it.codecs.clone());
    of(a) == of(b) && a.resolution == b.resolution && a.uri.is_some() == b.uri.is_some()
}

fn name_of(track: &SelectedTrack) -> String {
    let name = track.title.as_deref().or(track.language.as_deref()).unwrap_or("of the variant");
    format!("`{name}`")
}

/// The known plan with the fresh one's addresses: its fetches, their numbers and its files stay.
pub(crate) fn relocated(known: Placed<'_>, fresh: Placed<'_>) -> Result<Plan, AnotherEncode> {
    let (old, new) = (known.plan, fresh.plan);
    same("playlists", old.playlists.len(), new.playlists.len())?;
    same("files", old.resources.len(), new.resources.len())?;
    same("requests", old.fetches.len(), new.fetches.len())?;
    for (a, b) in old.playlists.iter().zip(&new.playlists) {
        let segments = |placed: Placed<'_>, origin| segments_of(placed.origins, origin);
        same_segments(&segments(known, a.origin)?, &segments(fresh, b.origin)?)?;
    }
    let mut plan = old.clone();
    for (a, b) in plan.playlists.iter_mut().zip(&new.playlists) {
        a.origin = b.origin;
    }
    for (number, (a, b)) in (0..).zip(plan.resources.iter_mut().zip(&new.resources)) {
        if place_of(a) != place_of(b) {
            return Err(AnotherEncode::File(number));
        }
        a.uri = b.uri;
    }
    let differs = |(a, b): &(&Fetch, &Fetch)| extent_of(a, old) != extent_of(b, new);
    match old.fetches.iter().zip(&new.fetches).find(differs) {
        Some((fetch, _)) => Err(AnotherEncode::File(fetch.resource)),
        None => Ok(plan),
    }
}

fn same(what: &'static str, expected: usize, found: usize) -> Result<(), AnotherEncode> {
    if expected == found { Ok(()) } else { Err(AnotherEncode::Count { what, expected, found }) }
}

fn place_of(it: &Resource) -> impl PartialEq + use<> {
    (it.role, it.playlist, it.number)
}

/// Which bytes; a guessed length says nothing, but that of a single file is the server's word.
fn extent_of(fetch: &Fetch, plan: &Plan) -> impl PartialEq + use<> {
    let length = match fetch.length {
        Length::Exact(bytes) => Some(bytes),
        Length::About(bytes) => (plan.master == crate::plan::Master::File).then_some(bytes),
    };
    (fetch.resource, fetch.start, length, fetch.extent)
}

/// What identifies a segment, and what shows that it is the same one.
type SegmentId = (u64, std::time::Duration, Option<(u64, u64)>, bool);

fn same_segments(known: &[SegmentId], fresh: &[SegmentId]) -> Result<(), AnotherEncode> {
    same("segments", known.len(), fresh.len())?;
    let differs = known.iter().zip(fresh).find(|(a, b)| a != b);
    differs.map_or(Ok(()), |((number, ..), _)| Err(AnotherEncode::Segment(*number)))
}

fn segments_of(origins: &OriginSet, origin: u32) -> Result<Vec<SegmentId>, AnotherEncode> {
    let variables = match parse(&origins.entry, None)? {
        Playlist::Multivariant(multivariant) => Some(multivariant.variables),
        Playlist::Media(_) => None,
    };
    let text = origins.get(origin).ok_or(AnotherEncode::Unreadable)?;
    let Playlist::Media(media) = parse(text, variables.as_ref())? else {
        return Err(AnotherEncode::Unreadable);
    };
    Ok(segment_ids(&media))
}

fn segment_ids(media: &MediaPlaylist<'_>) -> Vec<SegmentId> {
    let ids = media.segments.iter().map(|segment| {
        let range = segment.byte_range.map(|range| (range.offset, range.length));
        (segment.media_sequence, segment.duration, range, segment.gap)
    });
    ids.collect()
}

fn parse<'a>(origin: &'a Origin, imports: Option<&Variables>) -> Result<Playlist<'a>, AnotherEncode> {
    let options = ParseOptions { url: Some(&origin.url), imports, ..ParseOptions::default() };
    let parsed = hls_parse::parse(&origin.text, &options).map_err(|_| AnotherEncode::Unreadable)?;
    Ok(parsed.playlist)
}

/// The multivariant playlist of an item, if its address gave one.
pub(crate) fn multivariant_of(origins: &OriginSet) -> Option<Multivariant<'_>> {
    match parse(&origins.entry, None) {
        Ok(Playlist::Multivariant(multivariant)) => Some(multivariant),
        Ok(Playlist::Media(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::TrackKind;
    use crate::options::BitRate;
    use crate::plan::{Master, plan};
    use crate::select::TrackSource;

    /// A media playlist of segments `duration@uri` or `duration@uri#length+offset`, planned.
    fn planned(segments: &str) -> (Plan, OriginSet) {
        let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n".to_owned();
        for segment in segments.split_whitespace() {
            let (duration, uri) = segment.split_once('@').unwrap();
            let (uri, range) = uri.split_once('#').unwrap_or((uri, ""));
            text.push_str(&format!("#EXTINF:{duration},\n"));
            if !range.is_empty() {
                text.push_str(&format!("#EXT-X-BYTERANGE:{}\n", range.replace('+', "@")));
            }
            text.push_str(&format!("{uri}\n"));
        }
        let entry = Origin { url: "http://h/m".into(), text: (text + "#EXT-X-ENDLIST\n").into_bytes() };
        let origins = OriginSet { entry, media: Vec::new() };
        let playlist = parse(&origins.entry, None).unwrap();
        let planned = plan(&origins, &playlist, &[], None, &[]).unwrap();
        (planned.plan, origins)
    }

    /// What the second playlist is to an item of the first one: the URIs of its files, or why it is another.
    #[track_caller]
    fn check(known: &str, fresh: &str, expected: &str) {
        let ((old, old_origins), (new, new_origins)) = (planned(known), planned(fresh));
        let found = relocated(
            Placed { plan: &old, origins: &old_origins },
            Placed { plan: &new, origins: &new_origins },
        );
        let found = match found {
            Err(other) => other.to_string(),
            Ok(plan) => {
                assert_eq!(plan.fetches, old.fetches);
                let locator = crate::plan::Locator::new(new_origins, Vec::new()).unwrap();
                let urls = (0..).zip(&plan.resources).map(|(n, _)| locator.url_of(&plan, n).unwrap());
                urls.map(|url| url.as_str().replace("http://h/", "")).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_same_parts_are_found_at_other_addresses() {
        check("4@a.ts?k=1 4@b.ts?k=1", "4@a.ts?k=22 4@b.ts?k=22", "a.ts?k=22 b.ts?k=22");
        check("4@a.ts 4@b.ts", "4@x/1 4@x/2", "x/1 x/2");
        check("4@a.mp4#9+0 4@a.mp4#9+9", "4@b.mp4#9+0 4@b.mp4#9+9", "b.mp4");
    }

    #[test]
    fn another_encode_is_noticed() {
        check("4@a 4@b", "4@a 4@b 4@c", "it has 3 files, where there were 2");
        check("4@a 4@b", "4@a 5@b", "segment 1 has another number, duration or byte range");
        check("4@a#9+0 4@a#9+9", "4@a#9+0 4@a#8+9", "segment 1 has another number, duration or byte range");
        check("4@a 4@b", "4@a 4@a", "it has 1 files, where there were 2");
    }

    #[test]
    fn a_single_file_of_another_length_is_another_one() {
        let file = |length, access| {
            let file = crate::plan::RemoteFile { extension: crate::Extension::Mp4, length, access };
            crate::plan::plan_file(&file, &[]).unwrap().plan
        };
        let entry = Origin { url: "http://h/a.mp4".into(), text: Vec::new() };
        let origins = OriginSet { entry, media: Vec::new() };
        let same = |a: &Plan, b: &Plan| {
            relocated(Placed { plan: a, origins: &origins }, Placed { plan: b, origins: &origins }).is_ok()
        };
        let whole = crate::plan::Access::Whole;
        assert_eq!(file(Some(5), whole).master, Master::File);
        assert!(same(&file(Some(5), whole), &file(Some(5), whole)));
        assert!(!same(&file(Some(5), whole), &file(Some(6), whole)));
        let ranges = crate::plan::Access::Ranges;
        assert!(!same(&file(Some(9 << 20), ranges), &file(Some(9 << 20 | 1), ranges)));
    }

    /// Tracks in the notation `kind:title`.
    fn selection(tracks: &str) -> Selection {
        let track = |text: &str| {
            let (kind, title) = text.split_once(':').unwrap();
            SelectedTrack {
                kind: if kind == "v" { TrackKind::Video } else { TrackKind::Audio },
                source: TrackSource::Variant(0),
                reason: select::SelectReason::Asked,
                uri: Some(format!("{title}.m3u8")),
                language: None,
                title: Some(title.to_owned()),
                bit_rate: Some(BitRate(1)),
                resolution: None,
                codecs: None,
            }
        };
        let tracks = tracks.split_whitespace().map(track).collect();
        Selection { tracks, available: Vec::new(), skipped: Vec::new() }
    }

    #[track_caller]
    fn check_order(known: &str, fresh: &str, expected: Result<&str, &str>) {
        let found = in_order_of(&selection(known), selection(fresh));
        let found = found.map_err(|other| other.to_string());
        assert_eq!(found, expected.map(selection).map_err(str::to_owned));
    }

    #[test]
    fn renditions_in_another_order_are_still_the_same_ones() {
        check_order("v:main a:en a:fr", "v:main a:fr a:en", Ok("v:main a:en a:fr"));
        check_order("v:main a:en", "v:main a:de", Err("the track `en` is not there any more"));
        check_order("v:main", "v:main a:de", Err("it has 2 tracks, where there were 1"));
    }
}
