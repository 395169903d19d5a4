//! Damage and storage as `verify`, `repair`, `storage` and `quota` show them.

use std::fmt::Write as _;

use dtg_core::{Damage, Fault, Storage, Verification};
use schemars::JsonSchema;
use serde::Serialize;

use super::item::{ItemView, drawn, table};
use super::marker;
use super::text::bytes;

/// What a look at every byte of an item found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Verification")]
pub(crate) struct VerificationView {
    /// The item.
    id: String,
    /// Parts and local playlists that are as they were recorded.
    sound: u32,
    /// Bytes of those.
    sound_bytes: u64,
    /// What is not, by file and place.
    damage: Vec<DamageView>,
    /// Files, folders and links in the presentation's folder that do not belong there.
    extra: Vec<String>,
}

/// A part or a local playlist that is not as it was recorded.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Damage")]
struct DamageView {
    /// Its file, relative to the presentation's folder.
    file: String,
    /// Where it begins in the file.
    offset: u64,
    /// How many bytes it has.
    length: u64,
    /// `missing`, `not-a-file`, `length`, `bytes` or `unreadable`.
    fault: String,
    /// The same in words.
    message: String,
    /// The length that was found, where that is the fault.
    found: Option<u64>,
}

impl From<Verification> for VerificationView {
    fn from(it: Verification) -> Self {
        Self {
            id: it.id.to_string(),
            sound: it.sound,
            sound_bytes: it.sound_bytes,
            damage: it.damage.into_iter().map(DamageView::from).collect(),
            extra: it.extra.into_iter().map(camino::Utf8PathBuf::into_string).collect(),
        }
    }
}

impl From<Damage> for DamageView {
    fn from(it: Damage) -> Self {
        Self {
            fault: it.fault.as_str().to_owned(),
            message: it.fault.to_string(),
            found: if let Fault::Length { found } = it.fault { Some(found) } else { None },
            file: it.file.into_string(),
            offset: it.offset,
            length: it.length,
        }
    }
}

impl VerificationView {
    pub(crate) fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }

    /// A line on the whole, and one on each thing that is not as it should be.
    pub(crate) fn lines(&self) -> String {
        let id = &self.id;
        let mut text = match self.damage.len() {
            0 => format!("{id}: sound, {} files and parts, {}\n", self.sound, bytes(self.sound_bytes)),
            1 => format!("{id}: 1 file or part is missing or damaged, {} are sound\n", self.sound),
            n => format!("{id}: {n} files and parts are missing or damaged, {} are sound\n", self.sound),
        };
        for it in &self.damage {
            // Writing to a string can't fail.
            let _ = match it.offset {
                0 => writeln!(text, "  {}: {}", it.file, it.message),
                at => writeln!(text, "  {} from byte {at}: {}", it.file, it.message),
            };
        }
        for name in &self.extra {
            let _ = writeln!(text, "  {name}: does not belong there");
        }
        text
    }
}

/// What `verify` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct VerifyDocument {
    pub(crate) schema: marker::Verify,
    /// What was found of each item.
    pub(crate) items: Vec<VerificationView>,
}

/// What `repair` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RepairDocument {
    pub(crate) schema: marker::Repair,
    /// What was found of each item.
    pub(crate) found: Vec<VerificationView>,
    /// The items as they rest now.
    pub(crate) items: Vec<ItemView>,
}

/// What `storage` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StorageDocument {
    pub(crate) schema: marker::Storage,
    /// Each item, in the order they were added.
    pub(crate) items: Vec<ItemStorageView>,
    /// Bytes of all items' files.
    pub(crate) bytes: u64,
    /// Bytes of what was removed and is not deleted yet.
    pub(crate) trash_bytes: u64,
    /// Bytes that may still be written to the volume.
    pub(crate) free_bytes: u64,
    /// What all media may take; null: no limit.
    pub(crate) quota: Option<u64>,
    /// What the quota counts: the media that is there, and of items in progress all that they will have.
    pub(crate) counted_bytes: u64,
}

/// What one item takes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ItemStorage")]
pub(crate) struct ItemStorageView {
    /// The item.
    id: String,
    /// Bytes of all its files: media, playlists, plan and journal.
    bytes: u64,
    /// Bytes that the volume gets back when it is removed.
    freed_bytes: u64,
}

impl From<Storage> for StorageDocument {
    fn from(it: Storage) -> Self {
        let view = |item: dtg_core::ItemStorage| ItemStorageView {
            id: item.id.to_string(),
            bytes: item.bytes,
            freed_bytes: item.freed_bytes,
        };
        let items: Vec<ItemStorageView> = it.items.into_iter().map(view).collect();
        Self {
            schema: marker::Storage::V1,
            bytes: items.iter().fold(0, |sum, item| sum.saturating_add(item.bytes)),
            items,
            trash_bytes: it.trash_bytes,
            free_bytes: it.free_bytes,
            quota: it.quota,
            counted_bytes: it.counted_bytes,
        }
    }
}

impl StorageDocument {
    /// A table of the items, then the sums.
    pub(crate) fn words(&self) -> String {
        let mut text = String::new();
        if !self.items.is_empty() {
            let mut table = table(&["ID", "SIZE", "REMOVING FREES"]);
            for item in &self.items {
                table.add_row([item.id.as_str(), &bytes(item.bytes), &bytes(item.freed_bytes)]);
            }
            text = drawn(&table);
        }
        // Writing to a string can't fail.
        let _ = writeln!(text, "all items   {}", bytes(self.bytes));
        let _ = writeln!(text, "free        {}", bytes(self.free_bytes));
        let _ = match self.quota {
            Some(quota) => {
                writeln!(text, "quota       {} of {} used", bytes(self.counted_bytes), bytes(quota))
            }
            None => writeln!(text, "quota       none"),
        };
        if self.trash_bytes > 0 {
            let _ = writeln!(text, "trash       {}", bytes(self.trash_bytes));
        }
        text
    }
}

/// What `quota` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QuotaDocument {
    pub(crate) schema: marker::Quota,
    /// What all media may take; null: no limit.
    pub(crate) quota: Option<u64>,
    /// The items that were removed for it now.
    pub(crate) removed: Vec<String>,
}

impl QuotaDocument {
    pub(crate) fn words(&self) -> String {
        let quota =
            self.quota.map_or_else(|| "no quota\n".to_owned(), |it| format!("quota: {}\n", bytes(it)));
        self.removed.iter().fold(quota, |text, id| text + id + ": removed\n")
    }
}
