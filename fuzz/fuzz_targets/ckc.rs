//! Bytes taken for a CKC, and for a payload sealed in one: refused, or the same when they are written again.
#![no_main]

use dtg_testkit::fairplay::{CkcContainer, CkcFields, Duration, Key, OfflineKey, Reading, Tllvs};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let key = Key([7; 16]);
    if let Ok(ckc) = CkcContainer::read(input) {
        assert_eq!(ckc.to_bytes(), input);
        let opened = ckc.open(key, Reading::Lenient).expect("lenient reading takes whole blocks");
        assert_eq!(opened.to_bytes().len(), ckc.payload.len());
    }
    let Ok(tllvs) = Tllvs::read(input, Reading::Strict) else { return };
    if let Ok(sealed) = CkcContainer::seal(&tllvs, key, [1; 16]) {
        assert_eq!(CkcContainer::read(&sealed.to_bytes()).as_ref(), Ok(&sealed));
        assert_eq!(sealed.open(key, Reading::Strict).as_ref(), Ok(&tllvs));
    }
    if let Ok(CkcFields { duration, offline, .. }) = CkcFields::read(&tllvs) {
        assert!(duration.is_none_or(|read| Duration::read(&read.to_bytes()) == Ok(read)));
        assert!(offline.is_none_or(|read| OfflineKey::read(&read.to_bytes()) == Ok(read)));
    }
});
