//! The dry run.

use serde_json::{Value, json};

use crate::world::{MASTER, World, media};

#[test]
fn a_dry_run_as_a_document() {
    let world = World::new();
    let document = world.json(&["plan", &world.show()]);
    insta::assert_snapshot!("plan", serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn a_dry_run_for_people() {
    let world = World::new();
    insta::assert_snapshot!("plan-words", world.run(&["plan", &world.show()]).exits(0).stdout());
}

#[test]
fn a_dry_run_fetches_the_chosen_playlists_only_and_stores_nothing() {
    let world = World::new();
    world.run(&["plan", &world.show(), "--audio", "fr", "--text", "none"]).exits(0);
    let mut asked: Vec<String> = world.origin.requests().into_iter().map(|request| request.target).collect();
    asked.sort();
    assert_eq!(asked, ["/show/360p.m3u8", "/show/audio/fr.m3u8", "/show/master.m3u8"]);
    assert!(!world.store().exists());
}

#[test]
fn a_dry_run_chooses_what_a_download_would() {
    let world = World::new();
    let variant = |words: &[&str]| {
        let show = world.show();
        let words = [&["plan", show.as_str()], words].concat();
        world.json(&words)["variant"]["uri"].as_str().unwrap().to_owned()
    };
    assert_eq!(variant(&[]), "360p.m3u8");
    assert_eq!(variant(&["--height", "720"]), "720p.m3u8");
    assert_eq!(variant(&["--width", "1000"]), "720p.m3u8");
    assert_eq!(variant(&["--bitrate", "1000000"]), "720p.m3u8");
    assert_eq!(variant(&["--video-bitrate", "avc=1000000"]), "720p.m3u8");
}

#[test]
fn several_qualities_are_planned_with_their_playlists_fetched_once() {
    let world = World::new();
    let plan =
        |words: &[&str]| world.json(&[&["plan", world.show().as_str(), "--text", "none"], words].concat());
    let uris = |document: &Value| -> Vec<String> {
        let variants = document["variants"].as_array().unwrap();
        variants.iter().map(|variant| variant["uri"].as_str().unwrap().to_owned()).collect()
    };
    let all = plan(&["--variants", "all"]);
    assert_eq!(uris(&all), ["360p.m3u8", "720p.m3u8"]);
    assert_eq!(all["variant"], all["variants"][0]);
    assert_eq!(all["fetches"], 6, "two variants and the default sound, of two segments each");
    assert_eq!(uris(&plan(&["--variants", "300,400"])), ["360p.m3u8", "720p.m3u8"]);
    assert_eq!(uris(&plan(&["--variants", "one"])), ["360p.m3u8"]);
}

#[test]
fn a_track_that_was_not_asked_for_says_why_it_is_there() {
    let world = World::new();
    let document = world.json(&["plan", &world.show(), "--audio", "da", "--text", "none"]);
    assert_eq!(document["audio"][0]["reason"], "what was asked for is not there");
    let words = world.run(&["plan", &world.show(), "--audio", "default"]).exits(0).stdout();
    assert!(words.contains("audio/en.m3u8 (the default)"), "{words}");
}

fn beside(world: &World, names: &[&str]) {
    let folder = world.folder.path();
    std::fs::create_dir_all(folder.join("audio")).unwrap();
    std::fs::create_dir_all(folder.join("text")).unwrap();
    std::fs::write(folder.join("a.m3u8"), MASTER).unwrap();
    for name in names {
        let extension = name.replace(['/', '.'], "-") + ".ts";
        std::fs::write(folder.join(name), media(&extension)).unwrap();
    }
}

#[test]
fn a_file_is_planned_from_what_lies_beside_it() {
    let world = World::new();
    beside(&world, &["360p.m3u8", "audio/en.m3u8", "audio/fr.m3u8", "text/en.m3u8"]);
    let from_file = world.json(&["plan", "a.m3u8"]);
    assert_eq!(from_file["duration"], 7.52);
    assert_eq!(from_file["missing"], json!([]));
    assert_eq!(from_file["fetches"], 8);
    assert!(world.origin.requests().is_empty());
}

#[test]
fn what_does_not_lie_beside_a_file_is_listed() {
    let world = World::new();
    beside(&world, &["360p.m3u8", "audio/en.m3u8"]);
    let document = world.json(&["plan", "a.m3u8"]);
    assert_eq!(document["variant"]["uri"], "360p.m3u8");
    assert_eq!(document["missing"], json!(["audio/fr.m3u8", "text/en.m3u8"]));
    assert_eq!(document["fetches"], Value::Null);
}

#[test]
fn a_file_that_knows_where_it_came_from_is_planned_as_its_url_is() {
    let world = World::new();
    std::fs::write(world.folder.path().join("a.m3u8"), MASTER).unwrap();
    assert_eq!(
        world.json(&["plan", "a.m3u8", "--base-url", &world.show()]),
        world.json(&["plan", &world.show()])
    );
}

#[test]
fn a_media_playlist_has_nothing_to_choose() {
    let world = World::new();
    let document = world.json(&["plan", &world.origin.url("/show/360p.m3u8")]);
    assert_eq!(document["variant"], Value::Null);
    assert_eq!(document["resources"], 2);
}

#[test]
fn a_live_playlist_has_no_plan() {
    let world = World::new();
    let line = world.run(&["plan", &world.origin.url("/live.m3u8")]).exits(1).line();
    assert!(line.contains("live"), "{line}");
}
