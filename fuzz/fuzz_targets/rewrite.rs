//! Other URIs in any playlist: nothing else changes, neither in the text nor in what it says.
//!
//! An input is a playlist, a border, and words to make the new URIs of; `-` leaves a URI as it is.
#![no_main]

use std::collections::HashMap;

use fuzz::{facts, parts, playlist, words};
use hls_parse::{ParseOptions, Span, Uri, rewrite, rewrite_text};
use libfuzzer_sys::fuzz_target;

const URL: &str = "https://cdn.test/show/list.m3u8?token=a&n=1";

fuzz_target!(|input: &[u8]| {
    let parts = parts(input);
    let (text, words) = (parts[0], parts.get(1).map(|part| words(part)).unwrap_or_default());
    let Some(before) = playlist(text, URL, None) else { return };
    let mut names = Names { words, known: HashMap::new() };
    let mut edits = Vec::new();
    let written = rewrite(&before, text, |_, uri| {
        let new = names.new_name(&uri.text);
        edits.extend(new.clone().map(|new| (uri.span, new)));
        new
    });
    check_in_passing(text, &edits, written.as_deref().ok());
    let Ok(written) = written else {
        assert!(edits.iter().any(|(_, new)| !is_plain(new)), "plain names fit everywhere: {edits:?}");
        return;
    };
    assert_eq!(written, spliced(text, &edits));
    // A reference to a variable would be one more thing that the text says.
    if edits.iter().any(|(_, new)| new.contains("{$")) {
        return;
    }
    let after = playlist(&written, URL, None).expect("it was a playlist, and still is");
    let renamed = |old: &str| names.known.get(old).cloned().unwrap_or_else(|| old.to_owned());
    assert_eq!(facts(&after, &str::to_owned), facts(&before, &renamed));
});

/// In passing the same comes out.
fn check_in_passing(text: &[u8], edits: &[(Span, String)], written: Option<&[u8]>) {
    let options = ParseOptions { url: Some(URL), ..ParseOptions::default() };
    let new = |uri: &Uri<'_>| edits.iter().find(|(span, _)| *span == uri.span).map(|(_, new)| new.clone());
    let passed = rewrite_text(text, &options, |_, uri| new(uri));
    assert_eq!(passed.ok().as_deref(), written);
}

/// New names for old ones: no two become one, for ranges and maps of the same file belong together.
struct Names<'w> {
    words: Vec<&'w str>,
    known: HashMap<String, String>,
}

impl Names<'_> {
    fn new_name(&mut self, old: &str) -> Option<String> {
        let count = self.known.len();
        let word = *self.words.get(count % self.words.len().max(1))?;
        // An empty URI is none, and a new one would be one more.
        if old.is_empty() || word == "-" {
            return self.known.get(old).cloned();
        }
        let new = || format!("{word}.{count}");
        Some(self.known.entry(old.to_owned()).or_insert_with(new).clone())
    }
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./-_?=&%".contains(&byte))
}

/// The text with each span replaced, in the plainest way.
fn spliced(text: &[u8], edits: &[(Span, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut done = 0;
    for (span, new) in edits {
        out.extend_from_slice(&text[done..span.start as usize]);
        out.extend_from_slice(new.as_bytes());
        done = span.end as usize;
    }
    out.extend_from_slice(&text[done..]);
    out
}
