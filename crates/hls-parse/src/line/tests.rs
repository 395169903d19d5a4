//! What lines are, and that no byte belongs to two of them or to none.

use super::*;

/// One line as `number kind span-text`.
fn shown(text: &[u8]) -> Vec<String> {
    lines(text)
        .map(|line| {
            let what = match line.kind {
                LineKind::Blank => "blank".to_owned(),
                LineKind::Uri(uri) => format!("uri {}", uri.escape_ascii()),
                LineKind::Comment(text) => format!("comment {}", text.escape_ascii()),
                LineKind::Tag { name, value: None } => format!("tag {name}"),
                LineKind::Tag { name, value: Some((value, span)) } => {
                    assert_eq!(span.of(text), value);
                    format!("tag {name} {}", value.escape_ascii())
                }
            };
            format!("{} {what}", line.number)
        })
        .collect()
}

#[track_caller]
fn check(text: &[u8], expected: &[&str]) {
    assert_eq!(shown(text), expected);
}

#[test]
fn tags_uris_comments_and_blanks_are_told_apart() {
    check(
        b"#EXTM3U\n# hi\n\n#EXT-X-KEY:A=1\nseg.ts\n#ext-x-key:\n",
        &[
            "1 tag EXTM3U",
            "2 comment  hi",
            "3 blank",
            "4 tag EXT-X-KEY A=1",
            "5 uri seg.ts",
            "6 comment ext-x-key:",
        ],
    );
}

#[test]
fn a_tag_name_ends_at_the_first_colon_or_the_line_end() {
    check(
        b"#EXTINF:5,a:b\n#EXTINF-LIKE:5\n#EXTINF\n#EXT:\n",
        &["1 tag EXTINF 5,a:b", "2 tag EXTINF-LIKE 5", "3 tag EXTINF", "4 tag EXT "],
    );
}

#[test]
fn every_line_end_and_a_missing_one_give_the_same_lines() {
    let expected = ["1 tag EXTM3U", "2 tag EXTINF 1,t", "3 uri a.ts"];
    for text in
        ["#EXTM3U\n#EXTINF:1,t\na.ts\n", "#EXTM3U\r\n#EXTINF:1,t\r\na.ts\r\n", "#EXTM3U\r\n#EXTINF:1,t\na.ts"]
    {
        check(text.as_bytes(), &expected);
    }
}

#[test]
fn a_byte_order_mark_belongs_to_no_line() {
    let text = b"\xEF\xBB\xBF#EXTM3U\n";
    assert_eq!(bom(text), Some(Span::new(0, 3)));
    assert_eq!(lines(text).next().map(|line| line.full), Some(Span::new(3, 11)));
    assert_eq!(bom(b"#EXTM3U"), None);
}

#[test]
fn carriage_returns_alone_end_no_line() {
    assert_eq!(lines(b"#EXTM3U\r#EXTINF:1,\ra.ts\r").count(), 1);
}

#[test]
fn blanks_around_a_line_are_outside_its_content() {
    let text = b"  seg.ts\t\r\n";
    let line = lines(text).next().unwrap();
    assert_eq!(line.kind, LineKind::Uri(b"seg.ts"));
    assert_eq!((line.content.of(text), line.span.of(text)), (&b"seg.ts"[..], &b"  seg.ts\t"[..]));
    assert_eq!(line.full, Span::new(0, 11));
}

#[test]
fn a_tag_name_that_is_not_utf8_makes_a_comment_and_a_value_may_be_any_bytes() {
    check(b"#EXT-\xff:1\n#EXTINF:1,\xff\n", &["1 comment EXT-\\xff:1", "2 tag EXTINF 1,\\xff"]);
}

#[test]
fn full_spans_cover_the_text_without_gaps() {
    let text = b"a\r\n\n b \n#EXTM3U";
    let mut at = 0;
    for line in lines(text) {
        assert_eq!(line.full.start, at);
        at = line.full.end;
    }
    assert_eq!(at as usize, text.len());
}

#[test]
fn a_span_outside_the_text_is_empty() {
    assert_eq!(Span::new(2, 9).of(b"abc"), b"");
    assert_eq!(Span::new(2, 1).of(b"abc"), b"");
    assert!(Span::new(2, 1).is_empty());
}
