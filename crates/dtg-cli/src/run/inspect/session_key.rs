//! Whether a FairPlay presentation names its keys where an offline license is looked for.

use camino::Utf8Path;
use dtg_core::Origin;
use hls_parse::{Key, MediaPlaylist, Multivariant, ParseOptions, Playlist, Uri};
use local_assets::missing_session_key;
use url::Url;

use crate::args::Source;
use crate::run::source::read_beside;

/// What is wrong with a multivariant playlist, by what its first variant says; nothing else is read.
///
/// A playlist that cannot be read, or that would lead a file's reader into the network, says nothing.
pub(super) fn of_multivariant(
    source: &Source,
    origin: &Origin,
    multivariant: &Multivariant<'_>,
) -> Option<String> {
    let base = Url::parse(&origin.url).ok()?;
    let url = hls_parse::resolve(&base, multivariant.variants.first()?.uri.as_str()).ok()?;
    let folder = match source {
        Source::Url(_) => Utf8Path::new("."),
        Source::File(path) if url.origin() == base.origin() && url.host_str() == Some("file.invalid") => {
            path.parent().unwrap_or(Utf8Path::new("."))
        }
        Source::File(_) | Source::Stdin => return None,
    };
    let media = read_beside(folder, &url).ok()??;
    let options = ParseOptions {
        url: Some(&media.url),
        imports: Some(&multivariant.variables),
        ..ParseOptions::default()
    };
    match hls_parse::parse(&media.text, &options).ok()?.playlist {
        Playlist::Media(media) => missing(multivariant, &media),
        Playlist::Multivariant(_) => None,
    }
}

/// The first FairPlay key of the media that no session key names.
pub(super) fn missing(multivariant: &Multivariant<'_>, media: &MediaPlaylist<'_>) -> Option<String> {
    let named: Vec<&str> = multivariant.session_keys.iter().filter_map(key_uri).collect();
    let mut used = media.key_sets.iter().flatten().filter_map(key_uri);
    used.find(|uri| !named.contains(uri)).map(missing_session_key)
}

fn key_uri<'k>(key: &'k Key<'_>) -> Option<&'k str> {
    let uri = key.uri.as_ref().map(Uri::as_str)?;
    let scheme = uri.get(..4)?;
    scheme.eq_ignore_ascii_case("skd:").then_some(uri)
}
