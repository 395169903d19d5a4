//! A manager's completed items, as the playback server sees them.

use std::sync::Arc;

use dtg_core::{ContentManager, ItemId, ItemState};
use playback_server::{Library, Presentation};

/// The completed items of a manager that is open.
#[derive(Debug, Clone)]
pub struct Shelf(pub Arc<ContentManager>);

impl Library for Shelf {
    fn open(&self, id: &str) -> Option<Presentation> {
        let location = self.0.playback_location(&ItemId::new(id).ok()?).ok()?;
        Some(Presentation { folder: location.folder_path(), master: location.master })
    }

    fn ids(&self) -> Vec<String> {
        let items = self.0.items_by_state(ItemState::Completed).unwrap_or_default();
        items.into_iter().map(|item| item.id.to_string()).collect()
    }
}
