//! What is true of a tree: facts to compare a parser, a plan or a local copy with.
//!
//! They come from the tree's values, never from a playlist's text.

pub mod json;
mod low_latency;
mod walk;

pub use low_latency::{LowLatencyFacts, PartFacts};
pub use walk::{Segments, segments};

use std::io::{self, Write};

use serde::Serialize;

use crate::tree::{
    Asset, ContentKeyOf, Define, Hosts, Key, KeyUri, Link, Location, MediaPlaylist, Multivariant,
    PlaylistType, Range, Rendition, SessionValue, Tag, Tree, Variant,
};
use crate::write::spell::Target;

/// A byte range: offset and length.
pub type Bytes = (u64, u64);

/// The facts of a multivariant playlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MultivariantFacts {
    /// Its URL.
    pub url: String,
    /// Variables and their values.
    pub variables: Vec<(String, String)>,
    /// EXT-X-STREAM-INF, in order.
    pub variants: Vec<VariantFacts>,
    /// EXT-X-I-FRAME-STREAM-INF, in order.
    pub i_frame_variants: Vec<VariantFacts>,
    /// EXT-X-MEDIA, in order.
    pub renditions: Vec<RenditionFacts>,
    /// EXT-X-SESSION-KEY, in order.
    pub session_keys: Vec<KeyFacts>,
    /// EXT-X-SESSION-DATA, in order.
    pub session_data: Vec<SessionDataFacts>,
}

/// The facts of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VariantFacts {
    /// The media playlist's URL.
    pub url: String,
    /// BANDWIDTH.
    pub bandwidth: u64,
    /// AVERAGE-BANDWIDTH.
    pub average_bandwidth: Option<u64>,
    /// CODECS.
    pub codecs: Option<String>,
    /// RESOLUTION.
    pub resolution: Option<(u64, u64)>,
    /// AUDIO, VIDEO, SUBTITLES.
    pub groups: [Option<String>; 3],
}

/// The facts of a rendition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenditionFacts {
    /// TYPE.
    pub kind: &'static str,
    /// GROUP-ID.
    pub group: String,
    /// NAME.
    pub name: String,
    /// LANGUAGE.
    pub language: Option<String>,
    /// The media playlist's URL.
    pub url: Option<String>,
    /// DEFAULT, AUTOSELECT, FORCED.
    pub flags: [bool; 3],
}

/// The facts of session data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionDataFacts {
    /// DATA-ID.
    pub id: String,
    /// VALUE.
    pub value: Option<String>,
    /// URI, resolved.
    pub url: Option<String>,
    /// LANGUAGE.
    pub language: Option<String>,
}

/// The facts of a media playlist, its segments apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaFacts {
    /// Its URL.
    pub url: String,
    /// EXT-X-MEDIA-SEQUENCE.
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE.
    pub discontinuity_sequence: u64,
    /// EXT-X-TARGETDURATION, in seconds.
    pub target_duration: u64,
    /// EXT-X-PLAYLIST-TYPE.
    pub playlist_type: Option<&'static str>,
    /// EXT-X-ENDLIST.
    pub end_list: bool,
    /// EXT-X-I-FRAMES-ONLY.
    pub i_frames_only: bool,
    /// How many segments there are.
    pub segment_count: u64,
    /// The sum of their durations, in nanoseconds.
    pub duration_ns: u64,
    /// Variables and their values.
    pub variables: Vec<(String, String)>,
    /// EXT-X-KEY, in order, METHOD=NONE left out.
    pub keys: Vec<KeyFacts>,
    /// EXT-X-MAP, in order.
    pub maps: Vec<MapFacts>,
    /// EXT-X-DATERANGE, in order.
    pub date_ranges: Vec<DateRangeFacts>,
    /// What the low-latency extension adds.
    #[serde(skip_serializing_if = "LowLatencyFacts::is_nothing")]
    pub low_latency: LowLatencyFacts,
}

/// The facts of a key line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct KeyFacts {
    /// METHOD.
    pub method: &'static str,
    /// URI: resolved for a file, as written for a DRM system.
    pub url: Option<String>,
    /// IV as 32 hexadecimal digits.
    pub iv: Option<String>,
    /// KEYFORMAT, `identity` when absent.
    pub format: String,
    /// KEYFORMATVERSIONS.
    pub format_versions: Option<String>,
}

/// The facts of a content key, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentKeyFacts {
    /// The key URI.
    pub url: String,
    /// What a license is asked for with.
    pub content_id: String,
    /// The content key.
    pub key: String,
    /// Its IV.
    pub iv: String,
    /// What the media calls it.
    pub key_id: String,
}

impl ContentKeyFacts {
    /// The facts of one key.
    #[must_use]
    pub fn of(it: &ContentKeyOf) -> Self {
        let hex = |bytes: &[u8; 16]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (url, content_id) = (it.uri.clone(), it.content_id.clone());
        let (key, iv, key_id) = (hex(&it.key.key.0), hex(&it.key.iv), hex(&it.key.key_id));
        Self { url, content_id, key, iv, key_id }
    }
}

/// The facts of a map line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MapFacts {
    /// URI, resolved.
    pub url: String,
    /// BYTERANGE.
    pub range: Option<Bytes>,
    /// The keys in effect where it stands, as indexes into [`MediaFacts::keys`].
    pub keys: Vec<usize>,
}

/// The facts of a date range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DateRangeFacts {
    /// ID.
    pub id: String,
    /// X-ASSET-URI or X-ASSET-LIST, resolved.
    pub asset: Option<String>,
}

/// The facts of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SegmentFacts {
    /// URI, resolved, without its fragment.
    pub url: String,
    /// EXTINF, in nanoseconds.
    pub duration_ns: u64,
    /// Its number.
    pub media_sequence: u64,
    /// EXT-X-BYTERANGE, resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Bytes>,
    /// EXT-X-DISCONTINUITY.
    #[serde(skip_serializing_if = "is_no")]
    pub discontinuity: bool,
    /// How many discontinuities came before, EXT-X-DISCONTINUITY-SEQUENCE included.
    #[serde(skip_serializing_if = "is_zero")]
    pub discontinuity_sequence: u64,
    /// EXT-X-GAP.
    #[serde(skip_serializing_if = "is_no")]
    pub gap: bool,
    /// The keys in effect, as indexes into [`MediaFacts::keys`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<usize>,
    /// The map in effect, as an index into [`MediaFacts::maps`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<usize>,
    /// EXT-X-BITRATE in effect, which says nothing of a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_no(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The facts of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceFacts {
    /// Its URL.
    pub url: String,
    /// Where it is on disk, relative to `tree.json`.
    pub file: String,
    /// Length in bytes.
    pub length: u64,
    /// BLAKE3 as 64 hexadecimal digits.
    pub blake3: String,
}

/// Measures what is written to it.
#[derive(Debug, Default)]
pub struct Measure {
    length: u64,
    hasher: blake3::Hasher,
}

impl Measure {
    /// The facts of the resource whose bytes these were.
    #[must_use]
    pub fn facts(&self, url: String, file: String) -> ResourceFacts {
        ResourceFacts { url, file, length: self.length, blake3: self.hasher.finalize().to_string() }
    }
}

impl Write for Measure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The facts of a tree's multivariant playlist.
#[must_use]
pub fn multivariant(tree: &Tree, hosts: &Hosts) -> Option<MultivariantFacts> {
    tree.multivariant.as_ref().map(|it| Facts { tree, hosts }.multivariant(it))
}

/// The facts of a media playlist of this tree, its [`segments`] apart.
#[must_use]
pub fn media(tree: &Tree, hosts: &Hosts, playlist: &MediaPlaylist) -> MediaFacts {
    Facts { tree, hosts }.media(playlist)
}

#[derive(Clone, Copy)]
struct Facts<'a> {
    tree: &'a Tree,
    hosts: &'a Hosts,
}

impl Facts<'_> {
    fn multivariant(self, it: &Multivariant) -> MultivariantFacts {
        MultivariantFacts {
            url: self.hosts.url(&it.location),
            variables: self.variables(&it.defines, &it.location),
            variants: it.variants.iter().map(|variant| self.variant(variant)).collect(),
            i_frame_variants: it.i_frame_variants.iter().map(|variant| self.variant(variant)).collect(),
            renditions: it.renditions.iter().map(|rendition| self.rendition(rendition)).collect(),
            session_keys: it.session_keys.iter().map(|key| self.key(key)).collect(),
            session_data: it.session_data.iter().map(|data| self.session_data(data)).collect(),
        }
    }

    fn variant(self, it: &Variant) -> VariantFacts {
        VariantFacts {
            url: self.url(&it.uri),
            bandwidth: it.bandwidth,
            average_bandwidth: it.average_bandwidth,
            codecs: it.codecs.clone(),
            resolution: it.resolution,
            groups: [it.audio.clone(), it.video.clone(), it.subtitles.clone()],
        }
    }

    fn rendition(self, it: &Rendition) -> RenditionFacts {
        RenditionFacts {
            kind: it.kind.as_str(),
            group: it.group.clone(),
            name: it.name.clone(),
            language: it.language.clone(),
            url: it.uri.as_ref().map(|uri| self.url(uri)),
            flags: [it.default, it.autoselect, it.forced],
        }
    }

    fn session_data(self, it: &crate::tree::SessionData) -> SessionDataFacts {
        let (value, url) = match &it.value {
            SessionValue::Text(text) => (Some(text.clone()), None),
            SessionValue::File(link) => (None, Some(self.url(link))),
        };
        SessionDataFacts { id: it.id.clone(), value, url, language: it.language.clone() }
    }

    fn media(self, it: &MediaPlaylist) -> MediaFacts {
        let tags = || it.segments.iter().flat_map(|segment| &segment.before).chain(&it.tail);
        MediaFacts {
            url: self.hosts.url(&it.location),
            media_sequence: it.media_sequence.unwrap_or(0),
            discontinuity_sequence: it.discontinuity_sequence.unwrap_or(0),
            target_duration: it.target_duration(),
            playlist_type: it.playlist_type.map(PlaylistType::as_str),
            end_list: it.end_list,
            i_frames_only: it.i_frames_only,
            segment_count: it.len(),
            duration_ns: nanoseconds(it.duration()),
            variables: self.variables(&it.defines, &it.location),
            keys: tags().filter_map(walk::stated_key).map(|key| self.key(key)).collect(),
            maps: self.maps(it),
            date_ranges: tags().filter_map(|tag| self.date_range(tag)).collect(),
            low_latency: self.low_latency(it),
        }
    }

    fn maps(self, it: &MediaPlaylist) -> Vec<MapFacts> {
        walk::maps(it)
            .map(|(map, keys)| MapFacts { url: self.url(&map.uri), range: map.range.map(bytes), keys })
            .collect()
    }

    fn date_range(self, tag: &Tag) -> Option<DateRangeFacts> {
        let Tag::DateRange(range) = tag else { return None };
        let asset = range.asset.as_ref().map(|asset| match asset {
            Asset::Uri(link) | Asset::List(link) => self.url(link),
        });
        Some(DateRangeFacts { id: range.id.clone(), asset })
    }

    fn key(self, key: &Key) -> KeyFacts {
        KeyFacts {
            method: key.method.as_str(),
            url: key.uri.as_ref().map(|uri| match uri {
                KeyUri::File(link) => self.url(link),
                KeyUri::Text(text) => text.clone(),
            }),
            iv: key.iv.map(|iv| crate::write::tags::hex(&iv)),
            format: key.format().to_owned(),
            format_versions: key.format_versions.clone(),
        }
    }

    fn url(self, link: &Link<impl Target>) -> String {
        link.to.location(self.tree).map(|to| self.hosts.url(to)).unwrap_or_default()
    }

    fn variables(self, defines: &[Define], location: &Location) -> Vec<(String, String)> {
        let known = self.tree.variables(defines, location);
        known.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

const fn bytes(range: Range) -> Bytes {
    (range.offset, range.length)
}

fn nanoseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
