//! `serve`: the completed items, to players on this machine.

use std::sync::Arc;

use dtg_core::{ContentReader, ItemId, ItemState};
use playback_server::{Library, PlaybackServer, Presentation};

use super::{Outcome, store};
use crate::args::Store;
use crate::output::{Out, ServeDocument, Served, marker};
use crate::signals::Signals;

/// The store as the server sees it.
#[derive(Debug)]
struct Shelf(ContentReader);

impl Library for Shelf {
    fn open(&self, id: &str) -> Option<Presentation> {
        let location = self.0.playback_location(&ItemId::new(id).ok()?).ok()?;
        Some(Presentation { folder: location.folder_path(), master: location.master })
    }

    fn ids(&self) -> Vec<String> {
        completed(&self.0).unwrap_or_default()
    }
}

fn completed(reader: &ContentReader) -> Result<Vec<String>, dtg_core::Error> {
    let items = reader.items()?.into_iter().filter(|item| item.state == ItemState::Completed);
    Ok(items.map(|item| item.id.to_string()).collect())
}

pub(super) fn serve(store: &Store, port: u16, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let signals = Signals::install()?;
    let reader = store::existing(store)?;
    let ids = completed(&reader)?;
    let shelf = Arc::new(Shelf(reader));
    let server = PlaybackServer::builder(shelf.clone()).port(port).start()?;
    let items = ids
        .into_iter()
        .filter_map(|id| {
            let master = shelf.open(&id)?.master;
            Some(Served { playback_url: server.url_for(&id, master.as_str()), id })
        })
        .collect();
    let document = ServeDocument { schema: marker::Serve::V1, items };
    out.result(&document, || document.lines())?;
    out.flush()?;
    out.note(&format!("{} items; Ctrl-C ends", document.items.len()))?;
    signals.wait_for_stop();
    server.stop();
    Ok(Outcome::Done)
}
