//! Any playlists become a plan or an error: equal ones become equal plans, and nothing local leads elsewhere.
//!
//! An input is words that choose tracks, a border, the item's playlist, and borders and media playlists, of
//! which each chosen track gets the next one.
#![no_main]

use std::collections::HashSet;

use dtg_core::{
    BitRate, Decoders, Extent, InefficientCodecs, Languages, Locator, Origin, OriginSet, Plan, Planned,
    Selection, SelectionOptions, Sidecar, SidecarRole, Variants, VideoCodec, plan, select,
};
use fuzz::{parts, playlist, words};
use hls_parse::{
    Key, MediaKind, MediaPlaylist, Multivariant, Playlist, Segment, Span, UriRole, Variables,
    attributes, lines, rewrite,
};
use libfuzzer_sys::fuzz_target;

const URL: &str = "https://cdn.test/show/list.m3u8?token=a&n=1";

fuzz_target!(|input: &[u8]| {
    let parts = parts(input);
    let [words_part, entry, media @ ..] = parts.as_slice() else { return };
    let entry = Origin { url: URL.to_owned(), text: entry.to_vec() };
    let options = options(&words(words_part));
    let Some((origins, planned)) = plan_of(&entry, media, &options) else { return };
    assert_eq!(plan_of(&entry, media, &options), Some((origins.clone(), planned.clone())));
    check_plan(&planned.plan);
    check_local(&planned);
    check_meaning(&planned, &origins);
    check_urls(&planned.plan, origins);
});

/// Everything at its default, but for what the words say; other words are languages.
fn options(words: &[&str]) -> SelectionOptions {
    let mut options = SelectionOptions::default();
    let mut languages = Vec::new();
    for word in words {
        match *word {
            "audio-all" => options.audio = Languages::All,
            "audio-none" => options.audio = Languages::None,
            "text-all" => options.text = Languages::All,
            "text-none" => options.text = Languages::None,
            "variants-all" => options.variants = Variants::All,
            "variants-two" => options.variants = Variants::Heights(vec![360, 720]),
            "hevc" => options.video_codecs.push(VideoCodec::Hevc),
            "av1" => options.video_codecs.push(VideoCodec::Av1),
            "720p" => options.min_height = Some(720),
            "640w" => options.min_width = Some(640),
            "1m" => options.min_bit_rates.push((VideoCodec::Avc, BitRate(1_000_000))),
            "any" => options.inefficient_codecs = InefficientCodecs::Allow,
            language => languages.push(language.to_owned()),
        }
    }
    if !languages.is_empty() {
        options.audio = Languages::Only(languages.clone());
        options.text = Languages::Only(languages);
    }
    options
}

fn plan_of(entry: &Origin, media: &[&[u8]], options: &SelectionOptions) -> Option<(OriginSet, Planned)> {
    let parsed = playlist(&entry.text, &entry.url, None)?;
    let selection = match &parsed {
        Playlist::Multivariant(multivariant) => {
            let selection = select(multivariant, options, &Decoders::default()).ok()?;
            check_selection(multivariant, &selection);
            Some(selection)
        }
        Playlist::Media(_) => None,
    };
    let chosen = selection.as_ref().map(Selection::playlists).unwrap_or_default();
    let texts = chosen.iter().zip(media.iter().cycle()).zip(0..);
    let origin = |((_, text), number): ((_, &&[u8]), u32)| Origin {
        url: format!("https://cdn.test/{number}/list.m3u8?n={number}"),
        text: text.to_vec(),
    };
    let origins = OriginSet { entry: entry.clone(), media: texts.map(origin).collect() };
    let mut playlists = Vec::new();
    for origin in &origins.media {
        match playlist(&origin.text, &origin.url, Some(parsed.variables()))? {
            Playlist::Media(media) => playlists.push(media),
            Playlist::Multivariant(_) => return None,
        }
    }
    let planned = plan(&origins, &parsed, &playlists, selection.as_ref(), &sidecars()).ok()?;
    Some((origins, planned))
}

fn sidecars() -> Vec<Sidecar> {
    let url = "https://cdn.test/p.jpg".to_owned();
    vec![Sidecar { role: SidecarRole::Thumbnail, url, language: None, name: None, mime_type: None }]
}

/// Each variant and each rendition of sound or text is chosen or left out, once. Closed captions, and views
/// without a playlist, may be inside a variant.
fn check_selection(multivariant: &Multivariant<'_>, selection: &Selection) {
    let count = |wanted: &dyn Fn(MediaKind) -> bool| {
        multivariant.renditions.iter().filter(|it| wanted(it.kind)).count()
    };
    let listed = multivariant.variants.len() + multivariant.i_frame_variants.len();
    let least = listed + count(&|kind| matches!(kind, MediaKind::Audio | MediaKind::Subtitles));
    let most = least + count(&|kind| matches!(kind, MediaKind::Video | MediaKind::ClosedCaptions));
    let judged = selection.tracks.len() + selection.skipped.len();
    let lines: HashSet<u32> = selection.skipped.iter().map(|it| it.line).collect();
    assert_eq!(lines.len(), selection.skipped.len(), "left out twice: {selection:?}");
    assert!((least..=most).contains(&judged), "{judged} of {least} to {most}: {selection:?}");
}

/// Fetches are in the order of media time, and none fetches a byte that another one of the same file does.
fn check_plan(plan: &Plan) {
    assert!(plan.fetches.is_sorted_by_key(|fetch| fetch.at_millis));
    let mut seen = HashSet::new();
    for resource in &plan.resources {
        let file = plan.file_of(resource);
        assert!(file.is_relative() && !file.as_str().contains(".."), "{file}");
        assert!(seen.insert(file), "two files of one name");
    }
    let mut fetches: Vec<_> = plan.fetches.iter().collect();
    fetches.sort_by_key(|fetch| (fetch.resource, fetch.start));
    for pair in fetches.windows(2).filter(|pair| pair[0].resource == pair[1].resource) {
        assert!(pair.iter().all(|fetch| fetch.extent == Extent::Range), "{pair:?}");
        assert!(pair[0].start + pair[0].length.bytes() <= pair[1].start, "{pair:?}");
    }
    let fetched: HashSet<u32> = fetches.iter().map(|fetch| fetch.resource).collect();
    assert_eq!(fetched.len(), plan.resources.len(), "a resource that is never fetched");
}

/// Every resource comes from somewhere that may be asked.
fn check_urls(plan: &Plan, origins: OriginSet) {
    let locator = Locator::new(origins, sidecars()).expect("these playlists were planned");
    for (_, number) in plan.resources.iter().zip(0..) {
        let url = locator.url_of(plan, number).expect("a planned resource has a URL");
        assert!(matches!(url.scheme(), "http" | "https" | "data"), "{url}");
    }
}

/// The local playlists are playlists, and lead to local files only.
fn check_local(planned: &Planned) {
    let plan = &planned.plan;
    let mut files: HashSet<String> = plan.resources.iter().map(|it| plan.file_of(it).to_string()).collect();
    files.extend(planned.local.iter().map(|local| local.path.to_string()));
    assert!(files.contains(plan.master_file().as_str()));
    for local in &planned.local {
        let url = format!("https://player.test/item/{}", local.path);
        let text = String::from_utf8_lossy(&local.text);
        // No query and no imports: what is left of variables must stand by itself.
        let parsed =
            playlist(&local.text, &url, None).unwrap_or_else(|| panic!("no playlist any more:\n{text}"));
        let gaps: HashSet<_> = match &parsed {
            Playlist::Media(media) => {
                media.segments.iter().filter(|it| it.gap).map(|it| it.uri.span).collect()
            }
            Playlist::Multivariant(_) => HashSet::new(),
        };
        let drm = drm_keys(&local.text, parsed.variables());
        let result = rewrite(&parsed, &local.text, |role, uri| {
            let leads = resolved(&url, &uri.text);
            let is_there = leads.as_ref().is_some_and(|file| files.contains(file));
            let is_gap = gaps.contains(&uri.span) && leads.is_some();
            let is_drm = matches!(role, UriRole::Key | UriRole::SessionKey) && drm.contains(&uri.span);
            // What stands for a key of which no player could make use.
            let is_none = role == UriRole::Key && uri.text == "data:,";
            assert!(is_drm || is_gap || is_none || is_there, "{role:?} {uri:?} leads to {leads:?} in\n{text}");
            None
        });
        assert!(result.is_ok());
    }
}

/// A local media playlist says of its segments what the origin's says.
fn check_meaning(planned: &Planned, origins: &OriginSet) {
    let entry = playlist(&origins.entry.text, &origins.entry.url, None).expect("it was planned");
    for (planned, local) in planned.plan.playlists.iter().zip(&planned.local) {
        let origin = origins.get(planned.origin).expect("it was planned");
        let imports = (planned.origin > 0).then(|| entry.variables());
        let (before, after) = (
            playlist(&origin.text, &origin.url, imports),
            playlist(&local.text, "https://player.test/", None),
        );
        let (Some(Playlist::Media(before)), Some(Playlist::Media(after))) = (before, after) else {
            panic!("two media playlists");
        };
        let text = String::from_utf8_lossy(&local.text);
        assert_eq!(said_of_segments(&after), said_of_segments(&before), "{text}");
    }
}

fn said_of_segments(media: &MediaPlaylist<'_>) -> Vec<String> {
    let said = |segment: &Segment<'_>| {
        let needs = !segment.gap; // what only such segments need is not kept
        let mut keys: Vec<_> =
            media.keys_of(segment).iter().filter(|_| needs).map(said_of_key).collect();
        keys.sort(); // a format that came first in a line that nothing needs comes later without it
        let map = media.map_of(segment).filter(|_| needs).map(|map| map.byte_range);
        let Segment { duration, title, byte_range, media_sequence, gap, bitrate, .. } = segment;
        let time = (segment.discontinuity, segment.discontinuity_sequence, segment.program_date_time);
        format!(
            "{duration:?} {title:?} {byte_range:?} {media_sequence} {gap} {bitrate:?} {time:?} {keys:?} {map:?}"
        )
    };
    media.segments.iter().map(said).collect()
}

fn said_of_key(key: &Key<'_>) -> String {
    format!("{} {} {:?} {:?}", key.method.as_str(), key.key_format, key.iv, key.key_format_versions)
}

/// The item's file that a reference leads to.
fn resolved(base: &str, reference: &str) -> Option<String> {
    let base = url::Url::parse(base).expect("ours");
    let url = hls_parse::resolve(&base, reference).ok()?;
    let file = url.as_str().strip_prefix("https://player.test/item/")?;
    (!reference.starts_with('/') && !reference.contains(':')).then(|| file.to_owned())
}

/// The URIs of keys of DRM systems, which stay as they are.
fn drm_keys(text: &[u8], variables: &Variables) -> HashSet<Span> {
    let mut found = HashSet::new();
    for line in lines(text) {
        let list: Vec<_> = attributes(&line).flatten().collect();
        let last = |name| {
            let last = list.iter().rev().find(|it| it.name == name);
            last.and_then(|it| variables.substitute(it.value.text()).ok())
        };
        let is_skd = last("URI").is_some_and(|uri| uri.to_ascii_lowercase().starts_with("skd:"));
        if is_skd || last("KEYFORMAT").is_some_and(|format| format != "identity") {
            found.extend(list.iter().filter(|it| it.name == "URI").map(|it| it.value_span));
        }
    }
    found
}
