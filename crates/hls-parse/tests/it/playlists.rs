//! Playlists made at random that break no rule, so that every reader has to accept them.

use proptest::prelude::*;
use proptest::sample::select;

/// What a reader can be trusted with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// The key formats that occur; `identity` is written as none.
    pub(crate) formats: &'static [&'static str],
    /// What follows the comma of EXTINF.
    pub(crate) titles: &'static [&'static str],
    /// Whether METHOD=NONE occurs.
    pub(crate) none: bool,
}

/// A segment's lines, still without those that depend on the segment before.
#[derive(Debug, Clone)]
struct Item {
    before: Vec<String>,
    duration: String,
    title: &'static str,
    range: Range,
    uri: String,
}

#[derive(Debug, Clone, Copy)]
enum Range {
    Whole,
    At(u32, u32),
    /// Only where the segment before is a range: then of the same resource.
    Next(u32),
}

/// A media playlist.
pub(crate) fn media(dialect: Dialect) -> impl Strategy<Value = String> {
    let head = (any::<u32>(), any::<bool>(), select(vec!["\n", "\r\n"]));
    (head, prop::collection::vec(item(dialect), 0..12)).prop_map(|((first, end_list, end), items)| {
        let mut lines = vec![
            "#EXTM3U".to_owned(),
            "#EXT-X-VERSION:7".to_owned(),
            "#EXT-X-TARGETDURATION:100000".to_owned(),
            format!("#EXT-X-MEDIA-SEQUENCE:{first}"),
        ];
        let mut ranged = None;
        for item in items {
            push(&mut lines, &mut ranged, item);
        }
        if end_list {
            lines.push("#EXT-X-ENDLIST".to_owned());
        }
        lines.push(String::new());
        lines.join(end)
    })
}

/// Writes a segment; `ranged` is the resource that the one before was a range of.
fn push(lines: &mut Vec<String>, ranged: &mut Option<String>, item: Item) {
    lines.extend(item.before);
    lines.push(format!("#EXTINF:{},{}", item.duration, item.title));
    let (range, uri) = match (item.range, ranged.take()) {
        (Range::At(length, offset), _) => (Some(format!("{length}@{offset}")), item.uri),
        (Range::Next(length), Some(same)) => (Some(length.to_string()), same),
        (Range::Next(_), None) | (Range::Whole, _) => (None, item.uri),
    };
    if let Some(range) = range {
        lines.push(format!("#EXT-X-BYTERANGE:{range}"));
        *ranged = Some(uri.clone());
    }
    lines.push(uri);
}

fn item(dialect: Dialect) -> impl Strategy<Value = Item> {
    let range = prop_oneof![
        Just(Range::Whole),
        (1..9000_u32, any::<u32>()).prop_map(|(length, offset)| Range::At(length, offset)),
        (1..9000_u32).prop_map(Range::Next),
    ];
    let duration = "[0-9]{1,4}(\\.[0-9]{1,9})?";
    (before(dialect), duration, select(dialect.titles), range, uri())
        .prop_map(|(before, duration, title, range, uri)| Item { before, duration, title, range, uri })
}

/// At most one map and one key of each format, then lines that say nothing about the segment.
fn before(dialect: Dialect) -> impl Strategy<Value = Vec<String>> {
    let noise = select(vec!["", "# comment", "#EXT-X-FOO:BAR=\"1\"", "#EXT-X-DISCONTINUITY"]);
    let keys = prop::collection::vec(key(dialect), 0..=dialect.formats.len());
    (prop::option::of(map()), keys, prop::option::of(noise))
        .prop_map(|(map, keys, noise)| map.into_iter().chain(keys).chain(noise.map(str::to_owned)).collect())
}

fn map() -> impl Strategy<Value = String> {
    (uri(), prop::option::of((1..9000_u32, any::<u32>()))).prop_map(|(uri, range)| match range {
        Some((length, offset)) => format!("#EXT-X-MAP:URI=\"{uri}\",BYTERANGE=\"{length}@{offset}\""),
        None => format!("#EXT-X-MAP:URI=\"{uri}\""),
    })
}

fn key(dialect: Dialect) -> impl Strategy<Value = String> {
    let method = select(vec!["SAMPLE-AES", "SAMPLE-AES-CTR", "AES-128"]);
    let iv = prop::option::of("0x[0-9a-fA-F]{32}");
    let some = (method, uri(), iv, select(dialect.formats), prop::option::of(select(vec!["1", "1/2/5"])));
    let some = some.prop_map(|(method, uri, iv, format, versions)| {
        let mut line = format!("#EXT-X-KEY:METHOD={method},URI=\"{uri}\"");
        // A map under AES-128 must have an IV.
        let iv =
            iv.or_else(|| (method == "AES-128").then(|| "0x0000000000000000000000000000000a".to_owned()));
        // A key of SAMPLE-AES-CTR must have none.
        let iv = iv.filter(|_| method != "SAMPLE-AES-CTR");
        let format = (format != "identity").then(|| format.to_owned());
        let rest = [
            ("IV=", iv, ""),
            ("KEYFORMAT=\"", format, "\""),
            ("KEYFORMATVERSIONS=\"", versions.map(str::to_owned), "\""),
        ];
        for (name, value, end) in rest {
            line.extend(value.map(|value| format!(",{name}{value}{end}")));
        }
        line
    });
    prop_oneof![4 => some, u32::from(dialect.none) => Just("#EXT-X-KEY:METHOD=NONE".to_owned())]
}

/// References without what is special in quotes, at an end or as a first character (for m3u8-rs also a comma).
fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["a.ts", "b.ts", "https://h/a,b=c.ts?x=1&y=2", "skd://k", "\u{e9}/\u{89c6}.mp4"])
            .prop_map(str::to_owned),
        "[a-z0-9/?&=%.:_@{}$~-][a-z0-9/?&=%.,:_@{}$~-]{0,11}"
            .prop_filter("no reference to a variable", |uri| !uri.contains("{$")),
    ]
}

/// A multivariant playlist: renditions, I-frame variants, variants.
pub(crate) fn multivariant() -> impl Strategy<Value = String> {
    let end = select(vec!["\n", "\r\n"]);
    let groups = prop::collection::vec((rendition(), variant(), prop::option::of(i_frame_variant())), 1..8);
    (groups, end).prop_map(|(groups, end)| {
        let mut lines = vec!["#EXTM3U".to_owned(), "#EXT-X-VERSION:7".to_owned()];
        for (number, (rendition, variant, i_frames)) in groups.into_iter().enumerate() {
            lines.push(format!("#EXT-X-MEDIA:GROUP-ID=\"g\",NAME=\"n{number}\",TYPE=AUDIO{rendition}"));
            lines.extend(i_frames);
            lines.push(variant);
        }
        lines.push(String::new());
        lines.join("\n").replace('\n', end)
    })
}

/// Some of these attributes, in order.
fn attributes(list: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::subsequence(list, 0..=list.len()).prop_map(|some| some.concat())
}

fn rendition() -> impl Strategy<Value = String> {
    let more = attributes(&[
        ",LANGUAGE=\"fr-CA\"",
        ",AUTOSELECT=YES,DEFAULT=NO",
        ",CHARACTERISTICS=\"a.b,c.d\"",
        ",CHANNELS=\"6\"",
    ]);
    (more, prop::option::of(uri()))
        .prop_map(|(more, uri)| uri.map_or_else(|| more.clone(), |uri| format!("{more},URI=\"{uri}\"")))
}

fn variant() -> impl Strategy<Value = String> {
    let more = attributes(&[
        ",AUDIO=\"g\"",
        ",CODECS=\"avc1.4d401e,mp4a.40.2\"",
        ",SUPPLEMENTAL-CODECS=\"dvh1.08.07/db4h\"",
        ",HDCP-LEVEL=NONE",
        ",STABLE-VARIANT-ID=\"s\",PATHWAY-ID=\"p\"",
    ]);
    let size = prop::option::of((1..9000_u32, 1..9000_u32));
    let rate = prop::option::of("[0-9]{1,3}\\.[0-9]{1,3}");
    (any::<u32>(), more, size, rate, uri()).prop_map(|(bandwidth, more, size, rate, uri)| {
        let size = size.map_or_else(String::new, |(width, height)| format!(",RESOLUTION={width}x{height}"));
        let rate = rate.map_or_else(String::new, |rate| format!(",FRAME-RATE={rate}"));
        format!("#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}{more}{size}{rate}\n# between\n{uri}")
    })
}

fn i_frame_variant() -> impl Strategy<Value = String> {
    (any::<u32>(), uri())
        .prop_map(|(bandwidth, uri)| format!("#EXT-X-I-FRAME-STREAM-INF:URI=\"{uri}\",BANDWIDTH={bandwidth}"))
}
