//! Presets whose media is noise.

use std::time::Duration;

use crate::tree::{
    Body, Key, Kind, LineEnds, Link, Location, MediaPlaylist, Method, Multivariant, PlaylistId, PlaylistType,
    Rendition, Run, Segment, SessionData, SessionValue, Tag, Tree, UriForm, Variant,
};

const WIDEVINE: &str =
    "data:text/plain;base64,AAAAMnBzc2gAAAAA7e+LqXnWSs6jyCfc1R0h7QAAABISEAECAwQFBgcICQoLDA0ODxA=";
const PLAYREADY: &str = "data:text/plain;charset=UTF-16;base64,PABXAFIATQBIAEUAQQBEAEUAUgAvAD4A";

/// `count` segments of `length` bytes and four seconds, below `/NAME/`.
fn track(tree: &mut Tree, name: &str, count: u64, length: u64) -> MediaPlaylist {
    let segment = |number: u64| {
        let location = Location::new(0, format!("/{name}/{number:03}.ts"));
        let uri = Link::relative(tree.add_file(location, Body::Noise(length + number)));
        let duration = Duration::from_secs(4);
        Segment { before: Vec::new(), duration, title: String::new(), uri, range: None }
    };
    MediaPlaylist {
        location: Location::new(0, format!("/{name}/index.m3u8")),
        version: Some(6),
        media_sequence: Some(0),
        playlist_type: Some(PlaylistType::Vod),
        end_list: true,
        independent_segments: true,
        segments: (0..count).map(segment).collect(),
        ..MediaPlaylist::default()
    }
}

fn before(playlist: &mut MediaPlaylist, segment: usize, tags: impl IntoIterator<Item = Tag>) {
    if let Some(segment) = playlist.segments.get_mut(segment) {
        segment.before.extend(tags);
    }
}

fn variant(playlist: PlaylistId, bandwidth: u64, height: u64) -> Variant {
    Variant {
        codecs: Some("avc1.64001f,mp4a.40.2".to_owned()),
        resolution: Some((height * 16 / 9, height)),
        ..Variant::new(Link::relative(playlist), bandwidth)
    }
}

fn master(variants: Vec<Variant>) -> Multivariant {
    Multivariant {
        location: Location::new(0, "/master.m3u8"),
        version: Some(6),
        independent_segments: true,
        variants,
        ..Multivariant::default()
    }
}

pub(super) fn tiny() -> Tree {
    let mut tree = Tree::new(1, &["origin"]);
    let mut low = track(&mut tree, "v180", 3, 188);
    low.head = vec!["## made for tests".to_owned(), "#EXT-X-COM-ACME-LADDER:rung=1".to_owned()];
    before(&mut low, 0, [Tag::ProgramDateTime("2026-01-02T03:04:05.678Z".to_owned())]);
    before(&mut low, 2, [Tag::Discontinuity]);
    let high = track(&mut tree, "v360", 3, 376);
    let mut audio = track(&mut tree, "audio", 3, 94);
    audio.style.line_ends = LineEnds::CrLf;
    let [low, high, audio] = [low, high, audio].map(|playlist| tree.add_playlist(playlist));
    let with_audio = |variant| Variant { audio: Some("aac".to_owned()), ..variant };
    let english = Rendition {
        language: Some("en".to_owned()),
        uri: Some(Link::new(audio, UriForm::RootRelative)),
        default: true,
        autoselect: true,
        ..Rendition::new(Kind::Audio, "aac", "English")
    };
    let variants = [variant(low, 300_000, 180), variant(high, 900_000, 360)].map(with_audio);
    tree.multivariant = Some(Multivariant { renditions: vec![english], ..master(variants.into()) });
    tree
}

pub(super) fn drm_mixed() -> Tree {
    let mut tree = Tree::new(3, &["origin", "keys"]);
    let mut video = track(&mut tree, "video", 4, 188);
    video.media_sequence = Some(2680);
    for (number, segment) in [(1, 0), (2, 2)] {
        let file = tree.add_file(Location::new(1, format!("/key/{number}?t=once")), Body::Noise(16));
        let identity = Key {
            format: Some("identity".to_owned()),
            ..Key::file(Method::SampleAes, Link::new(file, UriForm::Absolute), Some([number; 16]))
        };
        let keys = [
            Key::fairplay(format!("skd://mixed/{number}")),
            Key::widevine(Method::SampleAes, WIDEVINE),
            Key::playready(Method::SampleAes, PLAYREADY),
            identity,
        ];
        before(&mut video, segment, keys.map(Tag::Key));
    }
    let session = Location::new(0, "/session.json");
    let session = tree.add_file(session, Body::Stored(br#"{"title":"mixed"}"#.as_slice().into()));
    let data = |id: &str, value| SessionData { id: id.to_owned(), value, language: None };
    let video = tree.add_playlist(video);
    tree.multivariant = Some(Multivariant {
        session_keys: vec![
            Key::fairplay("skd://mixed/1"),
            Key::widevine(Method::SampleAes, WIDEVINE),
            Key::playready(Method::SampleAes, PLAYREADY),
        ],
        session_data: vec![
            data("com.acme.title", SessionValue::Text("Mixed, with a comma".to_owned())),
            data("com.acme.more", SessionValue::File(Link::relative(session))),
        ],
        ..master(vec![variant(video, 800_000, 360)])
    });
    tree
}

/// One media playlist of so many segments, 64 bytes each: [`Preset::Huge`](super::Preset::Huge) in any size.
#[must_use]
pub fn huge(count: u64) -> Tree {
    let mut tree = Tree::new(4, &["origin"]);
    let mut playlist = track(&mut tree, "huge", 0, 0);
    playlist.run = Some(Run {
        count,
        prefix: Location::new(0, "/huge/"),
        suffix: ".ts".to_owned(),
        duration: Duration::from_millis(4004),
        length: 64,
    });
    tree.add_playlist(playlist);
    tree
}

/// So many variants of one segment each: [`Preset::Wide`](super::Preset::Wide) in any size.
#[must_use]
pub fn wide(count: u64) -> Tree {
    let mut tree = Tree::new(5, &["origin"]);
    let variants = (0..count).map(|number| {
        let playlist = track(&mut tree, &format!("v{number:04}"), 1, 188);
        variant(tree.add_playlist(playlist), 100_000 + number * 1000, 90 + number / 20 * 2)
    });
    let variants = variants.collect();
    tree.multivariant = Some(master(variants));
    tree
}
