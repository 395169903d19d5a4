//! What is downloaded: presentations of several shapes, from an origin that fails now and then.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use dtg_testkit::{Ending, Fault, Memory, Origin, RetryAfter, at_random};

/// About one request in so many suffers.
const ONE_IN: u32 = 6;

/// Shapes of presentations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// Segments in files of their own.
    Segments { count: usize, bytes: usize },
    /// Ranges of one file.
    Ranges { count: usize, bytes: usize },
}

/// Each item has one of these.
pub(crate) const SHAPES: [Shape; 5] = [
    Shape::Segments { count: 150, bytes: 3_000 },
    Shape::Segments { count: 12, bytes: 700_000 },
    Shape::Ranges { count: 60, bytes: 20_000 },
    Shape::Ranges { count: 8, bytes: 1_000_000 },
    Shape::Segments { count: 1, bytes: 5_000_000 },
];

impl Shape {
    fn folder(self) -> String {
        let at = SHAPES.iter().position(|shape| *shape == self).unwrap_or_default();
        format!("/{at}")
    }

    /// The path of its playlist.
    pub(crate) fn playlist(self) -> String {
        format!("{}/item.m3u8", self.folder())
    }

    /// Its media files in their order: the origin's path, and the bytes.
    pub(crate) fn media(self) -> Vec<(String, Vec<u8>)> {
        let folder = self.folder();
        match self {
            Self::Segments { count, bytes } => {
                (0..count).map(|n| (format!("{folder}/seg-{n}.ts"), noise(n, bytes))).collect()
            }
            Self::Ranges { count, bytes } => vec![(format!("{folder}/all.ts"), noise(7, count * bytes))],
        }
    }

    fn text(self) -> String {
        let mut text = "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:30\n".to_owned();
        match self {
            Self::Segments { count, .. } => {
                (0..count).for_each(|n| text.push_str(&format!("#EXTINF:4,\nseg-{n}.ts\n")));
            }
            Self::Ranges { count, bytes } => (0..count).for_each(|n| {
                text.push_str(&format!("#EXTINF:30,\n#EXT-X-BYTERANGE:{bytes}@{}\nall.ts\n", n * bytes));
            }),
        }
        text + "#EXT-X-ENDLIST\n"
    }
}

/// Bytes that no other `n` has, made quickly: of a prime's length, so that no block boundary meets a repetition.
fn noise(n: usize, length: usize) -> Vec<u8> {
    const PERIOD: usize = 65_521;
    let bytes =
        (0..length.min(PERIOD)).map(|at| (at.wrapping_mul(31) ^ (at >> 8) ^ n.wrapping_mul(131)) & 0xFF);
    let bytes: Vec<u8> = bytes.filter_map(|byte| u8::try_from(byte).ok()).collect();
    let mut bytes = bytes.repeat(length.div_ceil(PERIOD));
    bytes.truncate(length);
    bytes
}

/// An origin of every shape, which fails by this seed.
pub(crate) fn start(seed: u64) -> Result<Origin> {
    let mut files = BTreeMap::new();
    for shape in SHAPES {
        files.insert(shape.playlist(), shape.text().into_bytes());
        files.extend(shape.media());
    }
    let origin = Origin::start(Memory::new(files))?;
    let script = at_random(seed, ONE_IN, faults());
    // Playlists come: an item that can't be loaded is not what is soaked here.
    origin.script(
        move |request, nth| {
            if request.path().ends_with(".m3u8") { None } else { script(request, nth) }
        },
    );
    Ok(origin)
}

/// What passes.
fn faults() -> Vec<Fault> {
    let cut = |after, ending| Fault::Cut { after, ending };
    vec![
        Fault::status(503),
        Fault::status(429),
        Fault::status(408),
        Fault::Status { status: 503, retry_after: Some(RetryAfter::Seconds(0)) },
        Fault::Status { status: 503, retry_after: Some(RetryAfter::Seconds(1)) },
        cut(0, Ending::Fin),
        cut(1_000, Ending::Reset),
        cut(100_000, Ending::Fin),
        cut(600_000, Ending::Reset),
        Fault::NoAnswer(Ending::Fin),
        Fault::NoAnswer(Ending::Reset),
        Fault::DelayHead(Duration::from_millis(200)),
        Fault::IgnoreRange,
        Fault::Chunked,
        Fault::ChunkedNoEnd,
        Fault::LengthOff(10),
        Fault::WeakEtag,
        Fault::NoValidator,
    ]
}
