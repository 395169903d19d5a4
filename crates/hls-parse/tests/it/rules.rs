//! Every rule: a text that breaks it and no other, and the page that lists them all.

use super::*;

const DATED: &str = "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05Z\n";
const LIVE: &str = "#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n#EXT-X-PART-INF:PART-TARGET=1\n";
const KEY: &str = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"";

fn dated(list: &str) -> String {
    media_text(&format!("{DATED}#EXT-X-DATERANGE:ID=\"a\",{list}"))
}

fn began(list: &str) -> String {
    dated(&format!("START-DATE=\"2026-01-02T03:04:05Z\",{list}"))
}

fn rendition(list: &str) -> String {
    menu_text(&format!("#EXT-X-MEDIA:NAME=\"n\",GROUP-ID=\"g\",{list}"))
}

fn live(lines: &str) -> String {
    media_text(&format!("{LIVE}{lines}"))
}

fn control(list: &str) -> String {
    media_text(&format!("#EXT-X-SERVER-CONTROL:{list}"))
}

/// A text that breaks the rule, and only that one.
#[expect(clippy::too_many_lines, reason = "a table")]
fn example(rule: Rule) -> Vec<u8> {
    let version = |lines: &str| format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n{lines}\n");
    match rule {
        Rule::ByteOrderMark => format!("\u{feff}{}", segment("a")),
        Rule::ControlCharacter => media_text("#EXTINF:1,a\tb\ns"),
        Rule::NotUtf8 => return [segment("a").as_bytes(), b"# \xFF\n"].concat(),
        Rule::Blanks => media_text("#EXTINF:1, \ns"),
        Rule::FirstLine => segment("a").replace("#EXTM3U", "#EXTM3U x"),
        Rule::ControlInUri => segment("a\tb"),
        Rule::ListSyntax => variant("BANDWIDTH=1, CODECS=\"a\""),
        Rule::AfterQuote => variant("BANDWIDTH=1,CODECS=\"a\"b"),
        Rule::NoList => media_text("#EXT-X-SERVER-CONTROL"),
        Rule::DuplicateAttribute => variant("BANDWIDTH=1,BANDWIDTH=2"),
        Rule::Quoting => variant("BANDWIDTH=1,CODECS=avc1"),
        Rule::AttributeValue => variant("BANDWIDTH=1,SCORE=-1"),
        Rule::AttributeName => variant("BANDWIDTH=1,Codecs=\"a\""),
        Rule::IdCharacters => variant("BANDWIDTH=1,STABLE-VARIANT-ID=\"a b\""),
        Rule::MissingAttribute => media_text("#EXT-X-START:PRECISE=YES"),
        Rule::MissingUri => media_text("#EXT-X-MAP:BYTERANGE=\"1@0\""),
        Rule::NoTagUri => live("#EXT-X-RENDITION-REPORT:LAST-MSN=1"),
        Rule::UnreadableAttribute => began("X-COM-A=\"{$none}\""),
        Rule::HexTooLong => media_text(&format!("{KEY},IV=0x1{}", "0".repeat(32))),
        Rule::IvSyntax => media_text(&format!("{KEY},IV=1")),
        Rule::NumberTooLarge => variant("BANDWIDTH=18446744073709551616"),
        Rule::Mixed => menu_text("#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n#EXTINF:1,\ns"),
        Rule::Misplaced => media_text("#EXT-X-SESSION-DATA:DATA-ID=\"d\",VALUE=\"v\""),
        Rule::RepeatedTag => media_text("#EXT-X-ENDLIST\n#EXT-X-ENDLIST"),
        Rule::TagValue => "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXT-X-VERSION:x\n".to_owned(),
        Rule::Version => version("#EXTINF:1.5,\ns"),
        Rule::FutureVersion => version("#EXT-X-VERSION:14"),
        Rule::DefineSyntax => media_text("#EXT-X-DEFINE:NAME=\"a\""),
        Rule::DefineName => media_text("#EXT-X-DEFINE:NAME=\"a b\",VALUE=\"c\""),
        Rule::DefineTwice => {
            media_text("#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\"\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\"")
        }
        Rule::ImportInMultivariant => {
            menu_text("#EXT-X-DEFINE:IMPORT=\"a\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv")
        }
        Rule::ImportUndefined => media_text("#EXT-X-DEFINE:IMPORT=\"a\""),
        Rule::QueryParameter => media_text("#EXT-X-DEFINE:QUERYPARAM=\"a\""),
        Rule::NoTargetDuration => "#EXTM3U\n#EXTINF:1,\ns\n".to_owned(),
        Rule::TargetDuration => "#EXTM3U\n#EXT-X-TARGETDURATION:1.5\n".to_owned(),
        Rule::LongerThanTarget => media_text("#EXTINF:10.5,\ns"),
        Rule::LateTag => media_text("#EXTINF:1,\ns\n#EXT-X-MEDIA-SEQUENCE:1"),
        Rule::SequenceNumber => media_text("#EXT-X-MEDIA-SEQUENCE:-1"),
        Rule::SequenceOverflow => {
            media_text("#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n#EXTINF:1,\na\n#EXTINF:1,\nb")
        }
        Rule::PlaylistType => media_text("#EXT-X-PLAYLIST-TYPE:LIVE"),
        Rule::Duration => media_text("#EXTINF:x,\ns"),
        Rule::DurationSyntax => media_text("#EXTINF:1;\ns"),
        Rule::NoComma => media_text("#EXTINF:1\ns"),
        Rule::NoDuration => media_text("s"),
        Rule::NoSegmentUri => media_text("#EXTINF:1,"),
        Rule::ByteRangeSyntax => media_text("#EXT-X-BYTERANGE:1@\n#EXTINF:1,\ns"),
        Rule::ByteRangeOverflow => media_text("#EXT-X-BYTERANGE:18446744073709551615@1\n#EXTINF:1,\ns"),
        Rule::ByteRangeBase => media_text("#EXT-X-BYTERANGE:1\n#EXTINF:1,\ns"),
        Rule::SkippedRangeBase => {
            media_text("#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n#EXTINF:1,\n#EXT-X-BYTERANGE:1\ns")
        }
        Rule::EmptyByteRange => media_text("#EXT-X-BYTERANGE:0@1\n#EXTINF:1,\ns"),
        Rule::KeyMethod => media_text("#EXT-X-KEY:URI=\"k\""),
        Rule::NoneWithAttributes => media_text("#EXT-X-KEY:METHOD=NONE,URI=\"k\""),
        Rule::KeyFormatVersions => media_text(&format!("{KEY},KEYFORMATVERSIONS=\"1/0\"")),
        Rule::CtrIv => media_text("#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=\"k\",IV=0x1"),
        Rule::MapIv => media_text(&format!("{KEY}\n#EXT-X-MAP:URI=\"m\"")),
        Rule::MapRange => media_text("#EXT-X-MAP:URI=\"m\",BYTERANGE=\"1\""),
        Rule::DateTime => media_text("#EXT-X-PROGRAM-DATE-TIME:yesterday"),
        Rule::Bitrate => media_text("#EXT-X-BITRATE:1.5"),
        Rule::EndOnNext => began("END-ON-NEXT=YES"),
        Rule::DateRangeEnd => began("END-DATE=\"2026-01-02T03:04:04Z\""),
        Rule::DateRangeStart => dated("CLASS=\"c\""),
        Rule::DateRangeDuration => began("END-DATE=\"2026-01-02T03:04:06Z\",DURATION=2"),
        Rule::DateRangeConflict => began("DURATION=2\n#EXT-X-DATERANGE:ID=\"a\",DURATION=3"),
        Rule::DateRangeWithoutDateTime => began("DURATION=2").replace(DATED, ""),
        Rule::Cue => began("CUE=\"PRE,POST\""),
        Rule::Interstitial => began("CLASS=\"com.apple.hls.interstitial\""),
        Rule::AfterEnd => media_text("#EXT-X-ENDLIST\n#EXTINF:1,\ns"),
        Rule::NoPartInf => media_text("#EXT-X-PART:DURATION=1,URI=\"p\""),
        Rule::LongerThanPartTarget => live("#EXT-X-PART:DURATION=1.1,URI=\"p\""),
        Rule::PartRangeBase => live("#EXT-X-PART:DURATION=1,URI=\"p\",BYTERANGE=\"1\""),
        Rule::HoldBack => control("HOLD-BACK=29.9"),
        Rule::PartHoldBack => live("").replace("=3", "=1.9"),
        Rule::NoPartHoldBack => media_text("#EXT-X-PART-INF:PART-TARGET=1"),
        Rule::SkipBoundary => control("CAN-SKIP-UNTIL=59.9"),
        Rule::SkipDateRanges => control("CAN-SKIP-DATERANGES=YES"),
        Rule::HintTwice => {
            live("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"b\"")
        }
        Rule::ReportUri => media_text("#EXT-X-RENDITION-REPORT:URI=\"http://h/a\""),
        Rule::NoBandwidth => variant("CODECS=\"a\""),
        Rule::AverageAbovePeak => variant("BANDWIDTH=1,AVERAGE-BANDWIDTH=2"),
        Rule::Resolution => variant("BANDWIDTH=1,RESOLUTION=640"),
        Rule::NoVariantUri => menu_text("#EXT-X-STREAM-INF:BANDWIDTH=1"),
        Rule::NoIFrameUri => menu_text("#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1"),
        Rule::CaptionsNone => variant("BANDWIDTH=1,CLOSED-CAPTIONS=NONE\nu\n#EXT-X-STREAM-INF:BANDWIDTH=2"),
        Rule::StrayUri => variant("BANDWIDTH=1\nu"),
        Rule::MissingGroup => variant("BANDWIDTH=1,AUDIO=\"a\""),
        Rule::RenditionType => menu_text("#EXT-X-MEDIA:GROUP-ID=\"g\",NAME=\"n\",TYPE=SMELL"),
        Rule::RenditionUri => rendition("TYPE=SUBTITLES"),
        Rule::InstreamId => rendition("TYPE=CLOSED-CAPTIONS"),
        Rule::InstreamIdValue => rendition("TYPE=CLOSED-CAPTIONS,INSTREAM-ID=\"SERVICE64\""),
        Rule::NotAudio => rendition("TYPE=VIDEO,BIT-DEPTH=8"),
        Rule::DefaultNotAutoselect => rendition("TYPE=AUDIO,DEFAULT=YES,AUTOSELECT=NO"),
        Rule::ForcedNotSubtitles => rendition("TYPE=AUDIO,FORCED=YES"),
        Rule::RenditionName => rendition("TYPE=AUDIO\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\""),
        Rule::TwoDefaults => {
            rendition("TYPE=AUDIO,DEFAULT=YES\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"m\",DEFAULT=YES")
        }
        Rule::SessionData => menu_text("#EXT-X-SESSION-DATA:DATA-ID=\"d\""),
        Rule::SessionDataTwice => menu_text(&"#EXT-X-SESSION-DATA:DATA-ID=\"d\",VALUE=\"v\"\n".repeat(2)),
        Rule::SessionKeyNone => menu_text("#EXT-X-SESSION-KEY:METHOD=NONE"),
        Rule::SessionKeyUnreadable => menu_text("#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\",IV=0xzz"),
        Rule::SessionKeyTwice => menu_text(&"#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n".repeat(2)),
        other => panic!("no example of {other}"),
    }
    .into_bytes()
}

#[test]
fn each_rule_has_an_example_that_breaks_it_alone_and_strict_insists_on_it() {
    for rule in Rule::ALL {
        match rule.severity() {
            // To the strict reading the character is already one in the text.
            Severity::Fatal if *rule == Rule::ControlInUri => {
                let refused = read(&example(*rule), Reading::Lenient).unwrap_err().kind().clone();
                assert_eq!(refused, ErrorKind::Rule(*rule));
            }
            Severity::Fatal => check_refused(example(*rule), *rule),
            Severity::Violation | Severity::Warning => check_odd(example(*rule), &[*rule]),
        }
    }
}

#[test]
fn an_example_that_is_mended_breaks_nothing() {
    check_clean(&control("HOLD-BACK=30,CAN-SKIP-UNTIL=60,CAN-SKIP-DATERANGES=YES"));
    check_clean(&live("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a\"\n#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"b\""));
    check_clean(&live("#EXT-X-PART:DURATION=1,URI=\"p\"").replace("=3", "=2"));
    check_clean(&began(
        "END-DATE=\"2026-01-02T03:04:07Z\",DURATION=2\n#EXT-X-DATERANGE:ID=\"a\",DURATION=2.0",
    ));
    check_clean(&began("CLASS=\"com.apple.hls.interstitial\",X-ASSET-LIST=\"l\",CUE=\"PRE,ONCE\""));
    check_clean(&rendition("TYPE=CLOSED-CAPTIONS,INSTREAM-ID=\"SERVICE63\""));
    check_clean(&rendition("TYPE=AUDIO,BIT-DEPTH=24,SAMPLE-RATE=48000,STABLE-RENDITION-ID=\"a+/=.-_Z9\""));
    check_clean(&variant(
        "BANDWIDTH=1,CLOSED-CAPTIONS=NONE\nu\n#EXT-X-STREAM-INF:BANDWIDTH=2,CLOSED-CAPTIONS=NONE",
    ));
    check_clean(&menu_text(
        "#EXT-X-SESSION-DATA:DATA-ID=\"d\",VALUE=\"v\",LANGUAGE=\"en\"\n#EXT-X-SESSION-DATA:DATA-ID=\"d\",VALUE=\"v\",LANGUAGE=\"fr\"",
    ));
}

/// What needs this version: fine with it, odd with the one below.
#[track_caller]
fn check_version(needed: u32, lines: &str, media: bool) {
    let head = if media { "#EXT-X-TARGETDURATION:10\n" } else { "#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n" };
    let text = |version: u32| format!("#EXTM3U\n{head}{lines}\n#EXT-X-VERSION:{version}\n");
    check_clean(&text(needed));
    check_odd(text(needed - 1), &[Rule::Version]);
}

#[test]
fn what_is_used_needs_its_version() {
    let media = |needed, lines: &str| check_version(needed, lines, true);
    let menu = |needed, lines: &str| check_version(needed, lines, false);
    media(2, &format!("{KEY},IV=0x1"));
    media(3, "#EXTINF:1.0,\ns");
    media(4, "#EXTINF:1,\n#EXT-X-BYTERANGE:1@0\ns");
    media(4, "#EXT-X-I-FRAMES-ONLY");
    media(5, "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"");
    media(5, &format!("{KEY},KEYFORMAT=\"identity\""));
    media(5, &format!("{KEY},KEYFORMATVERSIONS=\"1\""));
    media(5, "#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"m\"");
    media(6, "#EXT-X-MAP:URI=\"m\"");
    menu(7, "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"g\",NAME=\"n\",INSTREAM-ID=\"SERVICE1\"");
    media(8, "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"");
    menu(8, "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"");
    media(9, "#EXT-X-SKIP:SKIPPED-SEGMENTS=1");
    media(10, "#EXT-X-SKIP:SKIPPED-SEGMENTS=1,RECENTLY-REMOVED-DATERANGES=\"a\"");
    menu(12, "#EXT-X-STREAM-INF:BANDWIDTH=1,REQ-VIDEO-LAYOUT=\"CH-STEREO\"\nw");
    menu(13, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",INSTREAM-ID=\"AUDIO1\"");
}

#[test]
fn the_page_of_rules_lists_every_rule() {
    let row = |rule: &Rule| {
        let refused = match rule.severity() {
            Severity::Warning => "no",
            Severity::Violation => "when strict",
            Severity::Fatal => "always",
        };
        format!("| `{rule}` | {} | {refused} | {} |\n", rule.section(), rule.message())
    };
    let rows: String = Rule::ALL.iter().map(row).collect();
    let page = include_str!("../../RULES.md");
    let (_, table) = page.split_once("| --- | --- | --- | --- |\n").unwrap();
    assert_eq!(table, rows, "make RULES.md say so");
}
