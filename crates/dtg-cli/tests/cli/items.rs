//! Downloads, lists, shows, serves and removes.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::world::World;

fn pretty(world: &World, document: &Value) -> String {
    world.redacted(&serde_json::to_string_pretty(document).unwrap())
}

#[test]
fn a_download_ends_with_the_completed_item() {
    let world = World::new();
    let document = world.json(&["download", &world.show(), "--id", "show"]);
    insta::assert_snapshot!("download", pretty(&world, &document));
    let master = document["item"]["master"].as_str().unwrap();
    assert!(std::fs::read_to_string(master).unwrap().starts_with("#EXTM3U"));
}

#[test]
fn the_same_download_again_says_so_and_fetches_nothing() {
    let world = World::new();
    world.download();
    world.origin.clear_requests();
    let ran = world.run(&["download", &world.show(), "--id", "show"]).exits(0);
    assert_eq!(ran.stderr(), "show is completed already\n");
    assert!(ran.stdout().starts_with("show: completed, "));
    assert!(world.origin.requests().is_empty());
}

#[test]
fn an_id_that_is_made_from_the_url_is_told() {
    let world = World::new();
    let first = world.run(&["download", &world.show()]).exits(0).stdout();
    assert!(first.starts_with("show-master-"), "{first}");
    assert_eq!(world.run(&["download", &world.show()]).exits(0).stdout(), first, "it is the same item");
    assert_eq!(world.json(&["list"])["items"].as_array().unwrap().len(), 1);
}

#[test]
fn quiet_prints_nothing() {
    let world = World::new();
    for words in
        [&["download", &world.show(), "--id", "a", "--quiet"][..], &["resume", "-q"], &["remove", "a", "-q"]]
    {
        let ran = world.run(words).exits(0);
        assert_eq!((ran.stdout().as_str(), ran.stderr().as_str()), ("", ""), "{words:?}");
    }
}

#[test]
fn what_is_chosen_follows_the_words() {
    let world = World::new();
    let words =
        ["download", &world.show(), "--id", "a", "--height", "700", "--audio", "fr", "--text", "none"];
    let tracks = world.json(&words)["item"]["selected_tracks"].clone();
    let languages: Vec<&str> =
        tracks.as_array().unwrap().iter().filter_map(|track| track["language"].as_str()).collect();
    assert_eq!(languages, ["fr"]);
    let asked: Vec<String> = world.origin.requests().into_iter().map(|request| request.target).collect();
    assert!(asked.iter().any(|target| target == "/show/720p/0.ts"), "{asked:?}");
    assert!(!asked.iter().any(|target| target.starts_with("/show/text")), "{asked:?}");
}

#[test]
fn items_are_listed_in_the_order_they_were_added() {
    let world = World::new();
    world.download();
    world.run(&["download", &world.origin.url("/none.m3u8"), "--id", "a", "-q"]).exits(1);
    insta::assert_snapshot!("list", pretty(&world, &world.json(&["list"])));
    insta::assert_snapshot!("list-words", world.redacted(&world.run(&["list"]).exits(0).stdout()));
}

#[test]
fn where_nothing_was_ever_stored_the_list_is_empty() {
    let world = World::new();
    assert_eq!(world.run(&["list"]).exits(0).stdout(), "");
    assert_eq!(world.json(&["list"])["items"], serde_json::json!([]));
    assert!(!world.store().exists(), "reading makes no folders");
}

#[test]
fn info_shows_one_item() {
    let world = World::new();
    world.download();
    insta::assert_snapshot!("info", pretty(&world, &world.json(&["info", "show"])));
    insta::assert_snapshot!("info-words", world.redacted(&world.run(&["info", "show"]).exits(0).stdout()));
}

#[test]
fn a_folder_that_is_named_wins_over_the_environment() {
    let world = World::new();
    let other = world.folder.path().join("other");
    world.run(&["download", &world.show(), "--id", "a", "--dir", other.as_str(), "-q"]).exits(0);
    assert_eq!(world.json(&["list"])["items"], serde_json::json!([]));
    assert_eq!(world.json(&["--dir", other.as_str(), "list"])["items"][0]["id"], "a");
}

#[test]
fn a_removed_item_is_gone_with_its_files() {
    let world = World::new();
    let master = world.json(&["download", &world.show(), "--id", "show"])["item"]["master"].clone();
    let document = world.json(&["remove", "show"]);
    assert_eq!(document, serde_json::json!({ "schema": "dtg.remove/1", "removed": "show" }));
    assert_eq!(world.json(&["list"])["items"], serde_json::json!([]));
    assert!(!std::path::Path::new(master.as_str().unwrap()).exists());
}

#[test]
fn the_list_works_beside_a_running_download() {
    let world = World::new();
    let hold = world.origin.hold(|request| request.path().ends_with(".ts"));
    let running = world.spawn(&["download", &world.show(), "--id", "show"]);
    hold.wait_for(1);
    assert_eq!(world.json(&["list"])["items"][0]["state"], "in-progress");
    assert_eq!(world.json(&["info", "show"])["item"]["master"], Value::Null);
    hold.release();
    running.end().exits(0);
    assert_eq!(world.json(&["list"])["items"][0]["state"], "completed");
}

#[test]
fn nothing_to_resume_is_no_failure() {
    let world = World::new();
    world.download();
    let ran = world.run(&["resume"]).exits(0);
    assert_eq!(ran.stderr(), "nothing to go on with\n");
    assert_eq!(world.json(&["resume"]), serde_json::json!({ "schema": "dtg.resume/1", "items": [] }));
}

#[test]
fn without_a_terminal_progress_is_plain_lines() {
    let world = World::new();
    let stderr = world.run(&["download", &world.show(), "--id", "show"]).exits(0).stderr();
    assert!(!stderr.contains('\u{1b}') && !stderr.contains('\r'), "{stderr:?}");
    assert!(stderr.lines().all(|line| line.starts_with("show: ")), "{stderr}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let world = World::new();
    world.download();
    let mut list = world.command(&["list"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(list.stdout.take());
    assert!(list.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn completed_items_are_served_until_ctrl_c() {
    let world = World::new();
    world.download();
    world.run(&["download", &world.origin.url("/none.m3u8"), "--id", "a", "-q"]).exits(1);
    let mut server = world.spawn(&["serve"]);
    let mut lines = BufReader::new(server.child().stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    let (id, url) = line.split_once(' ').unwrap();
    assert_eq!(id, "show");
    world.origin.stop();
    let get = |url: &str| ureq::get(url).call().unwrap().body_mut().read_to_vec().unwrap();
    let master = String::from_utf8(get(url)).unwrap();
    let base = url::Url::parse(url).unwrap();
    let media = master.lines().find(|line| line.ends_with(".m3u8") && !line.starts_with('#')).unwrap();
    let media = base.join(media).unwrap();
    let text = String::from_utf8(get(media.as_str())).unwrap();
    let segment = text.lines().find(|line| !line.is_empty() && !line.starts_with('#')).unwrap();
    assert_eq!(get(media.join(segment).unwrap().as_str()), vec![1; 3000]);
    server.interrupt();
    server.end().exits(0);
    assert!(lines.next().is_none(), "only completed items are served");
}
