//! D: structure.

use hls_parse::{
    ByteRange, ClosedCaptions, CodecFamily, Language, MediaKind, PlaylistType, Resolution, codec_families,
};

use super::*;

#[test]
fn row_43_a_playlist_says_which_kind_it_is() {
    let text = variant("BANDWIDTH=1");
    assert!(read(text.as_bytes(), Reading::Lenient).unwrap().playlist.as_media().is_none());
}

#[test]
fn row_44_a_media_playlist_is_read_where_a_menu_was_expected() {
    let parsed_text = segment("s.ts");
    let parsed = read(parsed_text.as_bytes(), Reading::Lenient).unwrap();
    assert!(parsed.playlist.as_multivariant().is_none() && parsed.playlist.as_media().is_some());
}

#[test]
fn row_45_a_live_playlist_has_no_end() {
    let text = segment("s.ts");
    check_clean(&text);
    assert!(!media(&text).end_list);
    let text = media_text("#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF:1,\ns.ts");
    check_clean(&text);
    assert_eq!((media(&text).playlist_type, media(&text).end_list), (Some(PlaylistType::Event), false));
}

#[test]
fn row_45_parts_and_hints_are_no_segments_and_a_delta_says_so() {
    let text = media_text(
        "#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=2\n#EXT-X-PART-INF:PART-TARGET=1\n\
         #EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXTINF:1,\ns\n\
         #EXT-X-PART:DURATION=0.5,URI=\"p\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"h\"",
    );
    check_clean(&text);
    let playlist = media(&text);
    assert_eq!((uris(&playlist), playlist.segments[0].media_sequence), (vec!["s"], 7));
    assert_eq!((playlist.parts.len(), playlist.preload_hints.len()), (1, 1));
    assert_eq!(playlist.skip.unwrap().segments, 2);
}

#[test]
fn row_46_a_gap_stays_in_place_and_counts() {
    let text = media_text("#EXTINF:1,\na\n#EXT-X-GAP\n#EXTINF:2,\nb\n#EXTINF:1,\nc");
    check_clean(&text);
    let playlist = media(&text);
    let facts: Vec<_> =
        playlist.segments.iter().map(|it| (it.gap, it.duration.as_secs(), it.media_sequence)).collect();
    assert_eq!(facts, [(false, 1, 0), (true, 2, 1), (false, 1, 2)]);
}

#[test]
fn row_47_a_resource_may_be_listed_again_whole_or_in_overlapping_ranges() {
    let text = media_text("#EXTINF:1,\na\n#EXTINF:1,\na");
    check_clean(&text);
    assert_eq!(uris(&media(&text)), ["a", "a"]);
    let range = |range: &str| format!("#EXT-X-BYTERANGE:{range}\n#EXTINF:1,\na\n");
    let text = media_text(&(range("10@0") + &range("10@5") + &range("10")));
    check_clean(&text);
    let ranges: Vec<_> = media(&text).segments.iter().map(|it| it.byte_range.unwrap()).collect();
    assert_eq!(ranges, [0, 5, 15].map(|offset| ByteRange { offset, length: 10 }));
}

#[test]
fn row_48_each_segment_has_the_map_before_it() {
    let text = media_text(
        "#EXT-X-MAP:URI=\"m\"\n#EXTINF:1,\na\n#EXT-X-MAP:URI=\"n\",BYTERANGE=\"5@0\"\n#EXTINF:1,\nb\n\
         #EXT-X-MAP:URI=\"n\",BYTERANGE=\"5@5\"\n#EXTINF:1,\nc\n#EXT-X-MAP:URI=\"m\"\n#EXTINF:1,\nd\n#EXT-X-MAP:URI=\"z\"",
    );
    check_clean(&text);
    let playlist = media(&text);
    let used = |segment| {
        let map = playlist.map_of(segment).unwrap();
        (map.uri.as_str(), map.byte_range.map(|it| it.offset))
    };
    let used: Vec<_> = playlist.segments.iter().map(used).collect();
    assert_eq!(used, [("m", None), ("n", Some(0)), ("n", Some(5)), ("m", None)]);
    assert!(playlist.segments.iter().all(|it| playlist.map_of(it).unwrap().uri.as_str() != "z"));
}

#[test]
fn row_49_a_map_is_encrypted_by_the_keys_before_it_and_needs_an_iv() {
    let text = media_text("#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"m\"\n#EXTINF:1,\ns");
    check_odd(&text, &[Rule::MapIv]);
    let text = media_text("#EXT-X-MAP:URI=\"m\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:1,\ns");
    check_clean(&text);
    let playlist = media(&text);
    assert!(playlist.key_set(playlist.maps[0].keys).is_empty());
    assert_eq!(playlist.keys_of(&playlist.segments[0]).len(), 1);
}

#[test]
fn row_50_i_frames_are_told_apart() {
    let text = media_text("#EXT-X-I-FRAMES-ONLY\n#EXT-X-BYTERANGE:9@4\n#EXTINF:1,\ns");
    check_clean(&text);
    let playlist = media(&text);
    assert!(playlist.i_frames_only && playlist.segments[0].byte_range.is_some());
    let text = menu_text("#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i.m3u8\"");
    check_clean(&text);
    let playlist = multivariant(&text);
    assert_eq!((playlist.variants.len(), playlist.i_frame_variants.len()), (0, 1));
}

#[test]
fn row_51_variants_may_share_a_media_playlist() {
    let text = menu_text(
        "#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://b/v",
    );
    check_clean(&text);
    let playlist = multivariant(&text);
    let uris: Vec<_> = playlist.variants.iter().map(|it| it.uri.as_str()).collect();
    assert_eq!(uris, ["v", "v", "http://b/v"]);
}

#[test]
fn row_52_renditions_without_a_uri_are_inside_the_variant() {
    let text = menu_text(
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\"\n\
         #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"c\",NAME=\"n\",INSTREAM-ID=\"CC1\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\",CLOSED-CAPTIONS=\"c\"\nv\n\
         #EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO=\"a\",CLOSED-CAPTIONS=NONE\nw",
    );
    check_odd(&text, &[Rule::CaptionsNone]);
    let playlist = multivariant(&text);
    assert!(playlist.renditions.iter().all(|it| it.uri.is_none()));
    assert_eq!(playlist.renditions[1].instream_id.as_deref(), Some("CC1"));
    let captions: Vec<_> = playlist.variants.iter().map(|it| it.closed_captions.clone().unwrap()).collect();
    assert_eq!(captions, [ClosedCaptions::Group("c".into()), ClosedCaptions::None]);
    let text = menu_text(
        "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"n\"\n#EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES=\"s\"\nv",
    );
    check_odd(&text, &[Rule::RenditionUri]);
}

#[test]
fn row_53_renditions_that_clash_stay_and_missing_groups_are_odd() {
    let rendition =
        |group: &str| format!("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{group}\",NAME=\"n\",URI=\"u\"\n");
    let stream = "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv";
    let text = menu_text(&(rendition("a") + &rendition("a") + stream));
    check_odd(&text, &[Rule::RenditionName]);
    assert_eq!(multivariant(&text).renditions.len(), 2);
    check_clean(&menu_text(&(rendition("a") + &rendition("b") + stream)));
    let text = menu_text(&(rendition("x") + stream));
    check_odd(&text, &[Rule::MissingGroup]);
    assert_eq!(multivariant(&text).variants.len(), 1);
    let text = menu_text(&(rendition("a") + "#EXT-X-STREAM-INF:BANDWIDTH=1\nv"));
    check_clean(&text);
    assert_eq!(multivariant(&text).variants[0].audio, None);
}

#[test]
fn row_54_sound_alone_and_text_alone_are_playlists() {
    let text = variant("BANDWIDTH=1,CODECS=\"mp4a.40.2\"");
    check_clean(&text);
    let playlist = multivariant(&text);
    let codecs = playlist.variants[0].codecs.as_deref().unwrap();
    assert!(codec_families(codecs).all(|(_, family)| family.is_audio()));
    assert_eq!(playlist.variants[0].resolution, None);
    check_clean(&segment("s.vtt"));
    let text = media_text("#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:1,\ns.m4s");
    check_clean(&text);
}

#[test]
fn row_55_a_bandwidth_is_exact_unknown_or_refused() {
    let bandwidth = |text: &str| multivariant(text).variants[0].bandwidth;
    for (list, rules, expected) in [
        ("BANDWIDTH=2147483648", &[][..], Some(1 << 31)),
        ("BANDWIDTH=18446744073709551615", &[], Some(u64::MAX)),
        ("BANDWIDTH=0", &[], Some(0)),
        ("CODECS=\"avc1\"", &[Rule::NoBandwidth], None),
        ("BANDWIDTH=-1", &[Rule::AttributeValue], None),
        ("BANDWIDTH=1,AVERAGE-BANDWIDTH=2", &[Rule::AverageAbovePeak], Some(1)),
    ] {
        check_odd(variant(list), rules);
        assert_eq!(bandwidth(&variant(list)), expected, "{list}");
    }
    check_refused(variant("BANDWIDTH=18446744073709551616"), Rule::NumberTooLarge);
}

#[test]
fn row_56_a_resolution_is_two_sizes_or_unknown() {
    let size = |width, height| Some(Resolution { width, height });
    for (written, rules, expected) in [
        ("1920x1080", &[][..], size(1920, 1080)),
        ("2147483648x2147483648", &[], size(1 << 31, 1 << 31)),
        ("0x0", &[Rule::Resolution], None),
        ("1920", &[Rule::Resolution], None),
        ("1920X1080", &[Rule::Resolution], size(1920, 1080)),
    ] {
        let text = variant(&format!("BANDWIDTH=1,RESOLUTION={written}"));
        check_odd(&text, rules);
        assert_eq!(multivariant(&text).variants[0].resolution, expected, "{written}");
    }
    assert_eq!(multivariant(&variant("BANDWIDTH=1")).variants[0].resolution, None);
}

#[test]
fn row_57_codecs_are_words_known_or_not() {
    use CodecFamily::{Aac, Av1, Avc, DolbyVision, Unknown, Vp9};
    let families = |text: &str| {
        let playlist = multivariant(text);
        let codecs = playlist.variants[0].codecs.clone()?;
        Some(codec_families(&codecs).map(|(_, family)| family).collect::<Vec<_>>())
    };
    for (codecs, expected) in [
        ("vp09.00,av01.0,dvh1.05", &[Vp9, Av1, DolbyVision][..]),
        ("mp4a.40.2 , avc1", &[Aac, Avc]),
        ("avc1,avc1", &[Avc, Avc]),
        ("what", &[Unknown]),
    ] {
        let text = variant(&format!("BANDWIDTH=1,CODECS=\"{codecs}\""));
        check_clean(&text);
        assert_eq!(families(&text).as_deref(), Some(expected), "{codecs}");
    }
    assert_eq!(families(&variant("BANDWIDTH=1")), None);
}

#[test]
fn row_58_languages_compare_as_users_mean_them() {
    let rendition = |name: &str, more: &str| {
        format!("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"{name}\",URI=\"u\"{more}\n")
    };
    let tags = ["eng", "en", "en-US", "ENG", "und", ""];
    let lines: Vec<String> =
        tags.iter().map(|it| rendition(&format!("n{it}"), &format!(",LANGUAGE=\"{it}\""))).collect();
    let stream = "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv";
    let text = menu_text(&(lines.concat() + &rendition("none", "") + stream));
    check_clean(&text);
    let playlist = multivariant(&text);
    let asked = Language::parse("en").unwrap();
    let meant = |it: &hls_parse::Rendition<'_>| {
        it.kind == MediaKind::Audio
            && it.language.as_deref().and_then(Language::parse).is_some_and(|it| it.matches(&asked))
    };
    let meant: Vec<bool> = playlist.renditions.iter().map(meant).collect();
    assert_eq!(meant, [true, true, true, true, false, false, false]);
}
