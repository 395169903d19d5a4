//! A media playlist made local.

use std::mem;

use hls_parse::{Line, LineKind, Variables};

use super::attributes::{self, Change};
use super::{Names, Page, localize_key, tags};
use crate::plan::{DropReason, Target};

/// The only type that a finished download has.
const VOD: &str = "EXT-X-PLAYLIST-TYPE:VOD";

/// Edits the lines of a media playlist.
pub(super) fn localize(page: &mut Page<'_>, variables: &Variables, names: &Names<'_>, gap: &str) {
    let mut head = None;
    let (mut typed, mut after_part) = (false, false);
    let mut about_next = Vec::new();
    for line in hls_parse::lines(page.text) {
        match &line.kind {
            LineKind::Blank | LineKind::Comment(_) => {}
            LineKind::Uri(_) => localize_uri(page, &line, names, gap, &mem::take(&mut about_next)),
            LineKind::Tag { name, .. } => match *name {
                "EXT-X-KEY" => localize_key(page, &line, name, names),
                "EXT-X-MAP" => localize_map(page, &line, name, names),
                "EXT-X-PLAYLIST-TYPE" => {
                    typed = true;
                    make_vod(page, &line);
                }
                "EXT-X-BYTERANGE" | "EXT-X-PROGRAM-DATE-TIME" | "EXT-X-GAP" => about_next.push((line, *name)),
                "EXT-X-PART" => {
                    after_part = true;
                    page.common_tag(&line, name, variables);
                }
                // It did not count behind a part (rfc8216bis 4.4.3.2), and would without it: wrong IVs.
                "EXT-X-MEDIA-SEQUENCE" if after_part => page.drop_line(&line, name, DropReason::Misplaced),
                "EXTM3U" => head = head.or(Some(line)),
                _ => page.common_tag(&line, name, variables),
            },
        }
    }
    if let Some(head) = head.filter(|_| !typed) {
        insert_type(page, &head);
    }
}

/// Makes a segment's URI local. One that is no segment's goes, and with it what was said `about` it: else that
/// would be said about the next one.
fn localize_uri(
    page: &mut Page<'_>,
    line: &Line<'_>,
    names: &Names<'_>,
    gap: &str,
    about: &[(Line<'_>, &str)],
) {
    match names.target(line.span) {
        Some(Target::Gap) => page.edits.replace(line.span, gap),
        Some(Target::Resource(_)) => {
            if let Some(local) = names.of(line.span) {
                page.edits.replace(line.span, local);
            }
        }
        None => {
            about.iter().for_each(|(line, tag)| page.drop_line(line, tag, DropReason::Misplaced));
            page.drop_line(line, "URI", DropReason::Misplaced);
        }
    }
}

fn localize_map(page: &mut Page<'_>, line: &Line<'_>, tag: &str, names: &Names<'_>) {
    match attributes::find(line, "URI").and_then(|uri| names.map(&uri)) {
        Some(local) => page.change(line, tag, |attribute| match attribute.name {
            "URI" => Change::Value(local.clone()),
            _ => tags::offline_attribute(attribute),
        }),
        None => page.drop_line(line, tag, DropReason::Unused),
    }
}

fn make_vod(page: &mut Page<'_>, line: &Line<'_>) {
    if line.span.of(page.text) != format!("#{VOD}").as_bytes() {
        page.edits.replace(line.span, format!("#{VOD}"));
    }
}

fn insert_type(page: &mut Page<'_>, head: &Line<'_>) {
    let end = hls_parse::Span { start: head.span.end, end: head.full.end };
    let end = if end.of(page.text).starts_with(b"\r") { "\r\n" } else { "\n" };
    page.edits.insert_before(head.full.end, format!("#{VOD}{end}"));
}
