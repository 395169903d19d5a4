//! Each bad input: one plain line that names the item and where, and exit code 1; wrong usage is 2.

use serde_json::Value;

use crate::world::{World, closed_port};

#[track_caller]
fn refused(world: &World, words: &[&str], expected: &str) {
    let line = world.run(words).exits(1).line();
    assert_eq!(world.redacted(&line), format!("dtg: {expected}"));
}

/// No item of the store is called completed.
#[track_caller]
fn nothing_is_completed(world: &World) {
    let list = world.json(&["list"]);
    let states: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|item| item["state"].as_str().unwrap()).collect();
    assert!(!states.contains(&"completed"), "{states:?}");
}

#[test]
fn an_unreachable_host() {
    let world = World::new();
    let url = format!("http://127.0.0.1:{}/m.m3u8", closed_port());
    let line = world.run(&["download", &url, "--id", "x"]).exits(1).line();
    assert!(line.starts_with(&format!("dtg: item `x`, {url}: ")), "{line}");
    nothing_is_completed(&world);
}

#[test]
fn a_status_404() {
    let world = World::new();
    let url = world.origin.url("/none.m3u8?token=secret");
    refused(&world, &["download", &url, "--id", "x"], "item `x`, http://ORIGIN/none.m3u8: HTTP status 404");
    nothing_is_completed(&world);
}

#[test]
fn a_segment_that_is_not_there() {
    let world = World::new();
    let url = world.origin.url("/gone.m3u8");
    refused(
        &world,
        &["download", &url, "--id", "x"],
        "item `x`, http://ORIGIN/not-there.ts: HTTP status 404",
    );
    let item = &world.json(&["info", "x"])["item"];
    assert_eq!(item["state"], "failed");
    assert_eq!(item["failure"]["status"], 404);
}

#[test]
fn a_page_of_html_instead_of_a_playlist() {
    let world = World::new();
    let url = world.origin.url("/page.m3u8");
    let line = world.run(&["download", &url, "--id", "x"]).exits(1).line();
    assert!(
        world.redacted(&line).starts_with("dtg: item `x`, http://ORIGIN/page.m3u8: not a usable playlist"),
        "{line}"
    );
    nothing_is_completed(&world);
}

#[test]
fn a_live_playlist() {
    let world = World::new();
    let url = world.origin.url("/live.m3u8");
    let line = world.run(&["download", &url, "--id", "x"]).exits(1).line();
    assert!(line.starts_with("dtg: item `x`, ") && line.contains("live"), "{line}");
    nothing_is_completed(&world);
}

#[test]
fn an_unknown_id() {
    let world = World::new();
    world.download();
    refused(&world, &["info", "y"], "item `y`: no such item");
    refused(&world, &["remove", "y"], "item `y`: no such item");
    refused(&world, &["resume", "y"], "item `y`: no such item");
}

#[test]
fn an_unknown_id_where_nothing_was_ever_stored() {
    refused(&World::new(), &["info", "y"], "item `y`: no such item");
}

#[test]
fn a_second_add_of_an_id_with_another_url() {
    let world = World::new();
    world.download();
    refused(
        &world,
        &["download", &world.origin.url("/show/720p.m3u8"), "--id", "show"],
        "item `show`: an item with this id is there already, with another URL; choose another id, or remove the item first",
    );
}

#[test]
fn a_start_in_a_wrong_state() {
    let world = World::new();
    world.download();
    refused(&world, &["resume", "show"], "item `show`: it can't be started: it is completed");
}

#[test]
fn a_second_writer_is_told_the_pid_of_the_first() {
    let world = World::new();
    let hold = world.origin.hold(|request| request.path().ends_with(".ts"));
    let mut first = world.spawn(&["download", &world.show(), "--id", "show"]);
    hold.wait_for(1);
    let pid = first.child().id();
    refused(
        &world,
        &["remove", "show"],
        &format!("another process (pid {pid}) has this folder open for writing"),
    );
    hold.release();
    first.end().exits(0);
}

#[test]
fn wrong_usage() {
    let world = World::new();
    for words in [&["fly"][..], &[], &["download"], &["download", "http://h/", "--connections", "many"]] {
        assert_eq!(world.run(words).exits(2).stdout(), "", "{words:?}");
    }
}

#[test]
fn a_scheme_that_is_not_fetched() {
    let world = World::new();
    let line = world.run(&["download", "ftp://h/m.m3u8", "--id", "x"]).exits(1).line();
    assert!(line.contains("the scheme `ftp` is not fetched"), "{line}");
}

#[test]
fn an_error_is_a_document_too_when_documents_are_asked_for() {
    let world = World::new();
    let url = world.origin.url("/none.m3u8?token=secret");
    let ran = world.run(&["download", &url, "--id", "x", "--json"]).exits(1);
    let document: Value = serde_json::from_str(&world.redacted(&ran.stdout())).unwrap();
    let expected = serde_json::json!({
        "schema": "dtg.error/1",
        "error": {
            "code": "status",
            "message": "item `x`, http://ORIGIN/none.m3u8: HTTP status 404",
            "item": "x",
            "url": "http://ORIGIN/none.m3u8",
            "status": 404,
        },
    });
    assert_eq!(document, expected);
    assert_eq!(world.redacted(&ran.line()), "dtg: item `x`, http://ORIGIN/none.m3u8: HTTP status 404");
}

#[test]
fn a_file_that_is_not_there() {
    let world = World::new();
    let line = world.run(&["inspect", "none.m3u8"]).exits(1).line();
    assert!(line.starts_with("dtg: can't read `none.m3u8`: "), "{line}");
}
