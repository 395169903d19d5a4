//! The same playlists through quick-m3u8: its lines, put together naively, say what ours say.

use std::collections::BTreeMap;

use ::quick_m3u8::config::ParsingOptionsBuilder;
use ::quick_m3u8::tag::{KnownTag, hls};
use ::quick_m3u8::{HlsLine, Reader};
use hls_parse::{ByteRange, ClosedCaptions, Decimal};
use proptest::prelude::*;

use super::playlists::{self, Dialect};
use super::*;

pub(crate) const ALL: Dialect = Dialect {
    formats: &["identity", "com.apple.streamingkeydelivery", "urn:uuid:edef8ba9"],
    titles: &["", "title", "a, b", " 5,5", "x=\"y\""],
    none: true,
};

/// Method, URI, IV, versions, by format.
type Keys = BTreeMap<String, (String, Option<String>, Option<u128>, Option<String>)>;

#[derive(Debug, Clone, Default, PartialEq)]
struct Facts {
    uri: String,
    title: String,
    range: Option<(u64, u64)>,
    keys: Keys,
    map: Option<(String, Option<(u64, u64)>)>,
    discontinuity: bool,
    sequence: u64,
}

/// What their reader makes of it: facts and a duration for each segment.
#[expect(clippy::wildcard_enum_match_arm, reason = "tags that say nothing about segments")]
fn theirs(text: &str) -> Vec<(Facts, f64)> {
    let options = ParsingOptionsBuilder::new().with_parsing_for_all_tags().build();
    let mut reader = Reader::from_str(text, options);
    let (mut list, mut next, mut duration) = (Vec::new(), Facts::default(), 0.0);
    let mut end = 0;
    while let Some(line) = reader.read_line().unwrap() {
        let tag = match line {
            HlsLine::KnownTag(KnownTag::Hls(tag)) => tag,
            HlsLine::Uri(uri) => {
                next.uri = uri.into_owned();
                end = next.range.map_or(0, |(length, offset)| length + offset);
                list.push((next.clone(), duration));
                (next.range, next.discontinuity, next.sequence) = (None, false, next.sequence + 1);
                continue;
            }
            HlsLine::KnownTag(KnownTag::Custom(_))
            | HlsLine::UnknownTag(_)
            | HlsLine::Comment(_)
            | HlsLine::Blank => {
                continue;
            }
        };
        match tag {
            hls::Tag::Inf(inf) => (duration, next.title) = (inf.duration(), inf.title().to_owned()),
            hls::Tag::Byterange(range) => next.range = Some((range.length(), range.offset().unwrap_or(end))),
            hls::Tag::Discontinuity(_) => next.discontinuity = true,
            hls::Tag::MediaSequence(first) => next.sequence = first.media_sequence(),
            hls::Tag::Key(key) => apply(&mut next.keys, &key),
            hls::Tag::Map(map) => {
                next.map = Some((map.uri().to_owned(), map.byterange().map(|it| (it.length, it.offset))));
            }
            _ => {}
        }
    }
    list
}

fn apply(keys: &mut Keys, key: &hls::Key<'_>) {
    let method = key.method().as_cow().into_owned();
    if method == "NONE" {
        keys.clear();
        return;
    }
    let iv = key.iv().map(|iv| u128::from_str_radix(&iv[2..], 16).unwrap());
    let facts = (method, key.uri().map(str::to_owned), iv, key.keyformatversions().map(str::to_owned));
    keys.insert(key.keyformat().to_owned(), facts);
}

fn ours(text: &str) -> Vec<(Facts, f64)> {
    let playlist = media(text);
    let range = |it: ByteRange| (it.length, it.offset);
    let keys = |segment| {
        let keys = playlist.keys_of(segment).iter().map(|key| {
            let (method, uri) =
                (key.method.as_str().to_owned(), key.uri.as_ref().map(|it| it.text.to_string()));
            let versions = key.key_format_versions.as_deref().map(str::to_owned);
            (key.key_format.to_string(), (method, uri, key.iv.map(u128::from_be_bytes), versions))
        });
        keys.collect()
    };
    let facts = playlist.segments.iter().map(|it| Facts {
        uri: it.uri.text.to_string(),
        title: it.title.unwrap_or_default().to_owned(),
        range: it.byte_range.map(range),
        keys: keys(it),
        map: playlist.map_of(it).map(|map| (map.uri.text.to_string(), map.byte_range.map(range))),
        discontinuity: it.discontinuity,
        sequence: it.media_sequence,
    });
    facts.zip(playlist.segments.iter().map(|it| it.duration.as_secs_f64())).collect()
}

/// What their reader makes of a multivariant playlist, a line of words for each value, in the order of the text.
fn their_menu(text: &str) -> Vec<String> {
    let options = ParsingOptionsBuilder::new().with_parsing_for_all_tags().build();
    let mut reader = Reader::from_str(text, options);
    let mut list = Vec::new();
    let mut variant = String::new();
    while let Some(line) = reader.read_line().unwrap() {
        if let HlsLine::KnownTag(KnownTag::Hls(hls::Tag::StreamInf(it))) = &line {
            let size = it.resolution().map(|size| (size.width, size.height));
            let ids = (it.stable_variant_id(), it.pathway_id(), it.audio(), it.closed_captions());
            let codecs = (it.codecs(), it.supplemental_codecs());
            variant = format!("{} {codecs:?} {size:?} {:?} {ids:?}", it.bandwidth(), it.frame_rate());
        } else if let HlsLine::KnownTag(KnownTag::Hls(hls::Tag::Media(it))) = &line {
            let names = (it.group_id(), it.name(), it.language(), it.uri());
            list.push(format!("{names:?} {:?}", (it.default(), it.autoselect(), it.forced())));
        } else if let HlsLine::KnownTag(KnownTag::Hls(hls::Tag::IFrameStreamInf(it))) = &line {
            list.push(format!("{} {}", it.uri(), it.bandwidth()));
        } else if let HlsLine::Uri(uri) = &line {
            list.push(format!("{uri} {variant}"));
        }
    }
    list
}

fn our_menu(text: &str) -> Vec<String> {
    let playlist = multivariant(text);
    let mut list = Vec::new();
    for it in &playlist.variants {
        let size = it.resolution.map(|size| (size.width, size.height));
        // They have no word for NONE without quotes.
        let captions = match &it.closed_captions {
            Some(ClosedCaptions::Group(group)) => Some(&**group),
            Some(ClosedCaptions::None) | None => None,
        };
        let ids = (it.stable_variant_id.as_deref(), it.pathway_id.as_deref(), it.audio.as_deref(), captions);
        let codecs = (it.codecs.as_deref(), it.supplemental_codecs.as_deref());
        let (bandwidth, rate) = (it.bandwidth.unwrap(), it.frame_rate.map(Decimal::as_f64));
        list.push((
            it.uri_line,
            format!("{} {bandwidth} {codecs:?} {size:?} {rate:?} {ids:?}", it.uri.as_str()),
        ));
    }
    for it in &playlist.renditions {
        let uri = it.uri.as_ref().map(|uri| uri.as_str());
        let names = (&*it.group_id, &*it.name, it.language.as_deref(), uri);
        list.push((it.tag_line, format!("{names:?} {:?}", (it.default, it.autoselect, it.forced))));
    }
    for it in &playlist.i_frame_variants {
        list.push((it.tag_line, format!("{} {}", it.uri.as_str(), it.bandwidth.unwrap())));
    }
    list.sort_by_key(|(line, _)| *line);
    list.into_iter().map(|(_, words)| words).collect()
}

proptest! {
    #[test]
    fn media_playlists_mean_the_same_to_quick_m3u8(text in playlists::media(ALL)) {
        prop_assert!(read(text.as_bytes(), Reading::Strict).is_ok(), "refused: {}", text);
        let (ours, theirs) = (ours(&text), theirs(&text));
        prop_assert_eq!(ours.len(), theirs.len());
        for ((our, seconds), (their, their_seconds)) in ours.into_iter().zip(theirs) {
            prop_assert_eq!(our, their);
            prop_assert!((seconds - their_seconds).abs() < 1e-9, "{} {}", seconds, their_seconds);
        }
    }

    #[test]
    fn multivariant_playlists_mean_the_same_to_quick_m3u8(text in playlists::multivariant()) {
        prop_assert!(read(text.as_bytes(), Reading::Strict).is_ok(), "refused: {}", text);
        prop_assert_eq!(our_menu(&text), their_menu(&text));
    }
}
