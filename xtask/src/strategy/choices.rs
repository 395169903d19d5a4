//! The strategies, from the top down. First choices are the plain ones: values shrink towards them.

use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::recipe::{
    DateRangeChoice, DefineChoice, Ending, Extras, KeyChoice, MapChoice, Note, Place, RangeChoice, Recipe,
    RenditionRecipe, SegmentRecipe, Spelling, Subject, TagsRecipe, TextRecipe, TrackRecipe, VariantRecipe,
};
use super::{Feature, Features, Options};
use crate::tree::{Kind, LastLine, LineEnds, Mark, TextStyle, UriForm};

pub(super) fn recipe(options: &Options) -> impl Strategy<Value = Recipe> + use<> {
    let features = options.features;
    let hosts: usize = if features.has(Feature::Hosts) { 3 } else { 1 };
    let subject = one_of(features.has(Feature::BareMedia), Subject::Multivariant, &[Subject::BareMedia]);
    (
        any::<u64>(),
        1..=hosts,
        subject,
        vec(variant(options), options.variants.clone()),
        vec(rendition(options), options.renditions.clone()),
        extras(features),
    )
        .prop_map(|(seed, hosts, subject, variants, renditions, extras)| Recipe {
            seed,
            hosts,
            subject,
            variants,
            renditions,
            extras,
        })
}

fn extras(features: Features) -> impl Strategy<Value = Extras> {
    let now_and_then = |feature| sometimes(features.has(feature));
    (
        text(features),
        now_and_then(Feature::Session),
        now_and_then(Feature::Session),
        now_and_then(Feature::Steering),
        now_and_then(Feature::IFrames),
    )
        .prop_map(|(text, session_keys, session_data, steering, i_frames)| Extras {
            text,
            session_keys,
            session_data,
            steering,
            i_frames,
        })
}

fn text(features: Features) -> impl Strategy<Value = TextRecipe> {
    let styled = features.has(Feature::TextStyles);
    let style = (
        one_of(styled, LineEnds::Lf, &[LineEnds::CrLf, LineEnds::Mixed]),
        one_of(styled, LastLine::Ended, &[LastLine::Open]),
        one_of(styled, Mark::Absent, &[Mark::Utf8]),
    );
    let style = style.prop_map(|(line_ends, last_line, mark)| TextStyle { line_ends, last_line, mark });
    let notes = if features.has(Feature::UnknownLines) { 0..=2 } else { 0..=0 };
    (style, vec(note(), notes), sometimes(features.has(Feature::Times)))
        .prop_map(|(style, notes, start)| TextRecipe { style, notes, start })
}

fn note() -> impl Strategy<Value = Note> {
    (0..super::cook::NOTES).prop_map(Note)
}

fn variant(options: &Options) -> impl Strategy<Value = VariantRecipe> + use<> {
    let shares = sometimes(options.features.has(Feature::SharedPlaylists));
    (track(options), shares, 100_u64..=5000, 1_u64..=1080, 0_usize..=5, spelling(options.features)).prop_map(
        |(track, shares, kilobits, height, attributes, spelling)| VariantRecipe {
            track,
            shares,
            kilobits,
            height,
            attributes,
            spelling,
        },
    )
}

fn rendition(options: &Options) -> impl Strategy<Value = RenditionRecipe> + use<> {
    let muxed = options.features.has(Feature::MuxedRenditions);
    let own = match muxed {
        true => option::weighted(0.75, track(options)).boxed(),
        false => track(options).prop_map(Some).boxed(),
    };
    let kinds = match muxed {
        true => vec![Kind::Audio, Kind::Subtitles, Kind::Video, Kind::ClosedCaptions],
        false => vec![Kind::Audio, Kind::Subtitles],
    };
    // The last language is an empty string.
    let languages: usize = if options.features.has(Feature::OddNames) { 6 } else { 5 };
    (select(kinds), own, 0..languages, spelling(options.features))
        .prop_map(|(kind, track, language, spelling)| RenditionRecipe { kind, track, language, spelling })
}

fn track(options: &Options) -> impl Strategy<Value = TrackRecipe> + use<> {
    let features = options.features;
    let starts = features.has(Feature::StartValues);
    let sequences = [1, 2680, u64::from(u32::MAX), (1 << 53) + 1, u64::MAX - 1_000_000];
    let sequences: Vec<Option<u64>> = sequences.into_iter().map(Some).chain([Some(0)]).collect();
    let defines = [DefineChoice::Value, DefineChoice::Import, DefineChoice::QueryParam];
    (
        text(features),
        one_of(starts, None, &sequences),
        one_of(starts, None, &[Some(1), Some(77)]),
        maybe(features.has(Feature::Defines), select(defines.to_vec())),
        ending(features),
        sometimes(features.has(Feature::LowLatency)),
        vec(segment(options), options.segments.clone()),
        tags(features),
    )
        .prop_map(
            |(text, media_sequence, discontinuity_sequence, define, ending, low_latency, segments, tail)| {
                TrackRecipe {
                    text,
                    media_sequence,
                    discontinuity_sequence,
                    define,
                    ending,
                    low_latency,
                    segments,
                    tail,
                }
            },
        )
}

fn ending(features: Features) -> impl Strategy<Value = Ending> {
    let types = features.has(Feature::PlaylistTypes);
    let types = types.then_some([Ending::Untyped, Ending::Event]).into_iter().flatten();
    let live = features.has(Feature::Live);
    let live = live.then_some([Ending::Live, Ending::OpenEvent, Ending::Delta]).into_iter().flatten();
    let others: Vec<Ending> = types.chain(live).collect();
    one_of(!others.is_empty(), Ending::Vod, &others)
}

fn segment(options: &Options) -> impl Strategy<Value = SegmentRecipe> + use<> {
    let features = options.features;
    let whole_seconds = (1_u32..=10).prop_map(|seconds| seconds * 1_000_000);
    let microseconds = prop_oneof![3 => whole_seconds, 1 => 1_u32..=10_000_000];
    (
        microseconds,
        sometimes(features.has(Feature::Titles)),
        options.segment_bytes.clone(),
        place(features),
        spelling(features),
        tags(features),
    )
        .prop_map(|(microseconds, title, bytes, place, spelling, tags)| SegmentRecipe {
            microseconds,
            title,
            bytes,
            place,
            spelling,
            tags,
        })
}

fn place(features: Features) -> BoxedStrategy<Place> {
    let mut places = vec![Place::Own];
    if features.has(Feature::ByteRanges) {
        let choices =
            [RangeChoice::Stated, RangeChoice::Implied, RangeChoice::AfterAHole, RangeChoice::Overlapping];
        places.extend(choices.map(Place::Shared));
    }
    if features.has(Feature::Repeats) {
        places.push(Place::Again);
    }
    select(places).boxed()
}

fn spelling(features: Features) -> impl Strategy<Value = Spelling> {
    let forms = [
        UriForm::RootRelative,
        UriForm::Detour,
        UriForm::Absolute,
        UriForm::ProtocolRelative,
        UriForm::QueryOnly,
    ];
    let query_only = features.has(Feature::Queries);
    let forms: Vec<_> = forms.into_iter().filter(|form| query_only || *form != UriForm::QueryOnly).collect();
    let up_to = |on: bool, most: usize| 0..=if on { most } else { 0 };
    (
        one_of(features.has(Feature::UriForms), UriForm::Relative, &forms),
        up_to(features.has(Feature::Hosts), 2),
        sometimes(features.has(Feature::Queries)),
        sometimes(features.has(Feature::Fragments)),
        up_to(features.has(Feature::OddNames), super::cook::NAMES - 1),
        up_to(features.has(Feature::UriForms), 2),
    )
        .prop_map(|(form, host, query, fragment, name, folder)| Spelling {
            form,
            host,
            query,
            fragment,
            name,
            folder,
        })
}

fn tags(features: Features) -> impl Strategy<Value = TagsRecipe> {
    let maps = [MapChoice::Own, MapChoice::Shared, MapChoice::First, MapChoice::InMedia];
    let dates = [DateRangeChoice::Plain, DateRangeChoice::AssetUri, DateRangeChoice::AssetList];
    let marks = (
        sometimes(features.has(Feature::Discontinuities)),
        sometimes(features.has(Feature::Gaps)),
        sometimes(features.has(Feature::Times)),
    );
    (
        maybe(features.has(Feature::Maps), select(maps.to_vec())),
        key(features),
        marks,
        maybe(features.has(Feature::Times), 1_u64..=9000),
        maybe(features.has(Feature::DateRanges), select(dates.to_vec())),
        maybe(features.has(Feature::UnknownLines), note()),
        // Only in playlists of low latency, which are few enough.
        any::<bool>().prop_map(move |parts| parts && features.has(Feature::LowLatency)),
    )
        .prop_map(|(map, key, (discontinuity, gap, time), bitrate, date_range, note, parts)| {
            TagsRecipe { key, map, discontinuity, gap, time, bitrate, parts, date_range, note }
        })
}

fn key(features: Features) -> BoxedStrategy<Option<KeyChoice>> {
    let mut choices: Vec<BoxedStrategy<KeyChoice>> = Vec::new();
    if features.has(Feature::Keys) {
        let iv = option::of(any::<u8>());
        choices.push((0_u8..3, iv).prop_map(|(key, iv)| KeyChoice::Aes128(key, iv)).boxed());
        choices.push((0_u8..3, any::<u8>()).prop_map(|(key, iv)| KeyChoice::SampleAes(key, iv)).boxed());
    }
    if features.has(Feature::DataKeys) {
        choices.push((0_u8..3).prop_map(KeyChoice::Data).boxed());
    }
    if features.has(Feature::Drm) {
        choices.push((0_u8..3).prop_map(KeyChoice::Drm).boxed());
        choices.push((0_u8..3).prop_map(KeyChoice::DrmAndIdentity).boxed());
    }
    if choices.is_empty() {
        return Just(None).boxed();
    }
    choices.push(Just(KeyChoice::Clear).boxed());
    option::weighted(0.3, proptest::strategy::Union::new(choices)).boxed()
}

fn sometimes(on: bool) -> BoxedStrategy<bool> {
    if on { weighted(0.2).boxed() } else { Just(false).boxed() }
}

fn maybe<T>(on: bool, some: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<T>>
where
    T: std::fmt::Debug + Clone + 'static,
{
    if on { option::weighted(0.2, some).boxed() } else { Just(None).boxed() }
}

/// The plain choice half of the time; always where the others are off.
fn one_of<T>(on: bool, plain: T, others: &[T]) -> BoxedStrategy<T>
where
    T: std::fmt::Debug + Clone + 'static,
{
    match on {
        true => prop_oneof![1 => Just(plain), 1 => select(others.to_vec())].boxed(),
        false => Just(plain).boxed(),
    }
}
