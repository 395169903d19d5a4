//! What an item's URL gave: a playlist or one media file, by the answer's head and first bytes.

use crate::resource::Extension;

/// So many bytes are enough to tell.
pub(crate) const ENOUGH: usize = 512;

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sniffed {
    /// HLS text, or what is best refused by reading it as such.
    Playlist,
    /// One media file.
    File(Extension),
    /// Widevine Classic: nothing plays it any more.
    Wvm,
}

/// Judges an answer: its first bytes go before its media type, and that before the URL's name.
///
/// A web page and JSON are never media, whatever they are said to be.
pub(crate) fn sniff(path: &str, mime_type: Option<&str>, first: &[u8]) -> Sniffed {
    let text = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first).trim_ascii_start();
    let mime = mime_type.unwrap_or_default();
    let named = extension_of(path);
    if text.starts_with(b"#EXTM3U") || matches!(text.first(), Some(b'<' | b'{' | b'[')) {
        return Sniffed::Playlist;
    }
    if named.as_deref() == Some("wvm") || mime == "video/wvm" {
        return Sniffed::Wvm;
    }
    let by_name = || named.as_deref().and_then(by_name);
    let found = by_bytes(first).or_else(|| match mime {
        _ if mime.contains("mpegurl") => None,
        _ if mime.starts_with("video/") || mime.starts_with("audio/") => {
            by_name().or_else(|| by_mime_type(mime)).or(Some(Extension::Bin))
        }
        "" | "application/octet-stream" | "application/mp4" | "binary/octet-stream" => by_name(),
        _ => None,
    });
    found.map_or(Sniffed::Playlist, Sniffed::File)
}

/// Whether a URL is named like a media file, and worth being asked for its first bytes only.
pub(crate) fn is_named_like_media(path: &str) -> bool {
    extension_of(path).is_some_and(|name| name == "wvm" || by_name(&name).is_some())
}

fn extension_of(path: &str) -> Option<String> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(extension.to_ascii_lowercase())
}

fn by_name(extension: &str) -> Option<Extension> {
    Some(match extension {
        "mp4" | "mov" | "cmfv" => Extension::Mp4,
        "m4v" => Extension::M4v,
        "m4a" | "cmfa" => Extension::M4a,
        "mp3" => Extension::Mp3,
        "aac" => Extension::Aac,
        "ac3" => Extension::Ac3,
        "ec3" | "eac3" => Extension::Ec3,
        "ts" | "m2ts" => Extension::Ts,
        "webm" => Extension::Webm,
        "mkv" | "mka" => Extension::Mkv,
        "ogg" | "oga" | "ogv" | "opus" => Extension::Ogg,
        "flac" => Extension::Flac,
        "wav" => Extension::Wav,
        _ => return None,
    })
}

fn by_mime_type(mime: &str) -> Option<Extension> {
    let (_, name) = mime.split_once('/')?;
    Some(match name {
        "mp4" if mime.starts_with("audio/") => Extension::M4a,
        "mp4" | "quicktime" => Extension::Mp4,
        "x-m4a" => Extension::M4a,
        "x-m4v" => Extension::M4v,
        "mpeg" if mime.starts_with("audio/") => Extension::Mp3,
        "mp3" => Extension::Mp3,
        "mp2t" => Extension::Ts,
        "aac" | "aacp" => Extension::Aac,
        "ac3" => Extension::Ac3,
        "eac3" => Extension::Ec3,
        "webm" => Extension::Webm,
        "x-matroska" => Extension::Mkv,
        "ogg" | "opus" => Extension::Ogg,
        "flac" | "x-flac" => Extension::Flac,
        "wav" | "x-wav" | "wave" => Extension::Wav,
        _ => return None,
    })
}

/// By the marks that these formats begin with.
fn by_bytes(first: &[u8]) -> Option<Extension> {
    match first {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => {
            Some(if brand.starts_with(b"M4A ") { Extension::M4a } else { Extension::Mp4 })
        }
        [b'I', b'D', b'3', ..] => Some(Extension::Mp3),
        // An MPEG audio frame of layer III, and one of ADTS.
        [0xFF, second, ..] if second & 0xE6 == 0xE2 => Some(Extension::Mp3),
        [0xFF, second, ..] if second & 0xF6 == 0xF0 => Some(Extension::Aac),
        [0x0B, 0x77, ..] => Some(Extension::Ac3),
        [0x1A, 0x45, 0xDF, 0xA3, rest @ ..] => {
            let is_webm = rest.windows(4).take(64).any(|word| word == b"webm");
            Some(if is_webm { Extension::Webm } else { Extension::Mkv })
        }
        [b'O', b'g', b'g', b'S', ..] => Some(Extension::Ogg),
        [b'f', b'L', b'a', b'C', ..] => Some(Extension::Flac),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some(Extension::Wav),
        [0x47, ..] if first.get(188) == Some(&0x47) => Some(Extension::Ts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A URL's path, a media type (`-` for none), the first bytes, and what that is.
    #[track_caller]
    fn check(path: &str, mime: &str, first: &[u8], expected: &str) {
        let found = match sniff(path, (mime != "-").then_some(mime), first) {
            Sniffed::Playlist => "playlist",
            Sniffed::Wvm => "wvm",
            Sniffed::File(extension) => extension.as_str(),
        };
        assert_eq!(found, expected, "{path} {mime}");
    }

    const MP4: &[u8] = b"\0\0\0\x18ftypisom";

    #[test]
    fn first_bytes_go_before_the_media_type_and_the_name() {
        check("/a.m3u8", "application/vnd.apple.mpegurl", MP4, "mp4");
        check("/a.mp4", "video/mp4", b"\xEF\xBB\xBF#EXTM3U\n", "playlist");
        check("/a", "text/plain", b"ID3\x04", "mp3");
        check("/a", "-", b"\xFF\xFB\x90", "mp3");
        check("/a", "-", b"\xFF\xF1\x50", "aac");
        check("/a", "-", b"\0\0\0\x18ftypM4A ", "m4a");
        check("/a", "-", b"\x1A\x45\xDF\xA3\x9F\x42\x82\x84webm", "webm");
    }

    #[test]
    fn the_media_type_tells_of_bytes_that_tell_nothing() {
        check("/get?id=1", "video/mp4", b"\0\0\0\0", "mp4");
        check("/a.m4a", "audio/mp4", b"\0\0\0\0", "m4a");
        check("/get", "audio/x-strange", b"\0\0\0\0", "bin");
        check("/a.mp4", "application/octet-stream", b"\0\0\0\0", "mp4");
        check("/a.mp4", "-", b"", "mp4");
    }

    #[test]
    fn a_page_and_json_are_no_media_whatever_they_are_called() {
        check("/a.mp4", "video/mp4", b"<!doctype html>", "playlist");
        check("/a.mp4", "video/mp4", b"{\"error\": 1}", "playlist");
        check("/a.mp4", "text/html", b"sorry", "playlist");
        check("/a", "application/octet-stream", b"sorry", "playlist");
        check("/a.m3u8", "audio/mpegurl", b"sorry", "playlist");
    }

    #[test]
    fn widevine_classic_is_told_by_name_or_type() {
        check("/a.WVM", "-", b"\0\0\x01\xBA", "wvm");
        check("/a", "video/wvm", b"\0\0\x01\xBA", "wvm");
    }
}
