//! Every local name: the only place that knows what a file or folder of the store is called.
//!
//! Names come from our own counters and from closed lists, never from a URI; an item's id becomes a
//! folder name here and nowhere else. All relative paths are written with `/`.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::item::{ItemId, TrackKind};
use crate::resource::{Extension, Role};

/// The file that a player opens, in the media folder.
pub(crate) const MASTER: &str = "master.m3u8";

/// Where the playlists as they were fetched are, seen from the media folder.
pub(crate) const ORIGIN_FROM_MEDIA: &str = "../origin";
/// The file that says where each of them came from.
pub(crate) const ORIGIN_INDEX: &str = "index";

/// A folder name is at most this long; a longer one is cut and ends in a hash of the id.
const LONGEST_FOLDER: usize = 120;
/// What is kept of a name that is too long.
const KEPT_OF_LONG: usize = 60;
/// Names that Windows keeps for devices, whatever their extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The folder name of an item: each id has its own, also where file systems fold case.
pub(crate) fn folder_of(id: &ItemId) -> String {
    let id = id.as_str();
    let mut name = String::with_capacity(id.len());
    for (at, byte) in id.bytes().enumerate() {
        let is_plain = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if is_plain && !(at == 0 && is_device(id)) {
            name.push(char::from(byte));
        } else {
            push_hex(&mut name, byte);
        }
    }
    if name.len() <= LONGEST_FOLDER {
        return name;
    }
    name.truncate(KEPT_OF_LONG);
    name.push('~');
    let hash = blake3::hash(id.as_bytes()).to_hex();
    name.push_str(hash.get(..32).unwrap_or_default());
    name
}

fn push_hex(name: &mut String, byte: u8) {
    // Writing to a String can't fail.
    let _ = write!(name, "={byte:02x}");
}

fn is_device(name: &str) -> bool {
    let port = name.strip_prefix("com").or_else(|| name.strip_prefix("lpt"));
    DEVICES.contains(&name) || port.is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'9']))
}

/// The paths directly below a manager's root.
#[derive(Debug, Clone)]
pub(crate) struct RootPaths(Utf8PathBuf);

impl RootPaths {
    /// The paths below `root`.
    pub(crate) fn new(root: impl Into<Utf8PathBuf>) -> Self {
        Self(root.into())
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.0
    }

    /// Held by the one writer, with its pid inside.
    pub(crate) fn lock(&self) -> Utf8PathBuf {
        self.0.join("lock")
    }

    /// The index over the item folders.
    pub(crate) fn catalog(&self) -> Utf8PathBuf {
        self.0.join("catalog.redb")
    }

    /// Where catalog number `n` that could not be read was moved.
    pub(crate) fn bad_catalog(&self, n: u32) -> Utf8PathBuf {
        self.0.join(format!("catalog.redb.bad-{n}"))
    }

    /// Holds the item folders.
    pub(crate) fn items(&self) -> Utf8PathBuf {
        self.0.join("items")
    }

    /// One item's folder, by its folder name.
    pub(crate) fn item(&self, folder: &str) -> ItemPaths {
        ItemPaths(self.items().join(folder))
    }

    /// Holds what was removed and not yet deleted.
    pub(crate) fn trash(&self) -> Utf8PathBuf {
        self.0.join("trash")
    }

    /// The `n`th place in the trash for an item's folder.
    pub(crate) fn trashed(&self, n: u32, folder: &str) -> Utf8PathBuf {
        self.trash().join(format!("{n}-{folder}"))
    }
}

/// The presentation's folder of an item, relative to the root: it holds what plays and nothing else.
pub(crate) fn presentation_of(folder: &str) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("items/{folder}/media"))
}

/// The paths in one item's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemPaths(Utf8PathBuf);

impl ItemPaths {
    /// The folder itself.
    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.0
    }

    /// Enough of the item to find it again when the catalog is lost.
    pub(crate) fn item(&self) -> Utf8PathBuf {
        self.0.join("item")
    }

    /// Holds the playlists as they were fetched.
    pub(crate) fn origin_folder(&self) -> Utf8PathBuf {
        self.0.join("origin")
    }

    /// Where each fetched playlist came from.
    pub(crate) fn origin_index(&self) -> Utf8PathBuf {
        self.origin_folder().join(ORIGIN_INDEX)
    }

    /// Fetched playlist `n`; 0 is what the item's URL gave.
    pub(crate) fn origin(&self, n: usize) -> Utf8PathBuf {
        self.origin_folder().join(n.to_string())
    }

    /// What is fetched.
    pub(crate) fn plan(&self) -> Utf8PathBuf {
        self.0.join("plan")
    }

    /// What the local playlists are.
    pub(crate) fn playlists(&self) -> Utf8PathBuf {
        self.0.join("playlists")
    }

    /// A move to a fresh address that is not carried out to its end.
    pub(crate) fn moved(&self) -> Utf8PathBuf {
        self.0.join("moved")
    }

    /// What of it is done.
    pub(crate) fn journal(&self) -> Utf8PathBuf {
        self.0.join("journal")
    }

    /// What an asset download task keeps beside the item's record.
    pub(crate) fn asset(&self) -> Utf8PathBuf {
        self.0.join("asset")
    }

    /// Is there when all of an asset is, and durable.
    pub(crate) fn finished(&self) -> Utf8PathBuf {
        self.0.join("finished")
    }

    /// Held by the one task that works on an asset.
    pub(crate) fn lock(&self) -> Utf8PathBuf {
        self.0.join("lock")
    }

    /// The asset that this one takes the place of, until it is deleted.
    pub(crate) fn replaced(&self) -> Utf8PathBuf {
        self.0.join("replaced")
    }

    /// Holds what plays and nothing else.
    pub(crate) fn media(&self) -> Utf8PathBuf {
        self.0.join("media")
    }
}

/// What an asset's media folder is called, relative to the asset.
pub(crate) const MEDIA: &str = "media";

/// The paths of an asset whose place is the application's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssetPaths {
    destination: Utf8PathBuf,
    name: String,
}

impl AssetPaths {
    /// The paths of an asset at `destination`; `None` for a path without a last name.
    pub(crate) fn new(destination: &Utf8Path) -> Option<Self> {
        let name = destination.file_name()?.to_owned();
        Some(Self { destination: destination.to_owned(), name })
    }

    /// The finished asset: a folder, or the one media file that it is.
    pub(crate) fn destination(&self) -> &Utf8Path {
        &self.destination
    }

    /// Its last name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The folder that the asset lies in.
    pub(crate) fn above(&self) -> &Utf8Path {
        let above = self.destination.parent().filter(|above| !above.as_str().is_empty());
        above.unwrap_or(Utf8Path::new("."))
    }

    /// The folder of the finished asset.
    pub(crate) fn finished(&self) -> ItemPaths {
        ItemPaths(self.destination.clone())
    }

    /// The folder that it is downloaded in.
    pub(crate) fn work(&self) -> ItemPaths {
        ItemPaths(self.destination.with_file_name(format!("{}.download", self.name)))
    }
}

/// The file of a resource, relative to the media folder.
///
/// `kind` and `playlist` are those of the local playlist it belongs to; keys, session data and sidecars
/// belong to none and are told apart by `number` alone.
pub(crate) fn media_name(
    role: Role,
    kind: TrackKind,
    playlist: u32,
    number: u32,
    extension: Extension,
) -> Utf8PathBuf {
    let extension = extension.as_str();
    let kind = kind_name(kind);
    Utf8PathBuf::from(match role {
        Role::Segment => format!("{kind}/{playlist}/{number:06}.{extension}"),
        Role::Map => format!("{kind}/{playlist}/map-{number}.{extension}"),
        Role::Key => format!("key/{number:03}.{extension}"),
        Role::SessionData => format!("data/{number}.{extension}"),
        Role::Subtitle => format!("subtitle/{number}.{extension}"),
        Role::Thumbnail => format!("thumbnail/{number}.{extension}"),
        Role::File => format!("file.{extension}"),
    })
}

/// The file of a local media playlist, relative to the media folder.
pub(crate) fn playlist_name(kind: TrackKind, number: u32) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{}/{number}.m3u8", kind_name(kind)))
}

/// Whether a file (or a folder, which is named with a `/` at its end) of the media folder could be called so: what
/// has another name was not made here.
pub(crate) fn is_media_name(name: &str) -> bool {
    let is_kind = |folder: &str| ["video", "audio", "text"].contains(&folder);
    let is_other = |folder: &str| ["key", "data", "subtitle", "thumbnail"].contains(&folder);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_numbered = |file: &str| {
        let (stem, extension) = file.split_once('.').unwrap_or((file, ""));
        is_number(stem.strip_prefix("map-").unwrap_or(stem)) && !extension.is_empty()
    };
    match *name.split('/').collect::<Vec<_>>() {
        [file] => file == MASTER || file.starts_with("file."),
        [folder, ""] => is_kind(folder) || is_other(folder),
        [folder, file] => (is_kind(folder) || is_other(folder)) && is_numbered(file),
        [kind, playlist, file] => {
            is_kind(kind) && is_number(playlist) && (file.is_empty() || is_numbered(file))
        }
        _ => false,
    }
}

const fn kind_name(kind: TrackKind) -> &'static str {
    match kind {
        TrackKind::Video => "video",
        TrackKind::Audio => "audio",
        TrackKind::Text => "text",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_folder(id: &str, expected: &str) {
        assert_eq!(folder_of(&ItemId::new(id).unwrap()), expected);
    }

    #[test]
    fn plain_ids_keep_their_name() {
        check_folder("0_abc-9", "0_abc-9");
    }

    #[test]
    fn capitals_dots_separators_and_other_scripts_are_escaped() {
        check_folder("1_AbC", "1_=41b=43");
        check_folder("..", "=2e=2e");
        check_folder("../x", "=2e=2e=2fx");
        check_folder("a%2fb", "a=252fb");
        check_folder("a\\b:c", "a=5cb=3ac");
        check_folder("=41", "=3d41");
        check_folder("é", "=c3=a9");
    }

    #[test]
    fn windows_device_names_are_not_used() {
        check_folder("con", "=63on");
        check_folder("nul", "=6eul");
        check_folder("com1", "=63om1");
        check_folder("lpt9", "=6cpt9");
        check_folder("com10", "com10");
        check_folder("console", "console");
    }

    #[test]
    fn a_long_id_is_cut_and_ends_in_its_hash() {
        let [a, b] = ["x", "y"].map(|end| folder_of(&ItemId::new("a".repeat(200) + end).unwrap()));
        assert_eq!(a.len(), 93);
        assert!(a.starts_with(&("a".repeat(60) + "~")));
        assert_ne!(a, b);
    }

    proptest! {
        #[test]
        fn every_id_has_one_safe_folder_of_its_own(ids in prop::collection::vec("\\PC{1,80}", 1..20)) {
            let mut seen: HashMap<String, String> = HashMap::new();
            for id in ids.into_iter().filter_map(|id| ItemId::new(id).ok()) {
                let folder = folder_of(&id);
                prop_assert!(folder.len() <= LONGEST_FOLDER);
                let is_safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-=~".contains(c);
                prop_assert!(folder.chars().all(is_safe), "{folder}");
                let before = seen.insert(folder, id.to_string());
                prop_assert!(before.is_none_or(|before| before == id.as_str()));
            }
        }
    }

    #[test]
    fn media_names_come_from_counters() {
        let name = |role, extension| {
            let name = media_name(role, TrackKind::Video, 0, 17, extension).into_string();
            assert!(is_media_name(&name), "{name}");
            name
        };
        assert!(is_media_name(playlist_name(TrackKind::Text, 3).as_str()) && is_media_name(MASTER));
        for folder in ["video/", "video/0/", "key/", "data/", "subtitle/", "thumbnail/"] {
            assert!(is_media_name(folder), "{folder}");
        }
        for other in [
            "notes.txt",
            "notes/",
            "video/notes.txt",
            "video/x/",
            "video/0/poster.jpg",
            "key/0/1.key",
            "0.ts",
        ] {
            assert!(!is_media_name(other), "{other}");
        }
        assert_eq!(name(Role::Segment, Extension::Ts), "video/0/000017.ts");
        assert_eq!(name(Role::Map, Extension::Mp4), "video/0/map-17.mp4");
        assert_eq!(name(Role::Key, Extension::Key), "key/017.key");
        assert_eq!(name(Role::SessionData, Extension::Json), "data/17.json");
        assert_eq!(name(Role::Subtitle, Extension::Vtt), "subtitle/17.vtt");
        assert_eq!(name(Role::Thumbnail, Extension::Jpg), "thumbnail/17.jpg");
        assert_eq!(playlist_name(TrackKind::Audio, 1), "audio/1.m3u8");
    }
}
