//! What holds for every input.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::{Content, Tag, lines, rewrite, walk};

/// Lines that mean something, so that random playlists get past the first line.
fn line() -> impl Strategy<Value = String> {
    let tags = prop::sample::select(vec![
        "#EXTM3U",
        "#EXTINF:9.009,",
        "#EXTINF:5",
        "#EXTINF:nan,",
        "#EXT-X-BYTERANGE:10@5",
        "#EXT-X-BYTERANGE:10",
        "#EXT-X-BYTERANGE:18446744073709551615@1",
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-GAP",
        "#EXT-X-ENDLIST",
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"",
        "#EXT-X-KEY:METHOD=NONE",
        "#EXT-X-MAP:URI=\"m\",BYTERANGE=\"1@2\"",
        "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\",KEYFORMAT=\"f\"",
        "#EXT-X-TARGETDURATION:10",
        "#EXT-X-MEDIA-SEQUENCE:18446744073709551614",
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T00:00:00Z",
        "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-11-22T00:00:00Z\",X-ASSET-URI=\"x\"",
        "#EXT-X-FOO:bar",
        "#EXT-X-PART:DURATION=1,URI=\"p\"",
        "#EXT-X-DEFINE:NAME=\"v\",VALUE=\"w\"",
        "{$v}/x.ts",
        "{$u}",
        "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"",
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",URI=\"u\"",
        "#EXT-X-STREAM-INF:BANDWIDTH=1, CODECS=\"avc1",
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i\"",
        "",
        "seg.ts",
        "  seg 2.ts ",
        "#",
        "# comment",
        "#EXT",
        "é.ts",
        "a\tb",
    ]);
    prop_oneof![9 => tags.prop_map(str::to_owned), 1 => ".{0,40}"]
}

fn playlist() -> impl Strategy<Value = Vec<u8>> {
    let end = prop::sample::select(vec!["\n", "\n", "\r\n", "\n\n"]);
    (prop::collection::vec((line(), end), 0..30), any::<bool>()).prop_map(|(lines, head)| {
        let body: String = lines.iter().flat_map(|(line, end)| [line.as_str(), end]).collect();
        if head { format!("#EXTM3U\n{body}").into_bytes() } else { body.into_bytes() }
    })
}

/// A playlist with a few bytes changed, dropped or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), any::<u8>(), 0..3_u8);
    (playlist(), prop::collection::vec(change, 0..6)).prop_map(|(mut text, changes)| {
        for (at, byte, how) in changes {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => drop(text.remove(at)),
                _ => text.insert(at, byte),
            }
        }
        text
    })
}

fn check_laws(text: &[u8]) -> Result<(), TestCaseError> {
    let mut at = bom(text).map_or(0, |span| span.end);
    for line in lines(text) {
        prop_assert_eq!(line.full.start, at);
        at = line.full.end;
        for attribute in crate::attributes(&line).flatten() {
            prop_assert_eq!(attribute.value_span.of(text), attribute.value.text().as_bytes());
            prop_assert!(line.span.start <= attribute.span.start && attribute.span.end <= line.span.end);
        }
    }
    prop_assert_eq!(at as usize, text.len());

    let strict = parse(text, &ParseOptions { reading: Reading::Strict, ..ParseOptions::default() });
    let Ok(parsed) = parse(text, &ParseOptions::default()) else {
        prop_assert!(strict.is_err(), "strict accepts what lenient refuses");
        return Ok(());
    };
    let violated = parsed.diagnostics.iter().any(|it| it.rule.severity() == Severity::Violation);
    prop_assert_eq!(strict.is_err(), violated);
    let same = rewrite(&parsed.playlist, text, |_, _| None);
    prop_assert_eq!(same.as_deref(), Ok(text));
    let new = rewrite(&parsed.playlist, text, |_, _| Some("new".to_owned())).unwrap();
    check_locality(text, &new)?;
    if let Some(playlist) = parsed.playlist.as_media() {
        check_media(playlist)?;
        check_walk(text, playlist)?;
    }
    Ok(())
}

/// A rewritten playlist has the same lines of the same kinds, and is read again.
fn check_locality(old: &[u8], new: &[u8]) -> Result<(), TestCaseError> {
    let kinds = |text| lines(text).map(|line| std::mem::discriminant(&line.kind)).collect::<Vec<_>>();
    prop_assert_eq!(kinds(old), kinds(new));
    for (old_line, new_line) in lines(old).zip(lines(new)) {
        if !matches!(old_line.kind, LineKind::Uri(_)) && crate::attributes(&old_line).next().is_none() {
            prop_assert_eq!(old_line.full.of(old), new_line.full.of(new));
        }
    }
    Ok(())
}

fn check_media(playlist: &MediaPlaylist<'_>) -> Result<(), TestCaseError> {
    for (segment, next) in playlist.segments.iter().zip(playlist.segments.iter().skip(1)) {
        prop_assert_eq!(segment.media_sequence + 1, next.media_sequence);
        prop_assert!(segment.discontinuity_sequence <= next.discontinuity_sequence);
        prop_assert!(segment.line < next.line);
    }
    for segment in &playlist.segments {
        prop_assert!((segment.keys.0 as usize) < playlist.key_sets.len());
        prop_assert_eq!(segment.map.is_some(), playlist.map_of(segment).is_some());
        prop_assert!(segment.byte_range.is_none_or(|it| it.offset.checked_add(it.length).is_some()));
    }
    prop_assert!(playlist.key_sets[0].is_empty());
    Ok(())
}

/// A segment is a URI line behind an EXTINF line, as the walk reads both.
#[expect(clippy::wildcard_enum_match_arm, reason = "only segments are compared")]
fn check_walk(text: &[u8], playlist: &MediaPlaylist<'_>) -> Result<(), TestCaseError> {
    let (mut walked, mut inf) = (Vec::new(), None);
    for step in walk(text) {
        match step.content {
            Content::Tag(Tag::Inf(it)) => inf = Some(it),
            Content::Uri(uri) => walked.extend(inf.take().map(|it| (step.line.number, uri, it))),
            _ => {}
        }
    }
    prop_assert_eq!(walked.len(), playlist.segments.len());
    for ((line, uri, inf), segment) in walked.into_iter().zip(&playlist.segments) {
        let kept = (segment.line, segment.duration, segment.title);
        prop_assert_eq!((line, inf.duration.unwrap_or_default(), inf.title), kept);
        let substituted = uri.contains("{$");
        prop_assert!(substituted || uri == segment.uri.as_str());
    }
    Ok(())
}

proptest! {
    #[test]
    fn playlists_obey_the_laws(text in playlist()) {
        check_laws(&text)?;
    }

    #[test]
    fn damaged_playlists_obey_the_laws(text in mutated()) {
        check_laws(&text)?;
    }

    #[test]
    fn any_bytes_obey_the_laws(text in prop::collection::vec(any::<u8>(), 0..300)) {
        check_laws(&text)?;
        check_laws(&[b"#EXTM3U\n", &text[..]].concat())?;
    }
}
