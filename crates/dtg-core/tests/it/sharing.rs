//! Items share connections: by budget, by host, by how wanted they are.

use std::num::NonZeroU16;

use dtg_core::{BitRate, ItemId, ItemState};
use dtg_testkit::Origin;

use crate::support::{Desk, QUICK, bytes, id, origin, segments};

fn load(desk: &Desk, name: &str, origin: &Origin) -> ItemId {
    let id = id(name);
    desk.manager.add_item(&id, &origin.url("/item.m3u8")).expect("a new id");
    desk.manager.load_item_metadata(&id, BitRate(1)).expect("a sound playlist");
    id
}

fn connections(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("at least one")
}

fn check_completed(desk: &Desk, id: &ItemId) {
    let item = desk.manager.wait(id).expect("it is there");
    assert_eq!(item.state, ItemState::Completed, "{:?}", item.failure);
    assert_eq!((item.downloaded_bytes, item.fetches_done), (3000, 3));
    let folder = desk.manager.playback_location(id).expect("it is completed").folder_path();
    for n in 0..3 {
        assert_eq!(
            std::fs::read(folder.join(format!("video/0/00000{n}.ts"))).expect("its file is there"),
            bytes(n, 1000)
        );
    }
}

#[test]
fn a_more_wanted_item_takes_the_connections_and_the_other_one_goes_on_after_it() {
    for wanted_before_start in [true, false] {
        let (slow, fast) = (origin(segments()), origin(segments()));
        let desk = Desk::new(1, QUICK);
        let (low, high) = (load(&desk, "low", &slow), load(&desk, "high", &fast));
        let hold = slow.hold_body(500, |request| request.path() == "/seg-0.ts");
        desk.manager.start_item(&low).unwrap();
        hold.wait_for(1);
        while desk.manager.item(&low).unwrap().downloaded_bytes < 500 {
            std::thread::yield_now();
        }
        let want = || desk.manager.set_priority(&high, 1).unwrap();
        if wanted_before_start {
            want();
            desk.manager.start_item(&high).unwrap();
        } else {
            desk.manager.start_item(&high).unwrap();
            want();
        }
        check_completed(&desk, &high);
        assert_eq!(desk.manager.item(&low).unwrap().state, ItemState::InProgress);
        drop(hold);
        check_completed(&desk, &low);
        let asked = slow.requests();
        let ranges = asked.iter().filter(|it| it.path() == "/seg-0.ts").map(|it| it.header("range"));
        assert_eq!(ranges.collect::<Vec<_>>(), [None, Some("bytes=500-")], "its bytes are kept");
    }
}

#[test]
fn the_number_of_connections_can_be_changed_while_an_item_runs() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path().starts_with("/seg-"));
    let desk = Desk::new(1, QUICK);
    let id = desk.load(&origin);
    desk.manager.start_item(&id).unwrap();
    hold.wait_for(1);
    desk.manager.set_connections(connections(3)).unwrap();
    hold.wait_for(3);
    desk.manager.set_connections(connections(1)).unwrap();
    drop(hold);
    check_completed(&desk, &id);
}

#[test]
fn no_host_gets_more_connections_than_its_cap_and_others_are_not_held_up() {
    let other = origin(segments());
    let mut files = segments();
    let list = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg-0.ts\n#EXTINF:4,\nseg-1.ts\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n",
        other.url("/seg-2.ts")
    );
    files.insert("/item.m3u8".to_owned(), list.into_bytes());
    let entry = origin(files);
    let hold = entry.hold(|request| request.path().starts_with("/seg-"));
    let elsewhere = other.hold(|request| request.path().starts_with("/seg-"));
    let desk = Desk::new(3, QUICK);
    desk.manager.set_connections_per_host(Some(connections(1))).unwrap();
    let id = desk.load(&entry);
    desk.manager.start_item(&id).unwrap();
    hold.wait_for(1);
    // The third segment was begun: the second one was passed over, since its host has its share.
    elsewhere.wait_for(1);
    assert_eq!(entry.requests().iter().filter(|request| request.target.starts_with("/seg-")).count(), 1);
    desk.manager.set_connections_per_host(None).unwrap();
    hold.wait_for(2);
    drop((hold, elsewhere));
    check_completed(&desk, &id);
}

#[test]
fn a_limited_rate_holds_bytes_back_and_lifting_it_lets_them_come_at_once() {
    let files = crate::support::ranges(2, 3_000_000);
    let origin = origin(files);
    let desk = Desk::new(2, QUICK);
    let id = desk.load(&origin);
    let events = desk.manager.subscribe();
    // A minute and a half for all of it.
    desk.manager.set_rate_limit(std::num::NonZeroU64::new(64 << 10));
    desk.manager.start_item(&id).unwrap();
    let first = events.iter().find_map(|event| {
        if let dtg_core::Event::Progress(progress) = event { Some(progress) } else { None }
    });
    assert!(first.unwrap().downloaded_bytes < 2_000_000);
    // Pausing does not wait for the bytes' turn.
    desk.manager.pause_item(&id).unwrap();
    desk.manager.start_item(&id).unwrap();
    desk.manager.set_rate_limit(None);
    let item = desk.manager.wait(&id).unwrap();
    assert_eq!((item.state, item.downloaded_bytes), (ItemState::Completed, 6_000_000));
}
