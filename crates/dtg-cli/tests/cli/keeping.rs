//! What stays and what goes, and whether it is as it came.

use std::fs;

use serde_json::{Value, json};

use crate::world::World;

fn master(world: &World, id: &str) -> camino::Utf8PathBuf {
    world.json(&["info", id])["item"]["master"].as_str().unwrap().into()
}

/// Flips a bit of a segment of the completed item `show`.
fn damage(world: &World) {
    let file = master(world, "show").with_file_name("video").join("0/000001.ts");
    let mut bytes = fs::read(&file).unwrap();
    bytes[7] ^= 1;
    fs::write(&file, bytes).unwrap();
}

#[test]
fn a_damaged_part_is_named_by_verify_and_fetched_by_repair() {
    let world = World::new();
    world.download();
    let sound = world.run(&["verify"]).exits(0).stdout();
    assert!(sound.starts_with("show: sound, "), "{sound}");
    damage(&world);
    world.origin.clear_requests();

    let ran = world.run(&["verify", "show"]).exits(1);
    assert_eq!(ran.line(), "dtg: 1 of 1 items are damaged; dtg repair fetches what is");
    let stdout = ran.stdout();
    assert!(stdout.starts_with("show: 1 file or part is missing or damaged, "), "{stdout}");
    assert!(stdout.contains("  video/0/000001.ts: its bytes are not those that came\n"), "{stdout}");
    let item = world.json(&["info", "show"])["item"].clone();
    assert_eq!((&item["state"], &item["failure"]["remedy"]), (&json!("interrupted"), &json!("repair")));
    assert_eq!(item["master"], Value::Null, "what is damaged is not offered to play");

    let repaired = world.json(&["repair"]);
    assert_eq!(repaired["items"][0]["state"], "completed");
    let asked: Vec<String> = world.origin.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    world.run(&["verify"]).exits(0);
}

#[test]
fn repair_finds_damage_by_itself_and_leaves_what_is_sound_alone() {
    let world = World::new();
    world.download();
    damage(&world);
    world.origin.clear_requests();
    let stdout = world.run(&["repair", "show"]).exits(0).stdout();
    assert!(stdout.starts_with("show: 1 file or part"), "{stdout}");
    assert_eq!(world.origin.requests().len(), 1);
    assert_eq!(world.json(&["repair", "show"])["found"][0]["damage"], json!([]));
    assert_eq!(world.origin.requests().len(), 1);
}

#[test]
fn what_cannot_be_verified_is_refused() {
    let world = World::new();
    assert_eq!(world.run(&["verify"]).exits(0).stderr(), "nothing to verify\n");
    assert!(world.run(&["verify", "y"]).exits(1).line().ends_with("item `y`: no such item"));
    world.run(&["download", &world.origin.url("/none.m3u8"), "--id", "new", "-q"]).exits(1);
    assert_eq!(
        world.run(&["verify", "new"]).exits(1).line(),
        "dtg: item `new`: it can't be verified: it is new"
    );
}

#[test]
fn storage_shows_what_each_item_takes() {
    let world = World::new();
    world.download();
    let document = world.json(&["storage"]);
    let item = &document["items"][0];
    assert_eq!((&item["id"], &document["bytes"]), (&json!("show"), &item["bytes"]));
    assert!(item["freed_bytes"].as_u64().unwrap() > 0);
    assert_eq!(document["quota"], Value::Null);
    let words = world.run(&["storage"]).exits(0).stdout();
    assert!(words.contains("show") && words.contains("quota       none"), "{words}");
}

#[test]
fn a_quota_removes_what_is_not_kept() {
    let world = World::new();
    world.download();
    world.run(&["download", &world.show(), "--id", "other", "-q"]).exits(0);
    let kept = world.json(&["keep", "show", "--pin", "--expires", "2027-01-31T12:00:00Z"])["item"].clone();
    assert_eq!((&kept["pinned"], &kept["expires_at"]), (&json!(true), &json!("2027-01-31T12:00:00Z")));
    let document = world.json(&["quota", "1kB"]);
    assert_eq!(document, json!({ "schema": "dtg.quota/1", "quota": 1000, "removed": ["other"] }));
    assert_eq!(world.json(&["list"])["items"][0]["id"], "show");
    assert_eq!(world.run(&["quota"]).exits(0).stdout(), "quota: 1.0 kB\n");
    let line = world.run(&["download", &world.show(), "--id", "third", "-q"]).exits(1).line();
    assert!(line.contains("for the quota of 1000 bytes"), "{line}");
    assert_eq!(world.run(&["quota", "none"]).exits(0).stdout(), "no quota\n");
    world.run(&["resume", "third", "-q"]).exits(0);
    world.run(&["keep", "show", "--unpin", "--expires", "never", "--played"]).exits(0);
    let item = world.json(&["info", "show"])["item"].clone();
    assert_eq!((&item["pinned"], &item["expires_at"]), (&json!(false), &Value::Null));
    assert!(item["played_at"].is_string());
}

#[test]
fn a_second_writer_is_told_the_pid_of_the_first() {
    let world = World::new();
    let hold = world.origin.hold(|request| request.path().ends_with(".ts"));
    let mut running = world.spawn(&["download", &world.show(), "--id", "show"]);
    hold.wait_for(1);
    let pid = running.child().id();
    for words in
        [["remove", "show"].as_slice(), &["verify"], &["repair"], &["quota", "1GB"], &["keep", "show"]]
    {
        let line = world.run(words).exits(1).line();
        assert_eq!(line, format!("dtg: another process (pid {pid}) has this folder open for writing"));
    }
    assert_eq!(world.json(&["storage"])["items"][0]["id"], "show", "readers work beside it");
    hold.release();
    running.end().exits(0);
}
