//! The walk's lines, put together naively, say what the model says.

use std::time::Duration;

use hls_parse::{Content, Inf, Tag, walk};
use proptest::prelude::*;

use super::playlists;
use super::quick_m3u8::ALL;
use super::*;

/// URI, duration, title, range, key URIs by format, map, discontinuity, date.
type Facts = (
    String,
    Duration,
    Option<String>,
    Option<(u64, u64)>,
    Vec<(String, String)>,
    Option<String>,
    bool,
    Option<String>,
);

/// Segments from single lines: what a caller would write who keeps nothing but this.
#[expect(clippy::wildcard_enum_match_arm, reason = "tags that say nothing about segments")]
fn walked(text: &str) -> Vec<Facts> {
    let (mut list, mut inf, mut range, mut end) = (Vec::new(), Inf::default(), None, 0);
    let (mut keys, mut map, mut date, mut discontinuity) = (Vec::new(), None, None, false);
    for step in walk(text.as_bytes()) {
        match step.content {
            Content::Uri(uri) => {
                let facts = (uri.to_owned(), inf.duration.unwrap(), inf.title.map(str::to_owned));
                let (keys, map) = (Vec::clone(&keys), Option::clone(&map));
                end = range.map_or(0, |(length, offset)| length + offset);
                list.push((facts.0, facts.1, facts.2, range, keys, map, discontinuity, date));
                (range, date, discontinuity) = (None, None, false);
            }
            Content::Tag(Tag::Inf(it)) => inf = it,
            Content::Tag(Tag::ByteRange { length, offset }) => range = Some((length, offset.unwrap_or(end))),
            Content::Tag(Tag::Discontinuity) => discontinuity = true,
            Content::Tag(Tag::ProgramDateTime(it)) => date = Some(it.to_string()),
            Content::Tag(Tag::Map(it)) => map = it.value_of("URI").map(|it| it.text().to_owned()),
            Content::Tag(Tag::Key(it)) => {
                let value = |name| it.value_of(name).map(|it| it.text().to_owned());
                if value("METHOD").as_deref() == Some("NONE") {
                    keys.clear();
                    continue;
                }
                let format = value("KEYFORMAT").unwrap_or("identity".to_owned());
                keys.retain(|(it, _)| *it != format);
                keys.push((format, value("URI").unwrap()));
            }
            Content::Unreadable(rule) => panic!("{}: {rule}", step.line.number),
            _ => {}
        }
    }
    for facts in &mut list {
        facts.4.sort();
    }
    list
}

fn modelled(text: &str) -> Vec<Facts> {
    let playlist = media(text);
    let facts = |it: &hls_parse::Segment<'_>| {
        let key = |key: &hls_parse::Key<'_>| {
            (key.key_format.to_string(), key.uri.as_ref().unwrap().as_str().to_owned())
        };
        let mut keys: Vec<(String, String)> = playlist.keys_of(it).iter().map(key).collect();
        keys.sort();
        let range = it.byte_range.map(|it| (it.length, it.offset));
        let map = playlist.map_of(it).map(|map| map.uri.as_str().to_owned());
        let date = it.program_date_time.map(|it| it.to_string());
        let title = it.title.map(str::to_owned);
        (it.uri.as_str().to_owned(), it.duration, title, range, keys, map, it.discontinuity, date)
    };
    playlist.segments.iter().map(facts).collect()
}

/// Variants, renditions and I-frame variants, by the lines of their tags.
#[expect(clippy::wildcard_enum_match_arm, reason = "lines that are no part of the menu")]
fn walked_menu(text: &str) -> Vec<(u32, String)> {
    let (mut list, mut pending) = (Vec::new(), None);
    for step in walk(text.as_bytes()) {
        let line = step.line.number;
        match step.content {
            Content::Tag(Tag::StreamInf(it)) => {
                pending = Some((line, it.value_of("BANDWIDTH").unwrap().integer()))
            }
            Content::Tag(Tag::Media(it)) => {
                let value = |name| it.value_of(name).map(|it| it.text());
                list.push((line, format!("{:?} {:?}", value("NAME"), value("URI"))));
            }
            Content::Tag(Tag::IFrameStreamInf(it)) => {
                list.push((line, it.value_of("URI").unwrap().text().to_owned()));
            }
            Content::Uri(uri) => {
                let (line, bandwidth) = pending.take().unwrap();
                list.push((line, format!("{bandwidth:?} {uri}")));
            }
            _ => {}
        }
    }
    list.sort();
    list
}

fn modelled_menu(text: &str) -> Vec<(u32, String)> {
    let playlist = multivariant(text);
    let variants = playlist.variants.iter();
    let mut list: Vec<(u32, String)> =
        variants.map(|it| (it.tag_line, format!("{:?} {}", it.bandwidth, it.uri.as_str()))).collect();
    list.extend(playlist.renditions.iter().map(|it| {
        (it.tag_line, format!("{:?} {:?}", Some(&*it.name), it.uri.as_ref().map(|uri| uri.as_str())))
    }));
    list.extend(playlist.i_frame_variants.iter().map(|it| (it.tag_line, it.uri.as_str().to_owned())));
    list.sort();
    list
}

proptest! {
    #[test]
    fn media_playlists_mean_the_same_walked_and_kept(text in playlists::media(ALL)) {
        prop_assert_eq!(walked(&text), modelled(&text));
    }

    #[test]
    fn multivariant_playlists_mean_the_same_walked_and_kept(text in playlists::multivariant()) {
        prop_assert_eq!(walked_menu(&text), modelled_menu(&text));
    }
}
