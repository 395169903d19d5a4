//! Conversions to and from the types of `m3u8-rs`, for code that already speaks them.
//!
//! To theirs, `From` on references. Lost on the way: spans and line numbers, unknown tags and comments, DEFINE (values
//! are substituted), GAP, BITRATE, everything of low latency, CONTENT-STEERING, FORMAT of session data, CUE, date
//! ranges without a readable start or behind the last segment and all but the last before one segment; of the keys in
//! effect all but the last. Durations become `f32`, other decimals `f64`; target durations are rounded up; dates
//! without an offset get UTC; a BANDWIDTH that is missing becomes 0. As in their own reader, a key or map stands at
//! the first segment that it applies to and at no other. A key with METHOD=NONE stands at the first segment behind
//! keys that ended. Lost are lines that change nothing: a key or map that applies to no segment, a key line that repeats the one in
//! effect, METHOD=NONE where no key was in effect.
//!
//! From theirs by way of text: [`text_of`](crate::text_of), then [`parse`](crate::parse).

use std::collections::HashMap;
use std::io;

use ::m3u8_rs::{self as theirs, QuotedOrUnquoted};

use crate::date_range::{ClientValue, DateRange};
use crate::key::{Key, KeyMethod};
use crate::media::{Map, MediaPlaylist, PlaylistType, Segment};
use crate::parse::Playlist;
use crate::value::{ByteRange, Start};

mod multivariant;

/// The text of a playlist of theirs, as their writer composes it: what [`parse`](crate::parse) reads.
///
/// Their writer leaves out unknown tags of the playlist as a whole and unknown attributes of EXT-X-START, and does not
/// check what it writes.
///
/// # Errors
/// None of the writer's own; it writes into memory.
pub fn text_of(playlist: &theirs::Playlist) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    playlist.write_to(&mut text)?;
    Ok(text)
}

impl From<&Playlist<'_>> for theirs::Playlist {
    fn from(playlist: &Playlist<'_>) -> Self {
        match playlist {
            Playlist::Multivariant(playlist) => Self::MasterPlaylist(playlist.into()),
            Playlist::Media(playlist) => Self::MediaPlaylist(playlist.into()),
        }
    }
}

impl From<&MediaPlaylist<'_>> for theirs::MediaPlaylist {
    fn from(playlist: &MediaPlaylist<'_>) -> Self {
        Self {
            version: playlist.version.and_then(|version| version.try_into().ok()),
            target_duration: playlist
                .target_duration
                .map_or(0, |target| target.as_secs().saturating_add(u64::from(target.subsec_nanos() > 0))),
            media_sequence: playlist.media_sequence,
            segments: segments(playlist),
            discontinuity_sequence: playlist.discontinuity_sequence,
            end_list: playlist.end_list,
            playlist_type: playlist.playlist_type.map(|kind| match kind {
                PlaylistType::Vod => theirs::MediaPlaylistType::Vod,
                PlaylistType::Event => theirs::MediaPlaylistType::Event,
            }),
            i_frames_only: playlist.i_frames_only,
            start: playlist.start.as_ref().map(start),
            independent_segments: playlist.independent_segments,
            unknown_tags: Vec::new(),
        }
    }
}

fn segments(playlist: &MediaPlaylist<'_>) -> Vec<theirs::MediaSegment> {
    let mut before: Option<&Segment<'_>> = None;
    let mut date_ranges = playlist.date_ranges.iter().peekable();
    let mut list = Vec::with_capacity(playlist.segments.len());
    for segment in &playlist.segments {
        let mut date_range = None;
        while let Some(range) = date_ranges.next_if(|it| it.tag_line < segment.line) {
            date_range = date_range_of(range).or(date_range);
        }
        let new_keys = before.map_or(segment.keys.0 != 0, |it| it.keys != segment.keys);
        let new_map = before.is_none_or(|it| it.map != segment.map);
        list.push(theirs::MediaSegment {
            uri: segment.uri.text.to_string(),
            duration: segment.duration.as_secs_f32(),
            title: segment.title.map(str::to_owned),
            byte_range: segment.byte_range.map(byte_range),
            discontinuity: segment.discontinuity,
            key: new_keys.then(|| playlist.keys_of(segment).last().map(key).unwrap_or_default()),
            map: playlist.map_of(segment).filter(|_| new_map).map(map),
            program_date_time: segment.program_date_time.and_then(|date| date.to_string().parse().ok()),
            daterange: date_range,
            unknown_tags: Vec::new(),
        });
        before = Some(segment);
    }
    list
}

const fn byte_range(range: ByteRange) -> theirs::ByteRange {
    theirs::ByteRange { length: range.length, offset: Some(range.offset) }
}

fn map(map: &Map<'_>) -> theirs::Map {
    let byte_range = map.byte_range.map(byte_range);
    theirs::Map { uri: map.uri.text.to_string(), byte_range, other_attributes: HashMap::new() }
}

fn key(key: &Key<'_>) -> theirs::Key {
    theirs::Key {
        method: match &key.method {
            KeyMethod::None => theirs::KeyMethod::None,
            KeyMethod::Aes128 => theirs::KeyMethod::AES128,
            KeyMethod::SampleAes => theirs::KeyMethod::SampleAES,
            KeyMethod::SampleAesCtr | KeyMethod::SampleAesCenc | KeyMethod::Aes256 | KeyMethod::Other(_) => {
                theirs::KeyMethod::Other(key.method.as_str().to_owned())
            }
        },
        uri: key.uri.as_ref().map(|uri| uri.text.to_string()),
        iv: key.iv.map(|iv| format!("0x{:032x}", u128::from_be_bytes(iv))),
        keyformat: (!key.is_identity()).then(|| key.key_format.to_string()),
        keyformatversions: key.key_format_versions.as_deref().map(str::to_owned),
    }
}

fn start(start: &Start) -> theirs::Start {
    theirs::Start {
        time_offset: start.time_offset.as_f64(),
        precise: Some(start.precise),
        other_attributes: HashMap::new(),
    }
}

fn date_range_of(range: &DateRange<'_>) -> Option<theirs::DateRange> {
    let quoted = |text: &str| QuotedOrUnquoted::Quoted(text.to_owned());
    let unquoted = |text: &str| QuotedOrUnquoted::Unquoted(text.to_owned());
    let client = range.client_attributes.iter().map(|attribute| {
        let value = match &attribute.value {
            ClientValue::Text(text) => quoted(text),
            ClientValue::Hex(text) | ClientValue::Other(text) => unquoted(text),
            ClientValue::Number(number) => unquoted(&number.to_string()),
        };
        (attribute.name.to_string(), value)
    });
    let markers = [
        ("SCTE35-CMD", &range.scte35_cmd),
        ("SCTE35-OUT", &range.scte35_out),
        ("SCTE35-IN", &range.scte35_in),
    ];
    let markers =
        markers.into_iter().filter_map(|(name, it)| Some((name.to_owned(), unquoted(it.as_deref()?))));
    Some(theirs::DateRange {
        id: range.id.to_string(),
        class: range.class.as_deref().map(str::to_owned),
        start_date: range.start_date?.to_string().parse().ok()?,
        end_date: range.end_date.and_then(|date| date.to_string().parse().ok()),
        duration: range.duration.map(|it| it.as_secs_f64()),
        planned_duration: range.planned_duration.map(|it| it.as_secs_f64()),
        x_prefixed: some(client.collect()),
        end_on_next: range.end_on_next,
        other_attributes: some(markers.collect()),
    })
}

fn some(map: HashMap<String, QuotedOrUnquoted>) -> Option<HashMap<String, QuotedOrUnquoted>> {
    (!map.is_empty()).then_some(map)
}

#[cfg(test)]
mod tests;
