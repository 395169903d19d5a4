//! `tree.json`: the facts of a tree, written as they come.

use std::io::{self, Write};

use serde::Serialize;

use super::{ContentKeyFacts, ResourceFacts, media, multivariant, segments};
use crate::tree::{Hosts, MediaPlaylist, Tree};

/// Writes `tree.json`: playlists at once, then resources one by one, a fact a line.
///
/// ```json
/// {
/// "tree":{"seed":1,"entry":"http://origin.test/master.m3u8","hosts":[["origin","http://origin.test"]]},
/// "multivariant":{...},
/// "media":[
/// {"facts":{...},"segments":[
/// {"url":...}]}],
/// "content_keys":[
/// {"url":"skd://...","content_id":...,"key":...,"iv":...,"key_id":...}],
/// "resources":[
/// {"url":...,"file":...,"length":188,"blake3":...}]
/// }
/// ```
///
/// Content keys are there only where there are any.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    resources: u64,
}

#[derive(Serialize)]
struct Head<'a> {
    seed: u64,
    entry: Option<String>,
    hosts: Vec<(&'a str, &'a str)>,
}

impl<W: Write> Writer<W> {
    /// Begins, with the facts of all playlists.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn new(tree: &Tree, hosts: &Hosts, mut out: W) -> io::Result<Self> {
        let named = tree.hosts.iter().enumerate();
        let head = Head {
            seed: tree.seed,
            entry: tree.entry().map(|entry| hosts.url(entry)),
            hosts: named.map(|(host, name)| (name.as_str(), hosts.base(host))).collect(),
        };
        out.write_all(b"{\n\"tree\":")?;
        serde_json::to_writer(&mut out, &head)?;
        out.write_all(b",\n\"multivariant\":")?;
        serde_json::to_writer(&mut out, &multivariant(tree, hosts))?;
        out.write_all(b",\n\"media\":[")?;
        for (number, playlist) in tree.playlists.iter().enumerate() {
            out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
            write_media(tree, hosts, playlist, &mut out)?;
        }
        if !tree.content_keys.is_empty() {
            out.write_all(b"],\n\"content_keys\":[")?;
            for (number, key) in tree.content_keys.iter().enumerate() {
                out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut out, &ContentKeyFacts::of(key))?;
            }
        }
        out.write_all(b"],\n\"resources\":[")?;
        Ok(Self { out, resources: 0 })
    }

    /// Adds a resource.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn resource(&mut self, facts: &ResourceFacts) -> io::Result<()> {
        self.out.write_all(if self.resources == 0 { b"\n" } else { b",\n" })?;
        self.resources += 1;
        Ok(serde_json::to_writer(&mut self.out, facts)?)
    }

    /// Ends the text.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.write_all(b"]\n}\n")?;
        self.out.flush()
    }
}

fn write_media(tree: &Tree, hosts: &Hosts, playlist: &MediaPlaylist, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"{\"facts\":")?;
    serde_json::to_writer(&mut *out, &media(tree, hosts, playlist))?;
    out.write_all(b",\"segments\":[")?;
    for (number, segment) in segments(tree, hosts, playlist).enumerate() {
        out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &segment)?;
    }
    out.write_all(b"]}")
}
