//! Every value can be serialized.

use hls_parse::{
    Attribute, AttributeValue, ByteRange, ClientAttribute, ClientValue, ClosedCaptions, CodecFamily,
    ContentSteering, DateRange, DateTime, Decimal, Diagnostic, HintKind, Key, KeyMethod, KeySetId, Language,
    Map, MapId, MediaKind, Part, PlaylistType, PreloadHint, Rendition, RenditionReport, Resolution, Segment,
    ServerControl, SessionData, Skip, Span, Start, Uri, Variables, Variant,
};
use serde::Serialize;

use super::*;

fn serializes<T: Serialize>() {}

#[test]
fn every_value_can_be_serialized() {
    serializes::<(Parsed<'_>, Playlist<'_>, Multivariant<'_>, MediaPlaylist<'_>)>();
    serializes::<(
        Variant<'_>,
        Rendition<'_>,
        SessionData<'_>,
        ContentSteering<'_>,
        ClosedCaptions<'_>,
        MediaKind,
    )>();
    serializes::<(Segment<'_>, Map<'_>, MapId, Key<'_>, KeyMethod<'_>, KeySetId, PlaylistType)>();
    serializes::<(Part<'_>, PreloadHint<'_>, HintKind, RenditionReport<'_>, ServerControl, Skip<'_>)>();
    serializes::<(DateRange<'_>, ClientAttribute<'_>, ClientValue<'_>, DateTime, Start)>();
    serializes::<(ByteRange, Decimal, Resolution, Span, Uri<'_>, Variables, Language, CodecFamily)>();
    serializes::<(Diagnostic, Rule, Severity, Attribute<'_>, AttributeValue<'_>)>();
}

#[test]
fn numbers_and_times_are_serialized_without_loss() {
    let text = media_text(
        "#EXT-X-START:TIME-OFFSET=-0.1\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n\
         #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.678+01:00\n#EXTINF:9.009,\ns",
    );
    let json = serde_json::to_value(media(&text)).unwrap();
    assert_eq!(json["start"]["time_offset"], "-0.1");
    assert_eq!(json["segments"][0]["duration"], serde_json::json!({ "secs": 9, "nanos": 9_000_000 }));
    assert_eq!(json["segments"][0]["program_date_time"], "2026-01-02T03:04:05.678+01:00");
    assert_eq!(json["key_sets"][1][0]["method"], "AES-128");
    assert_eq!(json["key_sets"][1][0]["iv"][15], 1);
}
