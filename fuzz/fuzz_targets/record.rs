//! Stored records of any bytes, sound or not: refused, or the same when they are stored again.
//!
//! The first byte says what the others are taken for.
#![no_main]

use dtg_core::fuzzing::{Kind, check_journal, check_record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    match first {
        b'i' => check_record(Kind::Item, bytes),
        b'r' => check_record(Kind::Row, bytes),
        b'o' => check_record(Kind::Origins, bytes),
        b'p' => check_record(Kind::Plan, bytes),
        b'l' => check_record(Kind::Playlists, bytes),
        _ => check_journal(bytes),
    }
});
