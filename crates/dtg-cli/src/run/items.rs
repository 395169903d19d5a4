//! `list`, `info` and `remove`.

use dtg_core::{ContentReader, Decoders, Item, ItemId};

use super::{Outcome, store};
use crate::args::{Store, Transfer};
use crate::output::{ItemDocument, ItemView, ItemsDocument, Out, Refused, RemovedDocument, marker};

/// An item and, once it is completed, where it plays from.
fn view(reader: &ContentReader, item: Item) -> ItemView {
    let location = reader.playback_location(&item.id).ok();
    ItemView::new(item, location.as_ref())
}

pub(super) fn list(store: &Store, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let items = match store::reader(store)? {
        Some(reader) => reader.items()?.into_iter().map(|item| view(&reader, item)).collect(),
        None => Vec::new(),
    };
    let document = ItemsDocument { schema: marker::List::V1, items };
    out.result(&document, || document.table())?;
    Ok(Outcome::Done)
}

pub(super) fn info(store: &Store, id: &ItemId, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let Some(reader) = store::reader(store)? else { return Err(no_such_item(id).into()) };
    let item = view(&reader, reader.item(id)?);
    let document = ItemDocument { schema: marker::Info::V1, item };
    out.result(&document, || document.item.details())?;
    Ok(Outcome::Done)
}

/// As the store itself would say it; here there is no store at all.
fn no_such_item(id: &ItemId) -> Refused {
    Refused { code: "item-not-found", message: format!("item `{id}`: no such item") }
}

pub(super) fn remove(store: &Store, id: &ItemId, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let manager = store::manager(store, &Transfer::idle(), Decoders::default(), None)?;
    manager.remove_item(id)?;
    manager.close();
    let document = RemovedDocument { schema: marker::Remove::V1, removed: id.to_string() };
    out.outcome(&document, || format!("{id}: removed\n"))?;
    Ok(Outcome::Done)
}
