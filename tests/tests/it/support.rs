//! What the stories share: a small presentation, its origin, and item folders.

use std::collections::BTreeMap;

use camino::Utf8Path;
use camino_tempfile::Utf8TempDir;
use dtg_core::ItemId;
use dtg_testkit::{Files, Memory, Origin};
use media_entry::MediaEntry;
use tests::{Fixture, media_folder};

/// A presentation of one TS rendition, held in memory.
pub(crate) struct Tiny {
    pub(crate) segments: usize,
    pub(crate) bytes: usize,
}

impl Tiny {
    /// The bytes of segment `n`: no two segments are alike.
    pub(crate) fn segment(&self, n: usize) -> Vec<u8> {
        (0..self.bytes).map(|at| (at.wrapping_mul(31) ^ n.wrapping_mul(131)) as u8).collect()
    }

    fn playlist(&self) -> String {
        let mut text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n".to_owned();
        for n in 0..self.segments {
            text.push_str(&format!("#EXTINF:4.0,\nseg-{n}.ts?token=secret\n"));
        }
        text + "#EXT-X-ENDLIST\n"
    }

    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=8000,CODECS=\"avc1.64001f\"\nvideo.m3u8\n";
        let mut files = BTreeMap::from([
            ("/master.m3u8".to_owned(), master.as_bytes().to_vec()),
            ("/video.m3u8".to_owned(), self.playlist().into_bytes()),
        ]);
        for n in 0..self.segments {
            files.insert(format!("/seg-{n}.ts"), self.segment(n));
        }
        files
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::start(Memory::new(self.files())).expect("loopback has a free port")
    }
}

/// An origin with the committed media.
pub(crate) fn fixtures() -> Origin {
    let files = Files::new(media_folder()).expect("the fixtures are committed");
    Origin::start(files).expect("loopback has a free port")
}

/// The entry of a fixture, with the origin's address in its URLs.
pub(crate) fn entry_of(name: &'static str, origin: &Origin) -> MediaEntry {
    Fixture(name).entry(origin.url("").trim_end_matches('/')).expect("the fixtures are committed")
}

/// An origin with these texts.
pub(crate) fn origin_of(files: &[(&str, &str)]) -> Origin {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Origin::start(Memory::new(files.collect())).expect("loopback has a free port")
}

pub(crate) fn folder() -> Utf8TempDir {
    Utf8TempDir::new().expect("the system has a folder for temporary files")
}

pub(crate) fn id(text: &str) -> ItemId {
    ItemId::new(text).expect("a test's id is valid")
}

/// The paths of the segments that the origin was asked for.
pub(crate) fn segments_asked(origin: &Origin) -> Vec<String> {
    let targets = origin.requests().into_iter().map(|request| request.target);
    targets.filter(|target| target.contains(".ts")).collect()
}

/// All segment files below a folder, in the order of their names, one after another.
pub(crate) fn media_bytes(folder: &Utf8Path) -> Vec<u8> {
    let mut files: Vec<_> = walk(folder).into_iter().filter(|path| path.ends_with(".ts")).collect();
    files.sort();
    files.iter().flat_map(|path| std::fs::read(path).expect("a file that was just listed")).collect()
}

fn walk(folder: &Utf8Path) -> Vec<String> {
    let entries = folder.read_dir_utf8().expect("an item folder can be listed");
    let paths = entries.map(|entry| entry.expect("an entry of it").into_path());
    paths.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path.into_string()] }).collect()
}
