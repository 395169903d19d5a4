//! Trees as text, as files, and as sites.
//!
//! m3u8-rs writes the tags that it can say exactly; the others, and the spellings it has no choice of, are
//! written as text.

mod lines;
pub(crate) mod spell;
pub(crate) mod tags;
mod multivariant;
mod low_latency;
mod media;
mod content;
mod disk;
mod served;

pub use content::{Content, Resource};
pub use disk::{Summary, write_to};
pub use served::{Origins, Served};

use std::io::{self, Write};

use crate::tree::{Entry, Hosts, Tree};

/// Writes a playlist's text, one line at a time.
///
/// # Errors
/// When `out` fails.
pub fn playlist(tree: &Tree, hosts: &Hosts, entry: Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
    match entry {
        Entry::Multivariant(multivariant) => multivariant::write(tree, hosts, multivariant, out),
        Entry::Media(media) => media::write(tree, hosts, media, out),
    }
}

/// A playlist's text in memory.
#[must_use]
pub fn playlist_text(tree: &Tree, hosts: &Hosts, entry: Entry<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    playlist(tree, hosts, entry, &mut text).expect("writing to memory does not fail");
    text
}

#[cfg(test)]
mod tests;
