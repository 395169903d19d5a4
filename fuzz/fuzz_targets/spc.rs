//! Bytes taken for an SPC, and for a payload: refused, or the same when they are written again.
#![no_main]

use dtg_testkit::fairplay::{Keys, Malformed, OfflineSync, Reading, SpcContainer, SpcFields, Tllvs, inspect};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match SpcContainer::read(input) {
        Ok(spc) => assert_eq!(spc.to_bytes(), input),
        Err(Malformed::Certificate) => assert_eq!(input[0], 0x30),
        Err(_) => {}
    }
    if let Ok(found) = inspect(input, &Keys::default()) {
        assert!(found.tllvs.is_empty(), "opened without a key");
    }
    let lenient = Tllvs::read(input, Reading::Lenient).expect("lenient reading takes everything");
    assert_eq!(lenient.to_bytes(), input);
    let Ok(strict) = Tllvs::read(input, Reading::Strict) else { return };
    assert_eq!(strict, lenient);
    if let Ok(fields) = SpcFields::read(&strict) {
        assert!((2..=200).contains(&fields.asset_id.len()));
    }
    for tllv in &strict.all {
        if let Ok(Some(sync)) = OfflineSync::read(&tllv.value) {
            assert_eq!(OfflineSync::read(&sync.to_bytes()), Ok(Some(sync)));
        }
    }
});
