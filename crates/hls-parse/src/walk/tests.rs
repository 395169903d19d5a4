//! What single lines say, a word each.

use super::*;

fn shown(text: &str) -> Vec<String> {
    walk(text.as_bytes()).map(|it| format!("{} {}", it.line.number, word(&it.content))).collect()
}

fn word(content: &Content<'_>) -> String {
    match content {
        Content::Blank => "-".to_owned(),
        Content::Comment(text) => format!("#{}", text.escape_ascii()),
        Content::Uri(uri) => (*uri).to_owned(),
        Content::UnknownTag { name, value } => {
            format!("?{name} {}", value.map_or("none".to_owned(), |value| value.escape_ascii().to_string()))
        }
        Content::Unreadable(rule) => format!("! {rule}"),
        Content::Tag(tag) => tag_word(tag),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "lists are told apart elsewhere")]
fn tag_word(tag: &Tag<'_>) -> String {
    match tag {
        Tag::Inf(Inf { duration, title }) => format!("{duration:?} {title:?}"),
        Tag::ByteRange { length, offset } => format!("{length} {offset:?}"),
        Tag::ProgramDateTime(date) => date.to_string(),
        other => match list_of(other) {
            Some((name, list)) => {
                let values = list.map(|item| item.map_or("!".to_owned(), |it| it.value.text().to_owned()));
                format!("{name} {}", values.collect::<Vec<_>>().join(" "))
            }
            None => format!("{other:?}"),
        },
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "tags without a list")]
fn list_of<'a>(tag: &Tag<'a>) -> Option<(&'static str, Attributes<'a>)> {
    Some(match tag.clone() {
        Tag::Start(list) => ("start", list),
        Tag::Define(list) => ("define", list),
        Tag::Key(list) => ("key", list),
        Tag::Map(list) => ("map", list),
        Tag::DateRange(list) => ("date-range", list),
        Tag::Part(list) => ("part", list),
        Tag::PartInf(list) => ("part-inf", list),
        Tag::ServerControl(list) => ("server-control", list),
        Tag::Skip(list) => ("skip", list),
        Tag::PreloadHint(list) => ("preload-hint", list),
        Tag::RenditionReport(list) => ("rendition-report", list),
        Tag::Media(list) => ("media", list),
        Tag::StreamInf(list) => ("stream-inf", list),
        Tag::IFrameStreamInf(list) => ("i-frame-stream-inf", list),
        Tag::SessionData(list) => ("session-data", list),
        Tag::SessionKey(list) => ("session-key", list),
        Tag::ContentSteering(list) => ("content-steering", list),
        _ => return None,
    })
}

#[track_caller]
fn check(line: &str, expected: &str) {
    assert_eq!(shown(line), [format!("1 {expected}")], "{line}");
}

#[test]
fn lines_that_are_no_tags_are_told_apart() {
    let text = "\n# hi\nseg 1.ts\n#EXT-X-FOO\n#EXT-X-FOO:bar:1\n";
    assert_eq!(shown(text), ["1 -", "2 # hi", "3 seg 1.ts", "4 ?EXT-X-FOO none", "5 ?EXT-X-FOO bar:1"]);
}

#[test]
fn tags_without_a_value_are_known_by_name() {
    check("#EXTM3U", "M3u");
    check("#EXT-X-INDEPENDENT-SEGMENTS", "IndependentSegments");
    check("#EXT-X-DISCONTINUITY", "Discontinuity");
    check("#EXT-X-GAP", "Gap");
    check("#EXT-X-ENDLIST", "EndList");
    check("#EXT-X-I-FRAMES-ONLY", "IFramesOnly");
}

#[test]
fn numbers_times_and_words_have_their_types() {
    check("#EXTINF:4.004,a title", "Some(4.004s) Some(\"a title\")");
    check("#EXTINF:5", "Some(5s) None");
    check("#EXT-X-VERSION:13", "Version(13)");
    check("#EXT-X-TARGETDURATION:7", "TargetDuration(7s)");
    check("#EXT-X-MEDIA-SEQUENCE:18446744073709551615", "MediaSequence(18446744073709551615)");
    check("#EXT-X-DISCONTINUITY-SEQUENCE:3", "DiscontinuitySequence(3)");
    check("#EXT-X-PLAYLIST-TYPE:VOD", "PlaylistType(Vod)");
    check("#EXT-X-BYTERANGE:10@5", "10 Some(5)");
    check("#EXT-X-BYTERANGE:10", "10 None");
    check("#EXT-X-BITRATE:800", "Bitrate(800)");
    check("#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:02:03.5+01:00", "2026-11-22T01:02:03.5+01:00");
}

#[test]
fn lists_are_known_by_their_tag() {
    for (tag, name) in [
        ("EXT-X-START", "start"),
        ("EXT-X-DEFINE", "define"),
        ("EXT-X-KEY", "key"),
        ("EXT-X-MAP", "map"),
        ("EXT-X-DATERANGE", "date-range"),
        ("EXT-X-PART", "part"),
        ("EXT-X-PART-INF", "part-inf"),
        ("EXT-X-SERVER-CONTROL", "server-control"),
        ("EXT-X-SKIP", "skip"),
        ("EXT-X-PRELOAD-HINT", "preload-hint"),
        ("EXT-X-RENDITION-REPORT", "rendition-report"),
        ("EXT-X-MEDIA", "media"),
        ("EXT-X-STREAM-INF", "stream-inf"),
        ("EXT-X-I-FRAME-STREAM-INF", "i-frame-stream-inf"),
        ("EXT-X-SESSION-DATA", "session-data"),
        ("EXT-X-SESSION-KEY", "session-key"),
        ("EXT-X-CONTENT-STEERING", "content-steering"),
    ] {
        check(&format!("#{tag}:A=1,B=\"b,\",C=\"x"), &format!("{name} 1 b, !"));
    }
}

#[test]
fn a_value_that_cannot_be_read_is_named_by_its_rule_and_the_next_line_is_read() {
    for (line, rule) in [
        ("#EXT-X-VERSION:x", Rule::TagValue),
        ("#EXT-X-VERSION:4294967296", Rule::TagValue),
        ("#EXT-X-TARGETDURATION:", Rule::TargetDuration),
        ("#EXT-X-MEDIA-SEQUENCE:-1", Rule::SequenceNumber),
        ("#EXT-X-DISCONTINUITY-SEQUENCE", Rule::SequenceNumber),
        ("#EXT-X-PLAYLIST-TYPE:LIVE", Rule::PlaylistType),
        ("#EXT-X-BYTERANGE:1@x", Rule::ByteRangeSyntax),
        ("#EXT-X-BYTERANGE:18446744073709551616", Rule::ByteRangeOverflow),
        ("#EXT-X-BITRATE:fast", Rule::Bitrate),
        ("#EXT-X-PROGRAM-DATE-TIME:today", Rule::DateTime),
    ] {
        assert_eq!(shown(&format!("{line}\nuri")), [format!("1 ! {rule}"), "2 uri".to_owned()]);
    }
    let bytes: Vec<String> = walk(b"a\xff\n#EXTINF:nan,t\xff").map(|it| word(&it.content)).collect();
    assert_eq!(bytes, ["! not-utf8", "None Some(\"t\")"]);
}

#[test]
fn attributes_have_types_when_they_are_asked() {
    let text =
        "#EXT-X-T:N=7,D=-1.5,S=4.004,Y=YES,R=1920x1080,IV=0xA,B=\"10@5\",T=\"2026-11-22T00:00:00Z\",N=8";
    let line = lines(text.as_bytes()).next().unwrap();
    let list = attributes(&line);
    let value = |name| list.value_of(name).unwrap();
    assert_eq!(value("N").integer(), Some(8), "the last of a name");
    assert_eq!(value("D").decimal().map(|it| it.to_string()).as_deref(), Some("-1.5"));
    assert_eq!(value("S").duration(), Some(Duration::from_millis(4004)));
    assert_eq!((value("Y").is_yes(), value("N").is_yes()), (true, false));
    assert_eq!(value("R").resolution().map(|it| (it.width, it.height)), Some((1920, 1080)));
    assert_eq!(value("IV").hex_128(), Some(10_u128.to_be_bytes()));
    assert_eq!(value("B").byte_range(), Some((10, Some(5))));
    assert!(value("T").date_time().is_some());
    for name in ["D", "Y", "R", "T"] {
        assert_eq!(
            (value(name).integer(), value(name).hex_128(), value(name).byte_range()),
            (None, None, None)
        );
    }
    assert_eq!(list.value_of("X"), None);
    assert_eq!(list.count(), 9, "asking takes nothing from the list");
}
