//! The same playlists through m3u8-rs, of what it reads right: one key format, no METHOD=NONE (which it refuses
//! without an IV, and so passes over), titles without commas.

use ::m3u8_rs as theirs;
use proptest::prelude::*;

use super::playlists::{self, Dialect};
use super::*;

const PLAIN: Dialect = Dialect { formats: &["identity"], titles: &["", "title", " two words"], none: false };

/// Method, URI and IV of the key in effect.
fn key_facts(key: &theirs::Key) -> Option<(String, Option<String>, Option<u128>)> {
    let iv = key.iv.as_ref().map(|iv| u128::from_str_radix(&iv[2..], 16).unwrap());
    (key.method != theirs::KeyMethod::None).then(|| (key.method.to_string(), key.uri.clone(), iv))
}

/// Per segment, carrying keys and maps on: their reader only has them where a tag stands.
fn facts(playlist: &theirs::MediaPlaylist) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    let (mut key, mut map) = (None, None);
    let facts = playlist.segments.iter().map(|it| {
        if let Some(new) = &it.key {
            key = key_facts(new);
        }
        if let Some(new) = &it.map {
            let range = new.byte_range.as_ref().map(|range| (range.length, range.offset));
            map = Some((new.uri.clone(), range));
        }
        let title = it.title.clone().filter(|title| !title.is_empty());
        let length = it.byte_range.as_ref().map(|range| range.length);
        (it.uri.clone(), title, length, it.discontinuity, key.clone(), map.clone())
    });
    facts.collect()
}

proptest! {
    #[test]
    fn media_playlists_mean_the_same_to_m3u8_rs(text in playlists::media(PLAIN)) {
        let ours = theirs::MediaPlaylist::from(&media(&text));
        let theirs = theirs::parse_media_playlist_res(text.as_bytes()).unwrap();
        prop_assert_eq!(facts(&ours), facts(&theirs));
        prop_assert_eq!((ours.media_sequence, ours.end_list), (theirs.media_sequence, theirs.end_list));
        for (our, their) in ours.segments.iter().zip(&theirs.segments) {
            prop_assert!((our.duration - their.duration).abs() <= their.duration * f32::EPSILON);
            // They leave implied offsets to their users.
            if let Some(offset) = their.byte_range.as_ref().and_then(|range| range.offset) {
                prop_assert_eq!(our.byte_range.as_ref().and_then(|range| range.offset), Some(offset));
            }
        }
    }
}
