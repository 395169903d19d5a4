//! Any JSON is a media entry or an error, also as an answer of Kaltura's backend; an entry that is written is the same when it is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media_entry::{KalturaRequest, MediaEntry};

fuzz_target!(|text: &str| {
    let _ = MediaEntry::from_kaltura(text, &KalturaRequest::new("id").with_session("ks"));
    let mut ids = 0;
    let mut fresh_id = || {
        ids += 1;
        format!("fresh-{ids}")
    };
    let Ok(entry) = MediaEntry::from_json_with(text, &mut fresh_id) else { return };
    let written = entry.to_json();
    let mut no_id = || panic!("every source has an id by now");
    let again = MediaEntry::from_json_with(&written, &mut no_id).expect("what is written can be read");
    assert_eq!(again, entry);
    assert_eq!(again.to_json(), written);
    for source in &entry.sources {
        let _ = (source.format(), source.is_fair_play());
    }
});
