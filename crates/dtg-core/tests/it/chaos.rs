//! Everything at once: items that share connections, faults at random, commands in between.

use dtg_core::{BitRate, ItemId, ItemState, RetryPolicy};
use dtg_testkit::{Ending, Fault, at_random};

use crate::support::{Desk, QUICK, bytes, id, origin, ranges};

const PATIENT: RetryPolicy = RetryPolicy { max_attempts: 50, ..QUICK };

fn faults() -> Vec<Fault> {
    vec![
        Fault::status(503),
        Fault::Cut { after: 2000, ending: Ending::Reset },
        Fault::NoAnswer(Ending::Fin),
        Fault::IgnoreRange,
        Fault::Chunked,
        Fault::LengthOff(10),
        Fault::LengthOff(-10),
    ]
}

#[test]
fn items_that_share_faulty_connections_and_are_paused_in_between_end_with_the_right_bytes() {
    let origin = origin(ranges(20, 5000));
    let desk = Desk::new(8, PATIENT);
    let ids: Vec<ItemId> = (0..5).map(|n| id(&format!("item {n}"))).collect();
    for id in &ids {
        desk.manager.add_item(id, &origin.url("/item.m3u8")).unwrap();
        desk.manager.load_item_metadata(id, BitRate(1)).unwrap();
    }
    origin.script(at_random(7, 3, faults()));
    for round in 0..20 {
        for (n, id) in ids.iter().enumerate() {
            // One that is completed by now can't be started, and that is no matter here.
            let _ = match (n + round) % 3 {
                0 => desk.manager.pause_item(id),
                _ => desk.manager.start_item(id),
            };
        }
    }
    desk.manager.start_items(&[ItemState::Paused]).unwrap();
    for id in &ids {
        let item = desk.manager.wait(id).unwrap();
        assert_eq!(item.state, ItemState::Completed, "{:?}", item.failure);
        assert_eq!((item.downloaded_bytes, item.fetches_done), (100_000, 20));
        let folder = desk.manager.playback_location(id).unwrap().folder_path();
        assert_eq!(std::fs::read(folder.join("video/0/000000.ts")).unwrap(), bytes(7, 100_000));
    }
}
