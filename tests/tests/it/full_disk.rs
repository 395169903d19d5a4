//! A full disk stops a download and loses nothing.
//!
//! The disk is a real one: a small tmpfs in a mount namespace of the test's own (Linux).
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::support::{Tiny, folder, segments_asked};

/// Mounts a small disk, downloads onto it, enlarges it, and downloads again.
const STORY: &str = r#"
    mount -t tmpfs -o size=8m tmpfs "$ROOT" || exit 77
    "$WORKER" "$ROOT/store" item "$URL" 2 0
    mount -o remount,size=64m "$ROOT" || exit 77
    "$WORKER" "$ROOT/store" item "$URL" 2 0
"#;

#[test]
fn a_full_disk_interrupts_and_a_start_goes_on_when_there_is_room() {
    let tiny = Tiny { segments: 12, bytes: 1 << 20 };
    let (root, origin) = (folder(), tiny.origin());
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", STORY])
        .env("ROOT", root.path())
        .env("WORKER", env!("CARGO_BIN_EXE_worker"))
        .env("URL", origin.url("/master.m3u8"))
        .output();
    let output = match output {
        Ok(output) if output.status.code() != Some(77) => output,
        refused => {
            assert!(std::env::var_os("CI").is_none(), "CI gives a mount namespace: {refused:?}");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let [full, roomy] = lines[..] else {
        panic!("two runs: {said} {}", String::from_utf8_lossy(&output.stderr))
    };
    assert!(full.starts_with("interrupted no-space "), "{full}");
    assert_eq!(roomy, "completed - 12/12");
    let asked = segments_asked(&origin);
    let done: usize =
        full.rsplit(' ').next().and_then(|n| n.split('/').next()).and_then(|n| n.parse().ok()).unwrap();
    assert!(done > 0, "something was kept: {full}");
    let twice = asked.len() - tiny.segments;
    assert!(twice <= tiny.segments - done, "{twice} segments were asked for twice, {done} were done");
}
