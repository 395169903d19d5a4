//! The table of platforms and entries, and what is said about sources that are passed over.

use super::*;
use crate::drm::DrmParams;

/// `"hls fps:hls mp4"` is an entry: formats in order, each with its DRM before the colon.
fn entry(sources: &str) -> MediaEntry {
    let sources = sources.split_whitespace().enumerate().map(|(at, word)| {
        let (drm, format) = word.split_once(':').unwrap_or(("", word));
        let extension = if format == "hls" { "m3u8" } else { format };
        let mut source =
            MediaSource::new(format!("{word}#{at}"), format!("https://h.test/{at}.{extension}?ks=secret"));
        source.drm = drm.split('+').filter(|name| !name.is_empty()).map(drm_params).collect();
        source
    });
    MediaEntry { sources: sources.collect(), ..MediaEntry::new("1_abc") }
}

fn drm_params(name: &str) -> DrmParams {
    let scheme = match name {
        "fps" => return DrmParams::fair_play("https://h.test/license", *b"cert"),
        "wv" => DrmScheme::WidevineCenc,
        "pr" => DrmScheme::PlayReadyCenc,
        _ => DrmScheme::Unknown,
    };
    DrmParams { stated_scheme: Some(scheme), ..DrmParams::default() }
}

fn platform(name: &str) -> Platform {
    match name.strip_prefix("ios") {
        Some(version) => {
            let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
            Platform::ios(major.parse().unwrap(), minor.parse().unwrap())
        }
        None if name == "desktop" => Platform::desktop(),
        None => Platform::desktop().with_content_key_system(),
    }
}

/// The chosen word and its mechanism, or `-`.
fn answer(sources: &str, platform: &Platform, policy: Policy) -> String {
    let entry = entry(sources);
    for_download(&entry, platform, policy).map_or("-".to_owned(), |choice| {
        let mechanism = match choice.mechanism {
            Mechanism::DownloadToGo => "dtg",
            Mechanism::AssetDownloadTask => "task",
        };
        format!("{}/{mechanism}", choice.source.id)
    })
}

const ENTRIES: [&str; 8] =
    ["hls", "fps:hls", "mp4", "fps:hls hls", "hls fps:hls", "mp4 fps:hls", "wv+pr:hls mp4", "wv+fps:hls"];

/// A row for each platform, a column for each of [`ENTRIES`].
const SEED_GATES: &str = "
    ios7      -          -               -          -               -          -               -          -
    ios8      hls#0/dtg  -               mp4#0/dtg  hls#1/dtg       hls#0/dtg  mp4#0/dtg       mp4#1/dtg  -
    ios9      hls#0/dtg  -               mp4#0/dtg  hls#1/dtg       hls#0/dtg  mp4#0/dtg       mp4#1/dtg  -
    ios9.3    hls#0/dtg  -               mp4#0/dtg  hls#1/dtg       hls#0/dtg  mp4#0/dtg       mp4#1/dtg  -
    ios10.0   hls#0/dtg  fps:hls#0/task  mp4#0/dtg  fps:hls#0/task  hls#0/dtg  fps:hls#1/task  mp4#1/dtg  wv+fps:hls#0/task
    ios10.2   hls#0/dtg  fps:hls#0/task  mp4#0/dtg  fps:hls#0/task  hls#0/dtg  fps:hls#1/task  mp4#1/dtg  wv+fps:hls#0/task
    ios10.3   hls#0/dtg  fps:hls#0/dtg   mp4#0/dtg  fps:hls#0/dtg   hls#0/dtg  fps:hls#1/dtg   mp4#1/dtg  wv+fps:hls#0/dtg
    ios11     hls#0/dtg  fps:hls#0/dtg   mp4#0/dtg  fps:hls#0/dtg   hls#0/dtg  fps:hls#1/dtg   mp4#1/dtg  wv+fps:hls#0/dtg
    desktop   hls#0/dtg  -               mp4#0/dtg  hls#1/dtg       hls#0/dtg  mp4#0/dtg       mp4#1/dtg  -
    with-keys hls#0/dtg  fps:hls#0/dtg   mp4#0/dtg  fps:hls#0/dtg   hls#0/dtg  fps:hls#1/dtg   mp4#1/dtg  wv+fps:hls#0/dtg
";

const RECOMMENDED_ONLY: &str = "
    ios7      -          -               -          -               -          -               -          -
    ios8      hls#0/dtg  -               mp4#0/dtg  hls#1/dtg       hls#0/dtg  mp4#0/dtg       mp4#1/dtg  -
    ios9      hls#0/dtg  -               mp4#0/dtg  hls#1/dtg       hls#0/dtg  mp4#0/dtg       mp4#1/dtg  -
    ios10.0   hls#0/dtg  -               mp4#0/dtg  hls#1/dtg       hls#0/dtg  mp4#0/dtg       mp4#1/dtg  -
    ios10.2   hls#0/dtg  -               mp4#0/dtg  hls#1/dtg       hls#0/dtg  mp4#0/dtg       mp4#1/dtg  -
    ios10.3   hls#0/dtg  fps:hls#0/dtg   mp4#0/dtg  fps:hls#0/dtg   hls#0/dtg  fps:hls#1/dtg   mp4#1/dtg  wv+fps:hls#0/dtg
    ios11     hls#0/dtg  fps:hls#0/dtg   mp4#0/dtg  fps:hls#0/dtg   hls#0/dtg  fps:hls#1/dtg   mp4#1/dtg  wv+fps:hls#0/dtg
    desktop   hls#0/dtg  -               mp4#0/dtg  hls#1/dtg       hls#0/dtg  mp4#0/dtg       mp4#1/dtg  -
    with-keys hls#0/dtg  fps:hls#0/dtg   mp4#0/dtg  fps:hls#0/dtg   hls#0/dtg  fps:hls#1/dtg   mp4#1/dtg  wv+fps:hls#0/dtg
";

#[track_caller]
fn check_table(table: &str, policy: Policy) {
    for line in table.trim().lines() {
        let row: Vec<&str> = line.split_whitespace().collect();
        let answers: Vec<String> =
            ENTRIES.iter().map(|sources| answer(sources, &platform(row[0]), policy)).collect();
        assert_eq!(answers, row[1..], "{}", row[0]);
    }
}

#[test]
fn the_gates_of_the_seed_are_exactly_these() {
    check_table(SEED_GATES, Policy::default());
}

#[test]
fn the_recommendation_rules_out_fair_play_below_10_3() {
    check_table(RECOMMENDED_ONLY, Policy::RecommendedOnly);
}

#[test]
fn single_files_come_after_hls_mp4_before_sound_and_widevine_classic_last() {
    let desktop = Platform::desktop();
    let classic = desktop.with_widevine_classic();
    assert_eq!(answer("wvm mp3 mp4 hls", &classic, Policy::SeedGates), "hls#3/dtg");
    assert_eq!(answer("wvm mp3 mp4 mp4", &classic, Policy::SeedGates), "mp4#2/dtg");
    assert_eq!(answer("wvm mp3", &classic, Policy::SeedGates), "mp3#1/dtg");
    assert_eq!(answer("wvm", &classic, Policy::SeedGates), "wvm#0/dtg");
    assert_eq!(answer("wvm", &desktop, Policy::SeedGates), "-");
}

#[test]
fn a_choice_says_why_and_what_was_passed_over() {
    let entry = entry("wv:hls fps:hls");
    let choice = for_download(&entry, &Platform::ios(10, 2), Policy::SeedGates).unwrap();
    assert_eq!(choice.reason, Reason::HlsWithFairPlayByTaskOnly);
    let expected = PassedOver {
        source: "wv:hls#0".to_owned(),
        url: "https://h.test/0.m3u8".to_owned(),
        why: Why::OtherDrm,
    };
    assert_eq!(choice.passed_over, [expected]);
}

#[track_caller]
fn check_none(sources: &str, platform: &Platform, policy: Policy, expected: &str) {
    let none = for_download(&entry(sources), platform, policy).unwrap_err();
    assert_eq!(none.to_string(), format!("entry `1_abc`: {expected}"));
}

#[test]
fn where_there_is_no_source_each_one_has_its_reason() {
    let desktop = Platform::desktop();
    let seed = Policy::SeedGates;
    check_none("", &desktop, seed, "it has no sources");
    check_none(
        "hls",
        &Platform::ios(7, 1),
        seed,
        "no source can be downloaded: source `hls#0` (nothing can be downloaded on iOS below 8)",
    );
    check_none(
        "mpd wvm x:mp4",
        &desktop,
        seed,
        "no source can be downloaded: source `mpd#0` (the format is not known), source `wvm#1` (Widevine Classic, \
         which the platform does not play), source `x:mp4#2` (protected by DRM other than FairPlay over HLS)",
    );
    check_none(
        "fps:hls",
        &desktop,
        seed,
        "no source can be downloaded: source `fps:hls#0` (FairPlay keys cannot be kept here (iOS from 10.0, elsewhere \
         with a content-key system))",
    );
    check_none(
        "fps:hls",
        &Platform::ios(10, 0),
        Policy::RecommendedOnly,
        "no source can be downloaded: source `fps:hls#0` (FairPlay on iOS 10.0 to 10.2 takes an asset download task, \
         which the policy rules out)",
    );
}

#[test]
fn a_content_key_system_makes_no_difference_on_ios() {
    let old = Platform::ios(9, 0).with_content_key_system();
    assert_eq!(answer("fps:hls", &old, Policy::SeedGates), "-");
}
