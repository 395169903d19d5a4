//! `keep`, `storage` and `quota`.

use std::time::SystemTime;

use dtg_core::{ContentManager, Decoders, Item, ItemId};

use super::{Outcome, store};
use crate::args::{Limit, Store, Transfer, Wanted, When};
use crate::output::{ItemDocument, ItemView, Out, QuotaDocument, StorageDocument, marker};

pub(super) fn writer(store: &Store) -> anyhow::Result<ContentManager> {
    store::manager(store, &Transfer::idle(), Decoders::default(), None)
}

pub(super) fn keep(
    store: &Store,
    id: &ItemId,
    wanted: &[Wanted],
    out: &mut Out<'_>,
) -> anyhow::Result<Outcome> {
    let manager = writer(store)?;
    let mut item = manager.item(id)?;
    for wish in wanted {
        item = changed(&manager, id, *wish)?;
    }
    let location = manager.playback_location(id).ok();
    manager.close();
    let document = ItemDocument { schema: marker::Keep::V1, item: ItemView::new(item, location.as_ref()) };
    out.result(&document, || document.item.details())?;
    Ok(Outcome::Done)
}

#[expect(clippy::disallowed_methods, reason = "what a user says of now is about this program's clock")]
fn changed(manager: &ContentManager, id: &ItemId, wish: Wanted) -> anyhow::Result<Item> {
    Ok(match wish {
        Wanted::Pinned => manager.pin_item(id)?,
        Wanted::Unpinned => manager.unpin_item(id)?,
        Wanted::PlayedNow => manager.set_played(id, SystemTime::now())?,
        Wanted::Until(When::Never) => manager.set_expiry(id, None)?,
        Wanted::Until(When::At(at)) => manager.set_expiry(id, Some(at))?,
        // Further away than the clock can tell is never.
        Wanted::Until(When::In(span)) => manager.set_expiry(id, SystemTime::now().checked_add(span))?,
    })
}

pub(super) fn storage(store: &Store, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let document = StorageDocument::from(store::existing(store)?.storage()?);
    out.result(&document, || document.words())?;
    Ok(Outcome::Done)
}

pub(super) fn quota(store: &Store, limit: Option<Limit>, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let (quota, removed) = match limit {
        None => (store::existing(store)?.quota()?, Vec::new()),
        Some(limit) => {
            let quota = if let Limit::Bytes(bytes) = limit { Some(bytes) } else { None };
            let manager = writer(store)?;
            let removed = manager.set_quota(quota)?;
            manager.close();
            (quota, removed)
        }
    };
    let removed = removed.iter().map(ToString::to_string).collect();
    let document = QuotaDocument { schema: marker::Quota::V1, quota, removed };
    out.result(&document, || document.words())?;
    Ok(Outcome::Done)
}
