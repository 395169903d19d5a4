//! Ctrl-C pauses, and what was downloaded stays downloaded.

#![cfg(unix)]

use std::collections::BTreeMap;

use crate::world::World;

/// How often each file that is not a playlist was asked for.
fn asked(world: &World) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for request in world.origin.requests() {
        if !request.target.ends_with(".m3u8") {
            *asked.entry(request.target).or_default() += 1;
        }
    }
    asked
}

#[test]
fn ctrl_c_pauses_and_says_how_to_go_on() {
    let world = World::new();
    let hold = world.origin.hold(|request| request.path() == "/show/360p/1.ts");
    let words = ["download", &world.show(), "--id", "show", "--connections", "1"];
    let mut running = world.spawn(&words);
    hold.wait_for(1);
    running.interrupt();
    let ran = running.end().exits(130);
    assert!(ran.stderr().ends_with("paused; go on with: dtg resume show\n"), "{}", ran.stderr());
    assert!(ran.stdout().starts_with("show: paused, "), "{}", ran.stdout());
    assert_eq!(world.json(&["info", "show"])["item"]["state"], "paused");
}

#[test]
fn a_paused_download_goes_on_and_fetches_nothing_again() {
    let world = World::new();
    let hold = world.origin.hold(|request| request.path() == "/show/360p/1.ts");
    let mut running = world.spawn(&["download", &world.show(), "--id", "show", "--connections", "1"]);
    hold.wait_for(1);
    running.interrupt();
    running.end().exits(130);
    let before = asked(&world);
    assert!(before.contains_key("/show/360p/0.ts"), "{before:?}");
    hold.release();

    let document = world.json(&["resume", "show"]);
    assert_eq!(document["items"][0]["state"], "completed");
    for (target, times) in asked(&world) {
        let most = if target == "/show/360p/1.ts" { 2 } else { 1 };
        assert!(times <= most, "{target} was asked for {times} times");
    }
}

#[test]
fn resume_without_an_id_takes_what_is_unfinished() {
    let world = World::new();
    let hold = world.origin.hold(|request| request.path().ends_with(".ts"));
    let mut running = world.spawn(&["download", &world.show(), "--id", "show"]);
    hold.wait_for(1);
    running.interrupt();
    running.end().exits(130);
    hold.release();
    let document = world.json(&["resume"]);
    assert_eq!(document["items"][0]["id"], "show");
    assert_eq!(document["items"][0]["state"], "completed");
}

#[test]
fn the_same_download_again_goes_on_where_it_stopped() {
    let world = World::new();
    let hold = world.origin.hold(|request| request.path().ends_with(".ts"));
    let mut running = world.spawn(&["download", &world.show(), "--id", "show", "-q"]);
    hold.wait_for(1);
    running.interrupt();
    let ran = running.end().exits(130);
    assert_eq!((ran.stdout().as_str(), ran.stderr().as_str()), ("", ""));
    hold.release();
    world.download();
    assert_eq!(world.json(&["info", "show"])["item"]["state"], "completed");
}

#[test]
fn a_killed_download_goes_on_and_fetches_nothing_again() {
    let world = World::new();
    let hold = world.origin.hold(|request| request.path() == "/show/360p/1.ts");
    let mut running = world.spawn(&["download", &world.show(), "--id", "show", "--connections", "1"]);
    hold.wait_for(1);
    running.child().kill().unwrap();
    running.end();
    hold.release();
    let before = asked(&world);

    assert_eq!(world.json(&["resume"])["items"][0]["state"], "completed");
    for (target, times) in asked(&world) {
        let most = if target == "/show/360p/1.ts" { 2 } else { 1 };
        assert!(times <= most, "{target} was asked for {times} times, before: {before:?}");
    }
}

#[test]
fn ctrl_c_before_anything_is_known_ends_at_once() {
    let world = World::new();
    let hold = world.origin.hold(|request| request.path() == "/show/master.m3u8");
    let mut running = world.spawn(&["download", &world.show(), "--id", "show"]);
    hold.wait_for(1);
    running.interrupt();
    let ran = running.end().exits(130);
    assert!(ran.stderr().ends_with("stopped; give the same command again to go on\n"), "{}", ran.stderr());
    hold.release();
    world.download();
}
