//! The keys that an asset download task meets: who obtains them, and what is asked for.

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use hls_parse::{Key, MediaPlaylist, Multivariant, ParseOptions, Playlist, Variables};
use thiserror::Error as ThisError;

use crate::error::{Error, public_part};
use crate::io::cancel::CancelToken;
use crate::item::ItemId;
use crate::layout;
use crate::plan::{Origin, OriginSet, Plan, is_license_key};

/// Obtains the keys that an [`AssetDownloadTask`](crate::AssetDownloadTask) meets, and keeps them for playback.
///
/// Called during the download, on a thread of the task's own: once a run for each key that a downloaded track
/// needs, one after another, in the order in which the tracks need them; a call that was cut off is not over before it
/// answers, and until then no other one is made. Media that a key is needed for counts as
/// loaded only when its key is there, and the asset is not complete before all are. A task that goes on after a
/// restart asks again: a loader that has the key answers at once.
pub trait KeyLoader: Send + Sync {
    /// Obtains this key and keeps it; a key that is there already is kept as it is.
    ///
    /// The task does not wait for a call that was cancelled: its outcome is then of no use to it.
    ///
    /// # Errors
    /// The task ends with [`ErrorKind::KeyNotLoaded`](crate::ErrorKind::KeyNotLoaded), as it does when this panics;
    /// what was downloaded stays, and the next run asks again.
    fn load(&self, request: &KeyRequest, cancellation: &Cancellation) -> Result<(), KeyLoadError>;
}

impl<F> KeyLoader for F
where
    F: Fn(&KeyRequest, &Cancellation) -> Result<(), KeyLoadError> + Send + Sync,
{
    fn load(&self, request: &KeyRequest, cancellation: &Cancellation) -> Result<(), KeyLoadError> {
        self(request, cancellation)
    }
}

/// A key that a task meets, as the origin's playlists write it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRequest {
    /// The asset that needs it.
    pub asset: ItemId,
    /// URI, byte for byte as written (variables of EXT-X-DEFINE filled in); `None`: the line has none.
    pub uri: Option<String>,
    /// METHOD.
    pub method: String,
    /// KEYFORMAT; `identity` where the line has none.
    pub key_format: String,
    /// KEYFORMATVERSIONS, as written.
    pub key_format_versions: Option<String>,
    /// Everywhere the key is named, once each; a media playlist is always among them.
    pub places: Vec<KeyPlace>,
}

/// Where a key is named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyPlace {
    /// In an EXT-X-SESSION-KEY of the multivariant playlist.
    Session,
    /// In an EXT-X-KEY of this media playlist, by its file in the asset.
    Media(Utf8PathBuf),
}

/// Why a key could not be obtained.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum KeyLoadError {
    /// Whoever has the key said no: trying again as things are can't help.
    #[error("{0}")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
    /// Nobody answered, or not usably: trying again may help.
    #[error("{0}")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The call saw that it was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl KeyLoadError {
    /// A refusal.
    pub fn refused(why: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Refused(why.into())
    }

    /// A fault that may pass.
    pub fn unavailable(why: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(why.into())
    }
}

/// Says whether anybody still waits for a piece of work.
#[derive(Debug, Clone)]
pub struct Cancellation(pub(crate) CancelToken);

impl Cancellation {
    /// Whether the work is of no use any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits so long, or until it is cancelled; whether the time went by without that.
    #[must_use]
    pub fn pause(&self, time: Duration) -> bool {
        self.0.pause(time)
    }
}

/// The application's [`KeyLoader`], in settings that are shown and cloned.
#[derive(Clone)]
pub(crate) struct LoaderHook(pub(crate) Arc<dyn KeyLoader>);

impl fmt::Debug for LoaderHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoaderHook")
    }
}

/// A key that is to be loaded, and the media that needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeededKey {
    pub(crate) request: KeyRequest,
    /// Planned playlist, from when, until when.
    pub(crate) spans: Vec<(u32, Duration, Duration)>,
}

/// Its URI without what may be secret.
impl fmt::Debug for KeyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asset, uri, method, key_format, key_format_versions, places } = self;
        f.debug_struct("KeyRequest")
            .field("asset", asset)
            .field("uri", &uri.as_deref().map(public_part))
            .field("method", method)
            .field("key_format", key_format)
            .field("key_format_versions", key_format_versions)
            .field("places", places)
            .finish()
    }
}

impl KeyRequest {
    /// The key as errors name it: without what may be secret.
    pub(crate) fn shown(&self) -> String {
        self.uri.as_deref().map_or_else(|| self.key_format.clone(), public_part)
    }
}

/// The keys that the media of a plan needs a license for, each once, by the time at which it is needed first.
pub(crate) fn needed_keys(asset: &ItemId, plan: &Plan, origins: &OriginSet) -> Result<Vec<NeededKey>, Error> {
    if plan.playlists.is_empty() {
        return Ok(Vec::new()); // a media file, which nobody has looked into
    }
    let entry = parse(&origins.entry, None)?;
    let mut keys = Keys { asset, found: Vec::new(), seen: HashMap::new() };
    for (playlist, number) in plan.playlists.iter().zip(0..) {
        let file = layout::playlist_name(playlist.kind, number);
        match (&entry, origins.get(playlist.origin)) {
            (Playlist::Media(media), _) => keys.add_media(number, &file, media),
            (Playlist::Multivariant(top), Some(origin)) => {
                if let Playlist::Media(media) = parse(origin, Some(&top.variables))? {
                    keys.add_media(number, &file, &media);
                }
            }
            (Playlist::Multivariant(_), None) => {}
        }
    }
    if let Playlist::Multivariant(top) = &entry {
        keys.mark_session_keys(top);
    }
    let mut found = keys.found;
    // A stable sort: of two keys needed at once, the one of the earlier playlist comes first.
    found.sort_by_key(|key| key.spans.iter().map(|(_, from, _)| *from).min());
    Ok(found)
}

fn parse<'a>(origin: &'a Origin, imports: Option<&Variables>) -> Result<Playlist<'a>, Error> {
    let options = ParseOptions { url: Some(&origin.url), imports, ..ParseOptions::default() };
    let parsed =
        hls_parse::parse(&origin.text, &options).map_err(|error| Error::from(error).at(&origin.url))?;
    Ok(parsed.playlist)
}

struct Keys<'a> {
    asset: &'a ItemId,
    found: Vec<NeededKey>,
    /// By URI and KEYFORMAT.
    seen: HashMap<(Option<String>, String), usize>,
}

impl Keys<'_> {
    /// Adds the keys in effect at segments that are there, and at their maps.
    fn add_media(&mut self, number: u32, file: &Utf8PathBuf, media: &MediaPlaylist<'_>) {
        let mut from = Duration::ZERO;
        for segment in &media.segments {
            let until = from.saturating_add(segment.duration);
            if !segment.gap {
                let of_map = media.map_of(segment).map_or(&[][..], |map| media.key_set(map.keys));
                for key in media.keys_of(segment).iter().chain(of_map) {
                    self.add(key, file, (number, from, until));
                }
            }
            from = until;
        }
    }

    fn add(&mut self, key: &Key<'_>, file: &Utf8PathBuf, span: (u32, Duration, Duration)) {
        if !is_license_key(key) {
            return;
        }
        let uri = key.uri.as_ref().map(|uri| uri.text.to_string());
        let next = self.found.len();
        let at = *self.seen.entry((uri.clone(), key.key_format.to_string())).or_insert(next);
        if at == next {
            let request = KeyRequest {
                asset: self.asset.clone(),
                uri,
                method: key.method.as_str().to_owned(),
                key_format: key.key_format.to_string(),
                key_format_versions: key.key_format_versions.as_deref().map(str::to_owned),
                places: Vec::new(),
            };
            self.found.push(NeededKey { request, spans: Vec::new() });
        }
        let Some(needed) = self.found.get_mut(at) else { return };
        let place = KeyPlace::Media(file.clone());
        // Playlists come one after another: only the last place can be this one.
        if needed.request.places.last() != Some(&place) {
            needed.request.places.push(place);
        }
        match needed.spans.last_mut() {
            Some((playlist, _, end)) if *playlist == span.0 && *end >= span.1 => *end = span.2,
            _ => needed.spans.push(span),
        }
    }

    fn mark_session_keys(&mut self, top: &Multivariant<'_>) {
        let uris: HashSet<_> =
            top.session_keys.iter().map(|key| key.uri.as_ref().map(|it| &*it.text)).collect();
        for needed in self.found.iter_mut().filter(|it| uris.contains(&it.request.uri.as_deref())) {
            needed.request.places.insert(0, KeyPlace::Session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Decoders, SelectionOptions};
    use crate::plan::plan;
    use crate::select::select;

    /// A media playlist of 4 s segments, one a word, encrypted as the word says: `a` is under `skd://a`, `-` clear,
    /// `wv` under Widevine only.
    fn media(words: &str) -> String {
        let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n".to_owned();
        for (n, word) in words.split_whitespace().enumerate() {
            text.push_str(&match word {
                "-" => "#EXT-X-KEY:METHOD=NONE\n".to_owned(),
                "wv" => "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=\"data:,x\",KEYFORMAT=\"urn:uuid:x\"\n".to_owned(),
                name => format!(
                    "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://{name}\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n"
                ),
            });
            text.push_str(&format!("#EXTINF:4,\n{n}.m4s\n"));
        }
        text + "#EXT-X-ENDLIST\n"
    }

    fn origin(name: &str, text: String) -> Origin {
        Origin { url: format!("https://h.test/{name}"), text: text.into_bytes() }
    }

    /// `key: places, spans`, a line each, of a presentation with this session key, these pictures and this sound.
    #[track_caller]
    fn check(session: &str, video: &str, audio: &str, expected: &[&str]) {
        let entry = format!(
            "#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"skd://{session}\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n\
             #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",DEFAULT=YES,URI=\"a.m3u8\"\n\
             #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"g\"\nv.m3u8\n"
        );
        let media = vec![origin("v.m3u8", media(video)), origin("a.m3u8", media(audio))];
        let origins = OriginSet { entry: origin("m.m3u8", entry), media };
        let first = parse(&origins.entry, None).unwrap();
        let Playlist::Multivariant(top) = &first else { panic!("a multivariant playlist") };
        let selection = select(top, &SelectionOptions::default(), &Decoders::default()).unwrap();
        let parsed: Vec<_> = origins
            .media
            .iter()
            .map(|it| match parse(it, None).unwrap() {
                Playlist::Media(media) => media,
                Playlist::Multivariant(_) => panic!("a media playlist"),
            })
            .collect();
        let planned = plan(&origins, &first, &parsed, Some(&selection), &[]).unwrap();
        let keys = needed_keys(&ItemId::new("x").unwrap(), &planned.plan, &origins).unwrap();
        let shown: Vec<String> = keys
            .iter()
            .map(|key| {
                let places = key.request.places.iter().map(|place| match place {
                    KeyPlace::Session => " session".to_owned(),
                    KeyPlace::Media(file) => format!(" {file}"),
                });
                let spans =
                    key.spans.iter().map(|(n, from, to)| format!(" {n}@{}-{}", from.as_secs(), to.as_secs()));
                let uri = key.request.uri.as_deref().unwrap_or("-");
                format!("{uri}{}{}", places.collect::<String>(), spans.collect::<String>())
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_key_is_asked_for_once_however_many_tracks_and_lines_name_it() {
        check("k", "k k k", "k - k", &["skd://k session video/0.m3u8 audio/1.m3u8 0@0-12 1@0-4 1@8-12"]);
    }

    #[test]
    fn keys_come_in_the_order_in_which_the_media_needs_them() {
        check(
            "none",
            "- b c",
            "a a a",
            &["skd://a audio/1.m3u8 1@0-12", "skd://b video/0.m3u8 0@4-8", "skd://c video/0.m3u8 0@8-12"],
        );
    }

    #[test]
    fn a_session_key_that_no_downloaded_track_needs_is_not_asked_for() {
        check("uhd", "- -", "- -", &[]);
    }

    #[test]
    fn other_drm_systems_keys_are_not_a_loaders() {
        check("none", "wv wv", "-", &[]);
    }
}
