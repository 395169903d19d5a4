//! What holds an item: what it requires of the device, and what else keeps it waiting.

use dtg_core::{
    Device, ErrorKind, Hold, ItemState, Network, NetworkNeed, Power, PowerNeed, Remedy, Requirements, Unmet,
};
use dtg_testkit::Fault;

use crate::support::{Desk, ONCE, QUICK, id, origin, segments};

const METERED: Device = Device { network: Network::Metered, power: Power::Charging };

fn unmetered() -> Requirements {
    Requirements { network: NetworkNeed::Unmetered, ..Requirements::default() }
}

#[test]
fn a_start_is_refused_while_the_device_lacks_what_the_item_asks_for() {
    let origin = origin(segments());
    let desk = Desk::new(1, ONCE);
    let id = desk.load(&origin);
    desk.manager.set_requirements(&id, Some(unmetered())).unwrap();
    desk.manager.set_device(METERED).unwrap();
    let refused = desk.manager.start_item(&id).unwrap_err();
    assert!(
        matches!(refused.kind(), ErrorKind::Requirements(unmet) if unmet == &[Unmet::Metered]),
        "{refused}"
    );
    let holds = [Hold::State(ItemState::MetadataLoaded), Hold::Unmet(Unmet::Metered)];
    assert_eq!(desk.manager.why(&id).unwrap(), holds);
    desk.manager.set_requirements(&id, None).unwrap();
    assert_eq!(desk.run().state, ItemState::Completed);
}

#[test]
fn a_running_item_is_interrupted_and_goes_on_by_itself() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/seg-1.ts");
    let desk = Desk::new(1, ONCE);
    let id = desk.load(&origin);
    desk.manager.set_requirements(&id, Some(unmetered())).unwrap();
    desk.manager.start_item(&id).unwrap();
    hold.wait_for(1);
    desk.manager.set_device(METERED).unwrap();
    let item = desk.manager.item(&id).unwrap();
    let failure = item.failure.unwrap();
    assert_eq!((item.state, item.fetches_done), (ItemState::Interrupted, 1));
    assert_eq!((failure.code.as_str(), failure.remedy), ("requirements", Remedy::Wait));
    drop(hold);
    desk.manager.set_device(Device::default()).unwrap();
    assert_eq!(desk.manager.wait(&id).unwrap().state, ItemState::Completed);
}

#[test]
fn requirements_are_kept_over_a_restart() {
    let origin = origin(segments());
    let desk = Desk::new(1, ONCE);
    let id = desk.load(&origin);
    let needs = Requirements { power: PowerNeed::Charging, ..Requirements::default() };
    desk.manager.set_requirements(&id, Some(needs)).unwrap();
    let desk = desk.reopened();
    desk.manager.set_device(Device { power: Power::Battery, ..Device::default() }).unwrap();
    assert!(desk.manager.start_item(&id).is_err());
    assert!(desk.manager.why(&id).unwrap().contains(&Hold::Unmet(Unmet::NotCharging)));
}

#[test]
fn an_item_without_room_goes_on_when_there_is_some() {
    let origin = origin(segments());
    let desk = Desk::new(1, ONCE);
    let id = desk.load(&origin);
    let needs = Requirements { reserve_bytes: u64::MAX, ..Requirements::default() };
    desk.manager.set_requirements(&id, Some(needs)).unwrap();
    let refused = desk.manager.start_item(&id).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::NoSpace { .. }), "{refused}");
    let holds = desk.manager.why(&id).unwrap();
    assert!(holds.iter().any(|hold| matches!(hold, Hold::Unmet(Unmet::Space { .. }))), "{holds:?}");
}

#[test]
fn why_names_the_failure_that_is_kept_and_nothing_for_a_running_item() {
    let origin = origin(segments());
    origin.fault(Fault::status(404).on("/seg-1.ts").first(1));
    let desk = Desk::new(1, QUICK);
    let id = desk.load(&origin);
    assert_eq!(desk.run().state, ItemState::Failed);
    let holds = desk.manager.why(&id).unwrap();
    let failure =
        holds.iter().find_map(|hold| if let Hold::Failure(failure) = hold { Some(failure) } else { None });
    assert_eq!(failure.and_then(|failure| failure.status), Some(404));
    let hold = origin.hold(|request| request.path() == "/seg-1.ts");
    desk.manager.start_item(&id).unwrap();
    hold.wait_for(1);
    assert_eq!(desk.manager.why(&id).unwrap(), []);
    drop(hold);
    assert_eq!(desk.manager.wait(&id).unwrap().state, ItemState::Completed);
    assert_eq!(desk.manager.why(&id).unwrap(), [Hold::State(ItemState::Completed)]);
}

#[test]
fn an_item_behind_another_one_waits_for_its_turn() {
    let origin = origin(segments());
    let hold = origin.hold(|request| request.path() == "/seg-0.ts");
    let desk = Desk::new(1, ONCE);
    desk.load(&origin);
    desk.manager.add_item(&id("y"), &origin.url("/item.m3u8")).unwrap();
    desk.manager.load_item_metadata(&id("y"), dtg_core::BitRate(1)).unwrap();
    desk.manager.start_item(&id("x")).unwrap();
    hold.wait_for(1);
    desk.manager.start_item(&id("y")).unwrap();
    assert_eq!(desk.manager.why(&id("y")).unwrap(), [Hold::Turn]);
    drop(hold);
    assert_eq!(desk.manager.wait(&id("y")).unwrap().state, ItemState::Completed);
}
