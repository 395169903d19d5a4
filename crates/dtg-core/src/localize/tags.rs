//! What becomes of tags that are treated alike wherever they stand.

use hls_parse::{Attribute, Line, LineKind};

use super::attributes::{self, Change};
use crate::plan::DropReason;

/// The rule for a tag.
pub(super) enum Common {
    /// It says nothing that leads elsewhere.
    Keep,
    /// It goes.
    Drop(DropReason),
    /// Some of its attributes may have to go.
    Attributes,
    /// EXT-X-DEFINE.
    Define,
    /// It is not known: it goes if it has a URL.
    Unknown,
}

/// The rule for a tag that is not special to its kind of playlist.
pub(super) fn common(tag: &str) -> Common {
    match tag {
        "EXTM3U"
        | "EXTINF"
        | "EXT-X-VERSION"
        | "EXT-X-INDEPENDENT-SEGMENTS"
        | "EXT-X-TARGETDURATION"
        | "EXT-X-MEDIA-SEQUENCE"
        | "EXT-X-DISCONTINUITY-SEQUENCE"
        | "EXT-X-DISCONTINUITY"
        | "EXT-X-ENDLIST"
        | "EXT-X-PLAYLIST-TYPE"
        | "EXT-X-I-FRAMES-ONLY"
        | "EXT-X-BYTERANGE"
        | "EXT-X-PROGRAM-DATE-TIME"
        | "EXT-X-GAP"
        | "EXT-X-BITRATE"
        | "EXT-X-PART-INF"
        | "EXT-X-ALLOW-CACHE" => Common::Keep,
        "EXT-X-PART"
        | "EXT-X-PRELOAD-HINT"
        | "EXT-X-RENDITION-REPORT"
        | "EXT-X-SERVER-CONTROL"
        | "EXT-X-SKIP" => Common::Drop(DropReason::LiveOnly),
        "EXT-X-CONTENT-STEERING" => Common::Drop(DropReason::Online),
        // What belongs into the other kind of playlist.
        "EXT-X-STREAM-INF"
        | "EXT-X-I-FRAME-STREAM-INF"
        | "EXT-X-MEDIA"
        | "EXT-X-SESSION-KEY"
        | "EXT-X-SESSION-DATA"
        | "EXT-X-KEY"
        | "EXT-X-MAP" => Common::Drop(DropReason::Misplaced),
        "EXT-X-DATERANGE" | "EXT-X-START" => Common::Attributes,
        "EXT-X-DEFINE" => Common::Define,
        _ => Common::Unknown,
    }
}

/// Attributes whose text may look like a URL and is never fetched.
const NAMES: [&str; 10] =
    ["NAME", "VALUE", "ID", "CLASS", "DATA-ID", "GROUP-ID", "AUDIO", "VIDEO", "SUBTITLES", "KEYFORMAT"];

/// Removes attributes that would send a player online: interstitial assets, and any other absolute URL.
pub(super) fn offline_attribute(attribute: &Attribute<'_>) -> Change {
    let asset = matches!(attribute.name, "X-ASSET-URI" | "X-ASSET-LIST");
    let named = NAMES.contains(&attribute.name) || attribute.name == "URI";
    if asset || (!named && has_url(attribute.value.text().as_bytes())) {
        Change::Remove(DropReason::Online)
    } else {
        Change::Keep
    }
}

/// Whether an unknown tag has a URI attribute, or a URL anywhere.
pub(super) fn leads_online(line: &Line<'_>) -> bool {
    let LineKind::Tag { value: Some((value, _)), .. } = &line.kind else { return false };
    let drm = attributes::value(line, "URI").is_some_and(|uri| starts_with_skd(uri.as_bytes()));
    has_url(value) || (!drm && attributes::find(line, "URI").is_some())
}

/// Whether there is an absolute URL that a player might fetch; `skd:` is a DRM's own.
fn has_url(text: &[u8]) -> bool {
    let relative = text.starts_with(b"//") || text.windows(3).any(|it| it == b"\"//");
    let mut ends = text.windows(3).enumerate().filter(|(_, it)| *it == b"://").map(|(at, _)| at);
    relative || ends.any(|end| !text.get(..end).unwrap_or_default().to_ascii_lowercase().ends_with(b"skd"))
}

fn starts_with_skd(uri: &[u8]) -> bool {
    uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"skd:"))
}
