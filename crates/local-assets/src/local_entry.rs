//! From an entry to what is downloaded beside it, and from a downloaded item to an entry that plays it.

use camino::{Utf8Component, Utf8Path};
use dtg_core::{ItemLocation, LocalSidecar, Sidecar, SidecarRole};
use media_entry::{ExternalSubtitle, MediaEntry, MediaSource};

/// What [`ContentManager`](dtg_core::ContentManager) is to download beside an entry's source: its external subtitles and
/// its thumbnail, each address once.
///
/// Only http and https addresses are listed; there is nothing to fetch at others.
#[must_use]
pub fn sidecars_of(entry: &MediaEntry) -> Vec<Sidecar> {
    let subtitles = entry.external_subtitles.iter().map(|subtitle| Sidecar {
        role: SidecarRole::Subtitle,
        url: subtitle.url.clone(),
        language: subtitle.language.clone(),
        name: subtitle.name.clone(),
        mime_type: subtitle.mime_type.clone(),
    });
    let thumbnail = entry.thumbnail_url.iter().map(|url| Sidecar {
        role: SidecarRole::Thumbnail,
        url: url.clone(),
        language: None,
        name: None,
        mime_type: None,
    });
    let mut sidecars: Vec<Sidecar> = Vec::new();
    for sidecar in subtitles.chain(thumbnail).filter(|sidecar| is_http(&sidecar.url)) {
        if !sidecars.iter().any(|other| other.role == sidecar.role && other.url == sidecar.url) {
            sidecars.push(sidecar);
        }
    }
    sidecars
}

/// The entry as it plays from `location`, each file at the address that `address` gives it.
pub(crate) fn local_entry(
    entry: &MediaEntry,
    location: &ItemLocation,
    address: impl Fn(&Utf8Path) -> String,
) -> MediaEntry {
    let mut source = MediaSource::new(location.id.as_str(), address(&location.master));
    source.mime_type = media_type(&location.master).map(str::to_owned);
    let thumbnail = sidecars(location, SidecarRole::Thumbnail).next();
    MediaEntry {
        sources: vec![source],
        external_subtitles: local_subtitles(entry, location, &address),
        thumbnail_url: thumbnail.map(|local| address(&local.file)),
        ..entry.clone()
    }
}

/// The entry's subtitles that were downloaded, in its order; then those that only the item knows.
fn local_subtitles(
    entry: &MediaEntry,
    location: &ItemLocation,
    address: &impl Fn(&Utf8Path) -> String,
) -> Vec<ExternalSubtitle> {
    let downloaded = || sidecars(location, SidecarRole::Subtitle);
    let of_entry = entry.external_subtitles.iter().filter_map(|subtitle| {
        let local = downloaded().find(|local| local.sidecar.url == subtitle.url)?;
        Some(ExternalSubtitle { url: address(&local.file), ..subtitle.clone() })
    });
    let unknown =
        |local: &&LocalSidecar| !entry.external_subtitles.iter().any(|it| it.url == local.sidecar.url);
    let of_item = downloaded().filter(unknown).map(|local| ExternalSubtitle {
        language: local.sidecar.language.clone(),
        name: local.sidecar.name.clone(),
        mime_type: local.sidecar.mime_type.clone(),
        ..ExternalSubtitle::new(address(&local.file))
    });
    of_entry.chain(of_item).collect()
}

fn sidecars(location: &ItemLocation, role: SidecarRole) -> impl Iterator<Item = &LocalSidecar> {
    location.sidecars.iter().filter(move |local| local.sidecar.role == role)
}

/// What a player is told that it opens: a playlist, or the one media file that the item is.
fn media_type(master: &Utf8Path) -> Option<&'static str> {
    Some(match master.extension()? {
        "m3u8" => "application/x-mpegURL",
        "mp4" | "m4v" => "video/mp4",
        "m4a" => "audio/mp4",
        "mp3" => "audio/mpeg",
        "aac" => "audio/aac",
        "ts" => "video/mp2t",
        "webm" => "video/webm",
        _ => return None,
    })
}

/// A relative path with `/` between its names on every system.
pub(crate) fn path_text(path: &Utf8Path) -> String {
    let names: Vec<&str> = path.components().map(|name: Utf8Component<'_>| name.as_str()).collect();
    names.join("/")
}

fn is_http(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LocalAssetsManager;
    use dtg_core::ItemId;
    use media_entry::{DrmParams, MediaFormat, MediaType, Platform};

    const ENTRY: &str = r#"{
        "id": "1_abc", "name": "Film", "mediaType": "Vod", "duration": 25.12, "tags": "360", "_x": [1],
        "metadata": {"genre": "drama"}, "thumbnailUrl": "https://h.test/t.jpg?ks=1",
        "sources": [{"id": "a", "url": "https://h.test/a.m3u8"}, {"id": "b", "url": "https://h.test/b.mp4"}],
        "externalSubtitles": [
            {"id": "c1", "url": "https://h.test/en.vtt", "language": "en", "name": "English", "_y": true},
            {"id": "c2", "url": "https://h.test/fr.vtt", "language": "fr", "name": "French"}]
    }"#;

    fn entry() -> MediaEntry {
        MediaEntry::from_json(ENTRY).unwrap()
    }

    /// An item with these files beside its presentation, each downloaded for the sidecar of the same place.
    fn location(sidecars: Vec<Sidecar>, files: &[&str]) -> ItemLocation {
        let local = sidecars
            .into_iter()
            .zip(files)
            .map(|(sidecar, file)| LocalSidecar { sidecar, file: (*file).into() });
        ItemLocation {
            id: ItemId::new("asset-1").unwrap(),
            root: "/data/dtg".into(),
            folder: "items/asset-1/media".into(),
            master: "master.m3u8".into(),
            sidecars: local.collect(),
        }
    }

    fn manager() -> LocalAssetsManager {
        LocalAssetsManager::new(Platform::desktop())
    }

    #[test]
    fn subtitles_and_thumbnail_are_downloaded_beside_the_source() {
        let listed: Vec<_> =
            sidecars_of(&entry()).into_iter().map(|it| (it.role, it.url, it.language)).collect();
        let expected = [
            (SidecarRole::Subtitle, "https://h.test/en.vtt".to_owned(), Some("en".to_owned())),
            (SidecarRole::Subtitle, "https://h.test/fr.vtt".to_owned(), Some("fr".to_owned())),
            (SidecarRole::Thumbnail, "https://h.test/t.jpg?ks=1".to_owned(), None),
        ];
        assert_eq!(listed, expected);
    }

    #[test]
    fn an_address_is_downloaded_once_and_only_over_http() {
        let mut entry = MediaEntry::new("1");
        let urls = [
            "https://h.test/a.vtt",
            "https://h.test/a.vtt",
            "file:///etc/passwd",
            "a.vtt",
            "HTTP://h.test/b.vtt",
        ];
        entry.external_subtitles = urls.map(ExternalSubtitle::new).to_vec();
        entry.thumbnail_url = Some("data:image/png;base64,AAAA".to_owned());
        let urls: Vec<_> = sidecars_of(&entry).into_iter().map(|it| it.url).collect();
        assert_eq!(urls, ["https://h.test/a.vtt", "HTTP://h.test/b.vtt"]);
    }

    #[test]
    fn a_local_entry_has_one_local_source_and_keeps_all_else() {
        let files = ["subtitle/0.vtt", "subtitle/1.vtt", "thumbnail/0.jpg"];
        let local = manager().create_local_media_entry(&entry(), &location(sidecars_of(&entry()), &files));

        let mut expected = entry();
        let mut source = MediaSource::new("asset-1", "items/asset-1/media/master.m3u8");
        source.mime_type = Some("application/x-mpegURL".to_owned());
        expected.sources = vec![source];
        expected.external_subtitles[0].url = "items/asset-1/media/subtitle/0.vtt".to_owned();
        expected.external_subtitles[1].url = "items/asset-1/media/subtitle/1.vtt".to_owned();
        expected.thumbnail_url = Some("items/asset-1/media/thumbnail/0.jpg".to_owned());
        assert_eq!(local, expected);
        assert_eq!(local.sources[0].format(), MediaFormat::Hls);
        assert_eq!(local.media_type, Some(MediaType::Vod));
    }

    #[test]
    fn nothing_of_a_local_entry_leads_online() {
        let only_french = sidecars_of(&entry()).into_iter().skip(1).take(1).collect();
        let mut entry = entry();
        entry.sources[0].drm = vec![DrmParams::fair_play("https://h.test/license", *b"cert")];
        let local = manager().create_local_media_entry(&entry, &location(only_french, &["subtitle/0.vtt"]));
        let json = local.to_json();
        assert!(!json.contains("http"), "{json}");
        assert_eq!(local.external_subtitles.len(), 1);
        assert_eq!(local.external_subtitles[0].language.as_deref(), Some("fr"));
    }

    #[test]
    fn a_single_media_file_is_the_source_of_its_local_entry() {
        let check = |file: &str, format: MediaFormat| {
            let item = ItemLocation { master: file.into(), ..location(Vec::new(), &[]) };
            let local = manager().create_local_media_entry(&entry(), &item);
            assert_eq!(local.sources[0].url, format!("items/asset-1/media/{file}"));
            assert_eq!(local.sources[0].format(), format, "{file}");
        };
        check("file.mp4", MediaFormat::Mp4);
        check("file.mp3", MediaFormat::Mp3);
        check("file.m4a", MediaFormat::Mp3);
    }

    #[test]
    fn an_id_alone_makes_an_entry_from_what_the_item_knows() {
        let files = ["subtitle/0.vtt", "subtitle/1.vtt", "thumbnail/0.jpg"];
        let item = location(sidecars_of(&entry()), &files);
        let local = manager().create_local_media_entry(&MediaEntry::new("asset-1"), &item);
        let names: Vec<_> = local.external_subtitles.iter().map(|it| it.name.as_deref()).collect();
        assert_eq!(names, [Some("English"), Some("French")]);
        assert_eq!(local.thumbnail_url.as_deref(), Some("items/asset-1/media/thumbnail/0.jpg"));
    }

    #[test]
    fn two_subtitles_at_one_address_are_both_local() {
        let mut entry = entry();
        entry.external_subtitles[1].url = entry.external_subtitles[0].url.clone();
        let local = manager()
            .create_local_media_entry(&entry, &location(sidecars_of(&entry), &["s/0.vtt", "t/0.jpg"]));
        let languages: Vec<_> = local.external_subtitles.iter().map(|it| it.language.as_deref()).collect();
        assert_eq!(languages, [Some("en"), Some("fr")]);
    }

    #[test]
    fn files_have_the_addresses_that_the_caller_gives_them() {
        let item = location(sidecars_of(&entry()), &["subtitle/0.vtt"]);
        let served = manager()
            .create_local_media_entry_at(&entry(), &item, |file| format!("http://127.0.0.1:1/k/{file}"));
        assert_eq!(served.sources[0].url, "http://127.0.0.1:1/k/master.m3u8");
        assert_eq!(served.external_subtitles[0].url, "http://127.0.0.1:1/k/subtitle/0.vtt");
    }
}
