//! Multivariant playlists.

use super::*;
use crate::multivariant::{ClosedCaptions, MediaKind};
use crate::value::Resolution;

/// One variant with these attributes beside BANDWIDTH.
fn one(attributes: &str) -> String {
    format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800{attributes}\nv.m3u8\n#EXT-X-VERSION:12\n")
}

#[test]
fn every_attribute_of_a_variant_is_read() {
    let text = one(
        ",AVERAGE-BANDWIDTH=700,CODECS=\"avc1.4d401e,mp4a.40.2\",SUPPLEMENTAL-CODECS=\"dvh1.08.07/db4h\",RESOLUTION=640x360,\
        FRAME-RATE=29.970,SCORE=1.5,HDCP-LEVEL=TYPE-0,ALLOWED-CPC=\"com.example:A\",VIDEO-RANGE=SDR,REQ-VIDEO-LAYOUT=\"CH-STEREO\",\
        STABLE-VARIANT-ID=\"s\",PATHWAY-ID=\"p\",CLOSED-CAPTIONS=NONE,NAME=\"low\",X-OTHER=1",
    );
    check_clean(&text);
    let playlist = multivariant(&text);
    let variant = &playlist.variants[0];
    assert_eq!((variant.bandwidth, variant.average_bandwidth), (Some(800), Some(700)));
    assert_eq!(variant.resolution, Some(Resolution { width: 640, height: 360 }));
    assert_eq!(variant.frame_rate.map(|it| it.to_string()).as_deref(), Some("29.97"));
    assert_eq!(variant.closed_captions, Some(ClosedCaptions::None));
    let texts = [
        &variant.codecs,
        &variant.supplemental_codecs,
        &variant.hdcp_level,
        &variant.allowed_cpc,
        &variant.video_range,
        &variant.req_video_layout,
        &variant.stable_variant_id,
        &variant.pathway_id,
        &variant.name,
    ];
    let expected = [
        "avc1.4d401e,mp4a.40.2",
        "dvh1.08.07/db4h",
        "TYPE-0",
        "com.example:A",
        "SDR",
        "CH-STEREO",
        "s",
        "p",
        "low",
    ];
    assert_eq!(texts.map(|it| it.as_deref().unwrap()), expected);
    assert_eq!((variant.tag_line, variant.uri_line, &*variant.uri.text), (2, 3, "v.m3u8"));
    assert!(variant.tag.of(text.as_bytes()).ends_with(b"X-OTHER=1"));
}

#[test]
fn every_attribute_of_a_rendition_is_read() {
    let text = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",URI=\"u\",LANGUAGE=\"fr-CA\",ASSOC-LANGUAGE=\"en\",DEFAULT=YES,\
        AUTOSELECT=YES,CHARACTERISTICS=\"public.accessibility.describes-video\",CHANNELS=\"16/JOC\",STABLE-RENDITION-ID=\"s\",BIT-DEPTH=24,\
        SAMPLE-RATE=48000\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"c\",NAME=\"n\",INSTREAM-ID=\"CC1\"\n\
        #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"n\",URI=\"t\",FORCED=YES\n";
    check_clean(text);
    let playlist = multivariant(text);
    let [audio, captions, subtitles] = &playlist.renditions[..] else { panic!("three renditions") };
    assert!(audio.default && audio.autoselect && !audio.forced && subtitles.forced);
    assert_eq!(
        (audio.kind, captions.kind, subtitles.kind),
        (MediaKind::Audio, MediaKind::ClosedCaptions, MediaKind::Subtitles)
    );
    assert_eq!((audio.language.as_deref(), audio.assoc_language.as_deref()), (Some("fr-CA"), Some("en")));
    assert_eq!(
        (audio.bit_depth, audio.sample_rate, audio.channels.as_deref()),
        (Some(24), Some(48000), Some("16/JOC"))
    );
    assert_eq!((captions.instream_id.as_deref(), captions.uri.is_none()), (Some("CC1"), true));
    assert_eq!((audio.tag_line, subtitles.tag_line), (2, 4));
}

#[test]
fn other_tags_are_read() {
    let text = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-START:TIME-OFFSET=0\n\
        #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i.m3u8\",RESOLUTION=2x1\n\
        #EXT-X-SESSION-DATA:DATA-ID=\"t\",VALUE=\"v\",LANGUAGE=\"en\"\n#EXT-X-SESSION-DATA:DATA-ID=\"u\",URI=\"d.json\",FORMAT=RAW\n\
        #EXT-X-CONTENT-STEERING:SERVER-URI=\"/s\",PATHWAY-ID=\"A\"\n";
    check_clean(text);
    let playlist = multivariant(text);
    assert_eq!(
        (playlist.version, playlist.independent_segments, playlist.start.is_some()),
        (Some(6), true, true)
    );
    assert_eq!(&*playlist.i_frame_variants[0].uri.text, "i.m3u8");
    let data: Vec<_> =
        playlist.session_data.iter().map(|it| (it.value.as_deref(), it.format.as_deref())).collect();
    assert_eq!(data, [(Some("v"), None), (None, Some("RAW"))]);
    assert_eq!(playlist.content_steering.map(|it| it.server_uri.text.into_owned()).as_deref(), Some("/s"));
}

#[test]
fn a_stream_inf_without_its_uri_line_is_no_variant() {
    let stream = "#EXT-X-STREAM-INF:BANDWIDTH=1\n";
    check_odd(&format!("#EXTM3U\n{stream}"), 2, Rule::NoVariantUri);
    check_odd(&format!("#EXTM3U\n{stream}{stream}a.m3u8"), 2, Rule::NoVariantUri);
    assert_eq!(multivariant(&format!("#EXTM3U\n{stream}{stream}a.m3u8")).variants.len(), 1);
    let text = format!("#EXTM3U\n{stream}#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\"\na.m3u8");
    assert_eq!(verdicts(&text).0, "2:no-variant-uri 4:stray-uri");
    assert!(multivariant(&text).variants.is_empty());
}

#[test]
fn comments_blanks_and_unknown_tags_may_stand_before_the_uri_line() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n# comment\n\n#EXT-X-UNKNOWN:1\na.m3u8\n";
    check_clean(text);
    assert_eq!(multivariant(text).variants[0].uri_line, 6);
}

#[test]
fn bandwidths_are_exact_or_absent_or_refused() {
    let bandwidth = |list: &str| format!("#EXTM3U\n#EXT-X-STREAM-INF:{list}\nv.m3u8\n");
    check_odd(&bandwidth("CODECS=\"avc1\""), 2, Rule::NoBandwidth);
    for (written, read) in [("0", 0), ("2147483648", 1 << 31), ("18446744073709551615", u64::MAX)] {
        let text = bandwidth(&format!("BANDWIDTH={written}"));
        check_clean(&text);
        assert_eq!(multivariant(&text).variants[0].bandwidth, Some(read));
    }
    check_refused(&bandwidth("BANDWIDTH=18446744073709551616"), Rule::NumberTooLarge);
    check_odd(&bandwidth("BANDWIDTH=-1"), 2, Rule::AttributeValue);
    check_odd(&bandwidth("BANDWIDTH=800.5"), 2, Rule::AttributeValue);
    check_odd(&bandwidth("BANDWIDTH=1,AVERAGE-BANDWIDTH=2"), 2, Rule::AverageAbovePeak);
}

#[test]
fn a_resolution_is_a_size_or_unknown() {
    let resolution = |text: &str| multivariant(text).variants[0].resolution;
    for wrong in ["0x0", "1920", "1920x", "axb", "0x1080"] {
        let text = one(&format!(",RESOLUTION={wrong}"));
        check_odd(&text, 2, Rule::Resolution);
        assert_eq!(resolution(&text), None);
    }
    let text = one(",RESOLUTION=1920X1080");
    check_odd(&text, 2, Rule::Resolution);
    assert_eq!(resolution(&text), Some(Resolution { width: 1920, height: 1080 }));
    assert_eq!(resolution(&one(",RESOLUTION=2147483648x2147483648")).map(|it| it.width), Some(1 << 31));
    assert_eq!(resolution(&one("")), None);
}

#[test]
fn keywords_in_lower_case_are_read_and_odd() {
    let text = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",DEFAULT=yes,AUTOSELECT=YES\n";
    check_odd(text, 2, Rule::AttributeValue);
    assert!(multivariant(text).renditions[0].default);
}

#[test]
fn renditions_that_contradict_themselves_are_odd() {
    let rendition = |list: &str| format!("#EXTM3U\n#EXT-X-MEDIA:GROUP-ID=\"g\",NAME=\"n\",{list}\n");
    check_odd(&rendition("TYPE=SUBTITLES"), 2, Rule::RenditionUri);
    check_odd(&rendition("TYPE=CLOSED-CAPTIONS,INSTREAM-ID=\"CC1\",URI=\"x\""), 2, Rule::RenditionUri);
    check_odd(&rendition("TYPE=CLOSED-CAPTIONS"), 2, Rule::InstreamId);
    check_odd(&rendition("TYPE=AUDIO,DEFAULT=YES,AUTOSELECT=NO"), 2, Rule::DefaultNotAutoselect);
    check_odd(&rendition("TYPE=AUDIO,FORCED=YES"), 2, Rule::ForcedNotSubtitles);
    check_odd(&rendition("TYPE=SMELL"), 2, Rule::RenditionType);
    check_odd("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\"\n", 2, Rule::MissingAttribute);
    check_clean(&rendition("TYPE=AUDIO"));
}

#[test]
fn a_group_without_renditions_and_a_name_twice_in_a_group_are_odd() {
    check_odd(&one(",AUDIO=\"x\""), 2, Rule::MissingGroup);
    check_odd(&one(",CLOSED-CAPTIONS=\"x\""), 2, Rule::MissingGroup);
    let rendition = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\"\n";
    check_odd(&format!("#EXTM3U\n{rendition}{rendition}"), 3, Rule::RenditionName);
    check_clean(&format!("{}{rendition}", one(",AUDIO=\"g\"")));
}

#[test]
fn session_data_has_a_value_or_a_uri() {
    check_odd("#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID=\"d\"\n", 2, Rule::SessionData);
    check_odd("#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID=\"d\",VALUE=\"v\",URI=\"u\"\n", 2, Rule::SessionData);
}

#[test]
fn a_menu_without_variants_is_multivariant_and_anything_with_media_tags_is_not() {
    assert!(multivariant("#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"").variants.is_empty());
    assert!(
        media("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-SESSION-DATA:DATA-ID=\"d\",VALUE=\"v\"")
            .segments
            .is_empty()
    );
    check_odd(&format!("{}#EXT-X-ENDLIST\n", one("")), 5, Rule::Misplaced);
}

#[test]
fn values_are_serialized_with_their_spans() {
    let text = one("");
    let json = serde_json::to_value(parsed(&text, Reading::Lenient).unwrap()).unwrap();
    let variant = &json["playlist"]["multivariant"]["variants"][0];
    assert_eq!(variant["uri"], serde_json::json!({ "text": "v.m3u8", "span": { "start": 40, "end": 46 } }));
    assert_eq!(variant["bandwidth"], 800);
}
