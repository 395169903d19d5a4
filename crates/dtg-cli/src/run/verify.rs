//! `verify` and `repair`.

use dtg_core::{ContentManager, Decoders, Item, ItemId, ItemState, Remedy};

use super::download::{follow, outcome_of, view};
use super::keep::writer;
use super::{Outcome, store};
use crate::args::{Resume, Store};
use crate::output::{Failure, Out, RepairDocument, VerificationView, VerifyDocument, marker};
use crate::signals::Signals;

/// The one that was named, or all that are completed or known to be damaged.
fn meant(manager: &ContentManager, id: Option<&ItemId>) -> anyhow::Result<Vec<ItemId>> {
    if let Some(id) = id {
        return Ok(vec![id.clone()]);
    }
    let is_damaged =
        |item: &Item| item.failure.as_ref().is_some_and(|failure| failure.remedy == Remedy::Repair);
    let is_meant = |item: &Item| item.state == ItemState::Completed || is_damaged(item);
    Ok(manager.items()?.into_iter().filter(is_meant).map(|item| item.id).collect())
}

pub(super) fn verify(store: &Store, id: Option<&ItemId>, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let manager = writer(store)?;
    let mut items: Vec<VerificationView> = Vec::new();
    for id in meant(&manager, id)? {
        items.push(manager.verify_item(&id)?.into());
    }
    manager.close();
    if items.is_empty() {
        out.note("nothing to verify")?;
    }
    let document = VerifyDocument { schema: marker::Verify::V1, items };
    out.result(&document, || document.items.iter().map(VerificationView::lines).collect())?;
    let damaged = document.items.iter().filter(|item| !item.is_sound()).count();
    Ok(match damaged {
        0 => Outcome::Done,
        _ => Outcome::Failed(Failure::new(
            "parts-damaged",
            format!("{damaged} of {} items are damaged; dtg repair fetches what is", document.items.len()),
        )),
    })
}

pub(super) fn repair(wish: &Resume, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let manager = store::manager(&wish.store, &wish.transfer, Decoders::default(), None)?;
    let ids = meant(&manager, wish.id.as_ref())?;
    let mut found: Vec<VerificationView> = Vec::new();
    for id in &ids {
        found.push(manager.repair_item(id)?.into());
    }
    // Until here Ctrl-C ends the program: nothing is half done.
    let signals = Signals::install()?;
    // In this order: who ends before the second is not waited for, and who ends after it is heard.
    let events = manager.subscribe();
    let running: Vec<ItemId> =
        manager.items_by_state(ItemState::InProgress)?.into_iter().map(|item| item.id).collect();
    let run = follow(&manager, &events, &running, &signals, out)?;
    let items = ids.iter().map(|id| manager.item(id)).collect::<Result<Vec<Item>, _>>()?;
    let outcome = outcome_of(&items, run, out)?;
    let items = items.into_iter().map(|item| view(&manager, item)).collect();
    manager.close();
    if ids.is_empty() {
        out.note("nothing to repair")?;
    }
    let document = RepairDocument { schema: marker::Repair::V1, found, items };
    out.outcome(&document, || document.found.iter().map(VerificationView::lines).collect())?;
    Ok(outcome)
}
