//! What the sample downloads: the committed media under two keys, and the key server that knows them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;

use dtg_testkit::fairplay::{ContentKey, Grant, KeyServer, Policy, Protocol, cbcs};
use dtg_testkit::{Fault, Memory, Origin};
use hls_parse::{ByteRange, ParseOptions, Playlist, parse};
use media_entry::{DrmParams, MediaEntry, MediaSource};

/// The clear segments of each playlist.
pub(crate) type Clear = Vec<Vec<Vec<u8>>>;

const MEDIA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/media/fmp4");
const KEY_FORMAT: &str = "KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"";

/// An origin and a key server.
pub(crate) struct Catalog {
    origin: Origin,
    keys: KeyServer,
    clear: Clear,
}

impl Catalog {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let keys = KeyServer::start(1)?;
        keys.set_policy(Policy::granting(Grant::Dual { storage: 2_592_000, playback: 86_400 }));
        let mut files = BTreeMap::new();
        let mut clear = Clear::new();
        for (name, id) in [("video-90p", "counter-video"), ("audio", "counter-audio")] {
            let key = ContentKey::derived(id.as_bytes());
            keys.add_content(id, key);
            clear.push(add_track(&mut files, name, id, &key)?);
        }
        files.insert("/master.m3u8".to_owned(), master().into_bytes());
        let origin = Origin::start(Memory::new(files))?;
        origin.fault("rate=200000".parse::<Fault>()?); // slow enough for a suspension
        Ok(Self { origin, keys, clear })
    }

    /// The entry: one source, under FairPlay by Kaltura's license service.
    pub(crate) fn entry(&self) -> MediaEntry {
        let drm = DrmParams::fair_play(self.keys.license_url(&Protocol::KALTURA), self.keys.certificate());
        let source =
            MediaSource { drm: vec![drm], ..MediaSource::new("hls", self.origin.url("/master.m3u8")) };
        MediaEntry { name: Some("Counter".to_owned()), sources: vec![source], ..MediaEntry::new("counter") }
    }

    /// From here on there is no network.
    pub(crate) fn stop(self) -> Clear {
        self.origin.stop();
        self.keys.origin().stop();
        self.clear
    }
}

fn master() -> String {
    let session =
        |id: &str| format!("#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"skd://{id}\",{KEY_FORMAT}\n");
    format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n{}{}\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,URI=\"audio.m3u8\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=80000,CODECS=\"avc1.4D400B,mp4a.40.2\",AUDIO=\"a\"\nvideo-90p.m3u8\n",
        session("counter-video"),
        session("counter-audio"),
    )
}

/// Encrypts a track of the committed media into files of its own; answers its clear segments.
fn add_track(
    files: &mut BTreeMap<String, Vec<u8>>,
    name: &str,
    id: &str,
    key: &ContentKey,
) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let file = fs::read(format!("{MEDIA}/{name}.mp4"))?;
    let text = fs::read(format!("{MEDIA}/{name}.m3u8"))?;
    let Playlist::Media(media) = parse(&text, &ParseOptions::default())?.playlist else {
        return Err("a media playlist".into());
    };
    let range = |range: Option<ByteRange>| -> Result<Vec<u8>, Box<dyn Error>> {
        let ByteRange { offset, length } = range.ok_or("the media comes in byte ranges")?;
        let (from, to) = (usize::try_from(offset)?, usize::try_from(offset + length)?);
        Ok(file.get(from..to).ok_or("the range is in the file")?.to_vec())
    };
    let init = range(media.maps.first().ok_or("an initialization section")?.byte_range)?;
    files.insert(format!("/{name}-init.mp4"), cbcs::encrypt_init(&init, key)?);
    let mut list = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://{id}\",{KEY_FORMAT}\n\
         #EXT-X-MAP:URI=\"{name}-init.mp4\"\n"
    );
    let mut clear = Vec::new();
    for (segment, number) in media.segments.iter().zip(0..) {
        let bytes = range(segment.byte_range)?;
        files.insert(format!("/{name}-{number}.m4s"), cbcs::encrypt_segment(&init, &bytes, key)?);
        list.push_str(&format!("#EXTINF:{},\n{name}-{number}.m4s\n", segment.duration.as_secs_f64()));
        clear.push(bytes);
    }
    files.insert(format!("/{name}.m3u8"), (list + "#EXT-X-ENDLIST\n").into_bytes());
    Ok(clear)
}
