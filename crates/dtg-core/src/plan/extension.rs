//! Which extension a local file has, from a closed list.

use crate::item::{Sidecar, SidecarRole, TrackKind};
use crate::resource::Extension;

/// The extension in a URI's path, in lower case.
pub(super) fn of_uri(uri: &str) -> Option<String> {
    let path = uri.split(['?', '#']).next()?;
    let name = path.rsplit('/').next()?;
    let (_, extension) = name.rsplit_once('.')?;
    Some(extension.to_ascii_lowercase())
}

/// The extension of a segment or map: its own where that is one of media, else what it must be.
pub(super) fn of_media(uri: &str, kind: TrackKind, fragmented: bool) -> Extension {
    let own = of_uri(uri);
    let own = own.as_deref().unwrap_or_default();
    if fragmented {
        return match own {
            "m4s" => Extension::M4s,
            "m4a" => Extension::M4a,
            "m4v" => Extension::M4v,
            _ => Extension::Mp4,
        };
    }
    match (kind, own) {
        (TrackKind::Text, "srt") => Extension::Srt,
        (TrackKind::Text, "ttml") => Extension::Ttml,
        (TrackKind::Text, _) => Extension::Vtt,
        (_, "mp4" | "cmfv" | "cmfa") => Extension::Mp4,
        (_, "m4s") => Extension::M4s,
        (_, "m4a") => Extension::M4a,
        (_, "m4v") => Extension::M4v,
        (_, "aac") => Extension::Aac,
        (_, "ac3") => Extension::Ac3,
        (_, "ec3" | "eac3") => Extension::Ec3,
        (_, "mp3") => Extension::Mp3,
        _ => Extension::Ts,
    }
}

/// The extension of an EXT-X-SESSION-DATA value.
pub(super) fn of_session_data(uri: &str) -> Extension {
    match of_uri(uri).as_deref() {
        Some("bin" | "raw") => Extension::Bin,
        _ => Extension::Json,
    }
}

/// The extension of a sidecar: by MIME type, else by its URL.
pub(super) fn of_sidecar(sidecar: &Sidecar) -> Extension {
    let mime = sidecar.mime_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let named = of_uri(&sidecar.url).unwrap_or_default();
    let is = |mimes: &[&str], names: &[&str]| {
        mimes.iter().any(|it| mime.starts_with(it)) || (mime.is_empty() && names.contains(&named.as_str()))
    };
    match sidecar.role {
        SidecarRole::Subtitle if is(&["application/x-subrip", "text/srt"], &["srt"]) => Extension::Srt,
        SidecarRole::Subtitle if is(&["application/ttml"], &["ttml", "dfxp", "xml"]) => Extension::Ttml,
        SidecarRole::Subtitle => Extension::Vtt,
        SidecarRole::Thumbnail if is(&["image/png"], &["png"]) => Extension::Png,
        SidecarRole::Thumbnail if is(&["image/webp"], &["webp"]) => Extension::Webp,
        SidecarRole::Thumbnail if is(&["image/gif"], &["gif"]) => Extension::Gif,
        SidecarRole::Thumbnail => Extension::Jpg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, kind: TrackKind, fragmented: bool, expected: &str) {
        assert_eq!(of_media(uri, kind, fragmented).as_str(), expected, "{uri}");
    }

    #[test]
    fn media_keeps_its_extension_where_it_is_one_of_media() {
        check("a/b.TS?x=1.mp4", TrackKind::Video, false, "ts");
        check("a.aac", TrackKind::Audio, false, "aac");
        check("a.m4s", TrackKind::Video, true, "m4s");
        check("v.mp4", TrackKind::Video, false, "mp4");
    }

    #[test]
    fn any_other_name_gets_the_extension_of_what_it_must_be() {
        check("seg?n=1", TrackKind::Video, false, "ts");
        check("a.php", TrackKind::Text, false, "vtt");
        check("a.vtt", TrackKind::Text, true, "mp4");
        check("a.jpg", TrackKind::Video, true, "mp4");
        check("../../etc/passwd", TrackKind::Audio, false, "ts");
    }
}
