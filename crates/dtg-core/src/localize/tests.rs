//! The closed list of edits, and that nothing else changes.

use crate::options::{BitRate, Languages, SelectionOptions, Variants};
use crate::plan::tests::{alone, together};
use crate::plan::{Dropped, Planned};

fn text_of(planned: &Planned, path: &str) -> String {
    let found = planned.local.iter().find(|local| local.path == path).unwrap();
    String::from_utf8(found.text.clone()).unwrap()
}

fn said(dropped: &[Dropped]) -> Vec<String> {
    dropped.iter().map(|it| format!("{} {}: {}", it.line, it.what, it.reason)).collect()
}

/// What stands between TARGETDURATION and ENDLIST of a local media playlist, and what was dropped.
#[track_caller]
fn check(lines: &str, expected: &str, dropped: &[&str]) {
    let (planned, _) = alone(lines).unwrap();
    let path = planned.plan.master_file();
    let head = "#EXTM3U\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-TARGETDURATION:10\n";
    assert_eq!(text_of(&planned, path.as_str()), format!("{head}{expected}\n#EXT-X-ENDLIST\n"));
    assert_eq!(said(&planned.dropped), dropped);
}

#[test]
fn every_other_byte_of_a_media_playlist_is_kept() {
    check(
        "#EXT-X-MEDIA-SEQUENCE:2680\n# a comment with https://x/y\n#EXTINF:4.00000,Title, with comma \t\na/b.ts\n\n\
         #EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n#EXT-X-FOO:BAR=1\n#EXTINF:4,\nb.ts",
        "#EXT-X-MEDIA-SEQUENCE:2680\n# a comment with https://x/y\n#EXTINF:4.00000,Title, with comma \t\n0/000000.ts\n\n\
         #EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n#EXT-X-FOO:BAR=1\n#EXTINF:4,\n0/000001.ts",
        &[],
    );
}

#[test]
fn a_segment_that_is_listed_twice_has_two_lines_to_one_file() {
    check("#EXTINF:4,\ns.ts\n#EXTINF:4,\n./s.ts", "#EXTINF:4,\n0/000000.ts\n#EXTINF:4,\n0/000000.ts", &[]);
}

#[test]
fn byte_ranges_stay_as_they_are() {
    check(
        "#EXT-X-MAP:URI=\"f.mp4\",BYTERANGE=\"100@0\"\n#EXTINF:4,\n#EXT-X-BYTERANGE:50@100\nf.mp4",
        "#EXT-X-MAP:URI=\"0/000000.mp4\",BYTERANGE=\"100@0\"\n#EXTINF:4,\n#EXT-X-BYTERANGE:50@100\n0/000000.mp4",
        &[],
    );
}

#[test]
fn every_map_line_has_its_own_file_and_one_that_nothing_needs_is_dropped() {
    check(
        "#EXT-X-MAP:URI=\"a.mp4\"\n#EXTINF:4,\n1.m4s\n#EXT-X-MAP:URI=\"b.mp4\"\n#EXTINF:4,\n2.m4s\n\
         #EXT-X-MAP:URI=\"a.mp4\"\n#EXTINF:4,\n3.m4s\n#EXT-X-MAP:URI=\"unused.mp4\"",
        "#EXT-X-MAP:URI=\"0/map-0.mp4\"\n#EXTINF:4,\n0/000000.m4s\n#EXT-X-MAP:URI=\"0/map-1.mp4\"\n#EXTINF:4,\n0/000001.m4s\n\
         #EXT-X-MAP:URI=\"0/map-0.mp4\"\n#EXTINF:4,\n0/000002.m4s",
        &["12 EXT-X-MAP: no segment needs it"],
    );
}

#[test]
fn a_uri_that_is_written_twice_is_local_twice_and_the_last_one_is_fetched() {
    check(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"a\",IV=0x1,URI=\"b\"\n#EXT-X-MAP:URI=\"a.mp4\",URI=\"b.mp4\"\n#EXTINF:4,\n1.m4s",
        "#EXT-X-KEY:METHOD=AES-128,URI=\"../key/000.key\",IV=0x1,URI=\"../key/000.key\"\n\
         #EXT-X-MAP:URI=\"0/map-0.mp4\",URI=\"0/map-0.mp4\"\n#EXTINF:4,\n0/000000.m4s",
        &[],
    );
}

#[test]
fn a_uri_that_is_no_segments_goes_with_what_is_said_about_it() {
    check(
        "#EXT-X-BYTERANGE:5@9\n#EXT-X-GAP\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\nstray.ts\n#EXTINF:4,\n1.ts",
        "#EXTINF:4,\n0/000000.ts",
        &[
            "3 EXT-X-BYTERANGE: not allowed there",
            "4 EXT-X-GAP: not allowed there",
            "5 EXT-X-PROGRAM-DATE-TIME: not allowed there",
            "6 URI: not allowed there",
        ],
    );
}

#[test]
fn an_attribute_without_value_hides_none_of_those_behind_it() {
    check(
        "#EXT-X-KEY:METHOD=AES-128,FOO,URI=\"k\"\n#EXT-X-DATERANGE:ID=\"a\",FOO,X-ASSET-URI=\"https://ads.test/a\"\n#EXTINF:4,\n1.ts",
        "#EXT-X-KEY:METHOD=AES-128,FOO,URI=\"../key/000.key\"\n#EXT-X-DATERANGE:ID=\"a\",FOO\n#EXTINF:4,\n0/000000.ts",
        &["4 EXT-X-DATERANGE X-ASSET-URI: it would send a player online"],
    );
}

#[test]
fn a_key_is_a_drm_systems_by_what_its_variables_stand_for() {
    check(
        "#EXT-X-DEFINE:NAME=\"i\",VALUE=\"identity\"\n#EXT-X-DEFINE:NAME=\"s\",VALUE=\"skd\"\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k\",KEYFORMAT=\"{$i}\"\n#EXTINF:4,\n1.ts\n\
         #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"{$s}://k\"\n#EXTINF:4,\n2.ts",
        "#EXT-X-DEFINE:NAME=\"i\",VALUE=\"identity\"\n#EXT-X-DEFINE:NAME=\"s\",VALUE=\"skd\"\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"../key/000.key\",KEYFORMAT=\"{$i}\"\n#EXTINF:4,\n0/000000.ts\n\
         #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"{$s}://k\"\n#EXTINF:4,\n0/000001.ts",
        &[],
    );
}

#[test]
fn every_key_line_is_local_and_its_other_attributes_stay() {
    check(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k,1\",IV=0x0f\n#EXTINF:4,\n1.ts\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\n2.ts\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k,1\",IV=0x0f\n#EXTINF:4,\n3.ts",
        "#EXT-X-KEY:METHOD=AES-128,URI=\"../key/000.key\",IV=0x0f\n#EXTINF:4,\n0/000000.ts\n#EXT-X-KEY:METHOD=NONE\n\
         #EXTINF:4,\n0/000001.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"../key/000.key\",IV=0x0f\n#EXTINF:4,\n0/000002.ts",
        &[],
    );
}

#[test]
fn a_key_that_no_player_could_use_beside_a_drms_still_ends_the_key_before_it() {
    let drm = "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:,x\",KEYFORMAT=\"com.microsoft.playready\"";
    for written in ["\"https://k.test/f\"", "https://k.test/f"] {
        check(
            &format!(
                "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\n1.ts\n{drm}\n#EXT-X-KEY:METHOD=FOO,URI={written}\n\
                 #EXTINF:4,\n2.ts"
            ),
            &format!(
                "#EXT-X-KEY:METHOD=AES-128,URI=\"../key/000.key\"\n#EXTINF:4,\n0/000000.ts\n{drm}\n\
                 #EXT-X-KEY:METHOD=FOO,URI=\"data:,\"\n#EXTINF:4,\n0/000001.ts"
            ),
            &[],
        );
    }
}

#[test]
fn a_line_that_ends_encryption_ends_it_whatever_else_it_says() {
    check(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\n1.ts\n#EXT-X-KEY:METHOD=NONE,URI=\"k2\",IV=0x1\n#EXTINF:4,\n2.ts",
        "#EXT-X-KEY:METHOD=AES-128,URI=\"../key/000.key\"\n#EXTINF:4,\n0/000000.ts\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\n0/000001.ts",
        &["6 EXT-X-KEY URI: no segment needs it", "6 EXT-X-KEY IV: no segment needs it"],
    );
}

#[test]
fn the_same_key_line_twice_in_a_row_is_local_twice() {
    check(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\n1.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\n2.ts",
        "#EXT-X-KEY:METHOD=AES-128,URI=\"../key/000.key\"\n#EXTINF:4,\n0/000000.ts\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"../key/000.key\"\n#EXTINF:4,\n0/000001.ts",
        &[],
    );
}

#[test]
fn drm_lines_are_kept_unchanged_and_in_order() {
    let drm = "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://a b?c=1,d&e\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n\
               #EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=\"data:text/plain;base64,AA==\",KEYFORMAT=\"urn:uuid:edef8ba9\"\n\
               #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"https://drm.test/x\",KEYFORMAT=\"com.microsoft.playready\"\n";
    check(&format!("{drm}#EXTINF:4,\n1.ts"), &format!("{drm}#EXTINF:4,\n0/000000.ts"), &[]);
}

#[test]
fn a_gap_keeps_its_lines_with_a_name_that_no_file_has() {
    check(
        "#EXTINF:4,\n1.ts\n#EXT-X-GAP\n#EXTINF:4,\nhttps://h/missing.ts\n#EXTINF:4,\n3.ts",
        "#EXTINF:4,\n0/000000.ts\n#EXT-X-GAP\n#EXTINF:4,\n0/000002.ts\n#EXTINF:4,\n0/000001.ts",
        &[],
    );
}

#[test]
fn a_key_and_a_map_that_only_gaps_need_go() {
    check(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n#EXT-X-MAP:URI=\"m.mp4\"\n#EXT-X-GAP\n#EXTINF:4,\n1.m4s\n\
         #EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI=\"n.mp4\"\n#EXTINF:4,\n2.m4s",
        "#EXT-X-GAP\n#EXTINF:4,\n0/000001.m4s\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI=\"0/map-0.mp4\"\n\
         #EXTINF:4,\n0/000000.m4s",
        &["3 EXT-X-KEY: no segment needs it", "4 EXT-X-MAP: no segment needs it"],
    );
}

#[test]
fn a_media_sequence_that_did_not_count_behind_a_part_does_not_count_without_it() {
    check(
        "#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-PART:DURATION=1,URI=\"p.ts\"\n#EXT-X-MEDIA-SEQUENCE:9\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\n1.ts",
        "#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-KEY:METHOD=AES-128,URI=\"../key/000.key\"\n#EXTINF:4,\n0/000000.ts",
        &["4 EXT-X-PART: it belongs to live playback", "5 EXT-X-MEDIA-SEQUENCE: not allowed there"],
    );
}

#[test]
fn what_would_send_a_player_online_is_dropped_and_said() {
    check(
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n#EXT-X-PART:DURATION=1,URI=\"p.ts\"\n#EXTINF:4,\n1.ts\n\
         #EXT-X-DATERANGE:ID=\"a\",CLASS=\"c\",X-ASSET-URI=\"ad.m3u8\",START-DATE=\"2026-01-01T00:00:00Z\",X-AD=\"http://a/b\"\n\
         #EXT-X-ADS:URI=\"ads.json\"\n#EXT-X-TRACK:https://t/\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"q.ts\"\n\
         #EXT-X-RENDITION-REPORT:URI=\"../o.m3u8\"",
        "#EXTINF:4,\n0/000000.ts\n#EXT-X-DATERANGE:ID=\"a\",CLASS=\"c\",START-DATE=\"2026-01-01T00:00:00Z\"",
        &[
            "3 EXT-X-SERVER-CONTROL: it belongs to live playback",
            "4 EXT-X-PART: it belongs to live playback",
            "7 EXT-X-DATERANGE X-ASSET-URI: it would send a player online",
            "7 EXT-X-DATERANGE X-AD: it would send a player online",
            "8 EXT-X-ADS: it would send a player online",
            "9 EXT-X-TRACK: it would send a player online",
            "10 EXT-X-PRELOAD-HINT: it belongs to live playback",
            "11 EXT-X-RENDITION-REPORT: it belongs to live playback",
        ],
    );
}

#[test]
fn definitions_that_cannot_work_locally_are_written_out() {
    check(
        "#EXT-X-DEFINE:NAME=\"n\",VALUE=\"v\"\n#EXT-X-DEFINE:QUERYPARAM=\"token\"\n#EXTINF:4,\n{$n}.ts?t={$token}",
        "#EXT-X-DEFINE:NAME=\"n\",VALUE=\"v\"\n#EXT-X-DEFINE:NAME=\"token\",VALUE=\"secret\"\n#EXTINF:4,\n0/000000.ts",
        &[],
    );
}

#[test]
fn line_ends_are_kept_and_the_byte_order_mark_is_not() {
    let (planned, _) = alone("#EXTINF:4,\r\na.ts\r").unwrap();
    assert!(text_of(&planned, "video/0.m3u8").contains("#EXTINF:4,\r\n0/000000.ts\r\n#EXT-X-ENDLIST"));
    let text = "\u{feff}#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=300000\nv.m3u8\n";
    let (planned, _, _) = together(text, &[MEDIA], &SelectionOptions::default()).unwrap();
    assert!(text_of(&planned, "master.m3u8").starts_with("#EXTM3U"));
}

#[test]
fn an_event_playlist_that_has_ended_becomes_vod() {
    let (planned, _) = alone("#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF:4,\na.ts").unwrap();
    let text = text_of(&planned, "video/0.m3u8");
    assert!(text.contains("10\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF"), "{text}");
    assert_eq!(text.matches("PLAYLIST-TYPE").count(), 1);
}

const MEDIA: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n#EXT-X-ENDLIST\n";

const MASTER: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n\
    #EXT-X-DEFINE:NAME=\"x\",VALUE=\"y\"\n\
    #EXT-X-SESSION-DATA:DATA-ID=\"t\",VALUE=\"http://in/a/value\"\n\
    #EXT-X-SESSION-DATA:DATA-ID=\"u\",URI=\"info.json\"\n\
    #EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"skd://Id%2F+\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n\
    #EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n\
    #EXT-X-CONTENT-STEERING:SERVER-URI=\"steer.json\"\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English, main\",LANGUAGE=\"en\",DEFAULT=YES,CHANNELS=\"6\",URI=\"a,en.m3u8\"\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"Deutsch\",LANGUAGE=\"de\",URI=\"a/de.m3u8\"\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"English\",LANGUAGE=\"en\",URI=\"b/en.m3u8\"\n\
    #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"Français\",LANGUAGE=\"fr\",URI=\"s/fr.m3u8\"\n\
    #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"CC\",INSTREAM-ID=\"CC1\"\n\
    #EXT-X-STREAM-INF:BANDWIDTH=300000,SUBTITLES=\"s\", AUDIO=\"a\",CLOSED-CAPTIONS=\"cc\",FRAME-RATE=29.970,VIDEO-RANGE=SDR,X-NEW=1\n\
    # between\n\
    v/360.m3u8?t=secret\n\
    #EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO=\"b\",CLOSED-CAPTIONS=NONE\n\
    v/720.m3u8\n\
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,URI=\"i.m3u8\"\n";

#[test]
fn the_local_master_has_the_lines_of_what_was_chosen() {
    let (planned, _, _) = together(MASTER, &[MEDIA, MEDIA], &SelectionOptions::default()).unwrap();
    assert_eq!(
        text_of(&planned, "master.m3u8"),
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n\
         #EXT-X-DEFINE:NAME=\"x\",VALUE=\"y\"\n\
         #EXT-X-SESSION-DATA:DATA-ID=\"t\",VALUE=\"http://in/a/value\"\n\
         #EXT-X-SESSION-DATA:DATA-ID=\"u\",URI=\"data/0.json\"\n\
         #EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"skd://Id%2F+\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n\
         #EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"key/000.key\"\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English, main\",LANGUAGE=\"en\",DEFAULT=YES,CHANNELS=\"6\",URI=\"audio/1.m3u8\"\n\
         #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"CC\",INSTREAM-ID=\"CC1\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=300000, AUDIO=\"a\",CLOSED-CAPTIONS=\"cc\",FRAME-RATE=29.970,VIDEO-RANGE=SDR,X-NEW=1\n\
         # between\n\
         video/0.m3u8\n"
    );
    assert_eq!(
        said(&planned.dropped),
        [
            "9 EXT-X-CONTENT-STEERING: it would send a player online",
            "11 EXT-X-MEDIA: not chosen",
            "12 EXT-X-MEDIA: not chosen",
            "13 EXT-X-MEDIA: not chosen",
            "15 EXT-X-STREAM-INF SUBTITLES: its group has nothing left",
            "18 EXT-X-STREAM-INF: not chosen",
            "20 EXT-X-I-FRAME-STREAM-INF: not chosen",
        ]
    );
}

#[test]
fn the_local_master_has_the_lines_of_all_variants_and_of_all_their_groups() {
    let options = SelectionOptions { variants: Variants::All, ..SelectionOptions::default() };
    let (planned, _, _) = together(MASTER, &[MEDIA, MEDIA, MEDIA, MEDIA], &options).unwrap();
    let master = text_of(&planned, "master.m3u8");
    let after = master.split_once("URI=\"key/000.key\"\n").unwrap().1;
    assert_eq!(
        after,
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English, main\",LANGUAGE=\"en\",DEFAULT=YES,CHANNELS=\"6\",URI=\"audio/2.m3u8\"\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"English\",LANGUAGE=\"en\",URI=\"audio/3.m3u8\"\n\
         #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"CC\",INSTREAM-ID=\"CC1\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=300000, AUDIO=\"a\",CLOSED-CAPTIONS=\"cc\",FRAME-RATE=29.970,VIDEO-RANGE=SDR,X-NEW=1\n\
         # between\n\
         video/0.m3u8\n\
         #EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO=\"b\",CLOSED-CAPTIONS=NONE\n\
         video/1.m3u8\n"
    );
}

#[test]
fn two_tracks_with_one_playlist_point_to_one_local_file() {
    let text = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"1\",LANGUAGE=\"en\",URI=\"s.m3u8\"\n\
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"2\",LANGUAGE=\"de\",URI=\"s.m3u8\"\n\
                #EXT-X-STREAM-INF:BANDWIDTH=300000,AUDIO=\"a\"\nv.m3u8\n";
    let (planned, _, _) =
        together(text, &[MEDIA, MEDIA], &SelectionOptions::preferred_video_bitrate(BitRate(1))).unwrap();
    let master = text_of(&planned, "master.m3u8");
    assert_eq!(master.matches("URI=\"audio/1.m3u8\"").count(), 2, "{master}");
    assert_eq!(planned.plan.playlists.len(), 2);
}

#[test]
fn a_group_that_is_not_there_leaves_no_attribute_behind() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=300000,AUDIO=\"x\"\nv.m3u8\n";
    let options = SelectionOptions { audio: Languages::All, ..SelectionOptions::default() };
    let (planned, _, _) = together(text, &[MEDIA], &options).unwrap();
    assert_eq!(
        text_of(&planned, "master.m3u8"),
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=300000\nvideo/0.m3u8\n"
    );
}

#[test]
fn a_master_with_resolution_nowhere_gets_none() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS=\"mp4a.40.2\"\na.m3u8\n";
    let (planned, _, _) = together(text, &[MEDIA], &SelectionOptions::default()).unwrap();
    assert_eq!(text_of(&planned, "master.m3u8"), text.replace("a.m3u8", "audio/0.m3u8"));
}

#[test]
fn a_key_that_audio_and_video_share_is_one_file() {
    let media = MEDIA.replace("#EXTINF", "#EXT-X-KEY:METHOD=AES-128,URI=\"https://k.test/k\"\n#EXTINF");
    let text = MASTER.replace("#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n", "");
    let (planned, _, _) = together(&text, &[&media, &media], &SelectionOptions::default()).unwrap();
    for path in ["video/0.m3u8", "audio/1.m3u8"] {
        assert!(text_of(&planned, path).contains("URI=\"../key/000.key\""));
    }
    assert_eq!(planned.plan.fetches.iter().filter(|fetch| fetch.at_millis == 0).count(), 4);
}

#[test]
fn a_range_that_continues_a_missing_segments_still_does() {
    check(
        "#EXT-X-GAP\n#EXTINF:4,\n#EXT-X-BYTERANGE:10@5\nv.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:10\nv.mp4#b",
        "#EXT-X-GAP\n#EXTINF:4,\n#EXT-X-BYTERANGE:10@5\n0/000000.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:10\n0/000000.mp4",
        &[],
    );
    check(
        "#EXT-X-GAP\n#EXTINF:4,\n#EXT-X-BYTERANGE:10@5\nw.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:10@0\nv.mp4",
        "#EXT-X-GAP\n#EXTINF:4,\n#EXT-X-BYTERANGE:10@5\n0/000001.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:10@0\n0/000000.mp4",
        &[],
    );
}
