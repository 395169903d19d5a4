//! `download` and `resume`: what goes on until every item rests.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use dtg_core::{
    ContentManager, Decoders, ErrorKind, Event, Events, Item, ItemId, ItemState, RequestAdapter,
    RequestParts, SelectionOptions, Started,
};
use url::Url;

use super::{Outcome, store};
use crate::args::{Download, Header, Named, Resume};
use crate::output::{Failure, ItemDocument, ItemView, ItemsDocument, Out, Refused, marker, public_part};
use crate::progress::Progress;
use crate::signals::{Signal, Signals};

/// How long Ctrl-C may go unseen while nothing else happens.
const PATIENCE: Duration = Duration::from_millis(100);

/// Whether the work came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Rested,
    Stopped,
}

pub(super) fn download(wish: &Download, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let signals = Signals::install()?;
    let headers = own_headers(&wish.url, &wish.headers);
    let manager = store::manager(&wish.store, &wish.transfer, wish.decoders, headers)?;
    let item = added(&manager, wish)?;
    let id = &item.id;
    if item.state == ItemState::Completed {
        out.note(&format!("{id} is completed already"))?;
        return finish_download(&manager, id, Run::Rested, out);
    }
    out.note(&format!("{id}: {}", public_part(&wish.url)))?;
    if item.state == ItemState::New && load(&manager, id, &wish.selection, &signals)? == Run::Stopped {
        out.note("stopped; give the same command again to go on")?;
        report(ItemView::new(item, None), out)?;
        return Ok(Outcome::Stopped);
    }
    let events = manager.subscribe();
    manager.start_item(id)?;
    let run = follow(&manager, &events, std::slice::from_ref(id), &signals, out)?;
    finish_download(&manager, id, run, out)
}

/// Adds the headers to the requests that go to the URL's own origin, and to no others: they may be credentials.
fn own_headers(url: &str, headers: &[Header]) -> Option<Arc<dyn RequestAdapter>> {
    let origin = Url::parse(url).ok()?.origin();
    let headers = headers.to_vec();
    let adapt = move |request: &mut RequestParts| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if Url::parse(&request.url)?.origin() == origin {
            request.headers.extend(headers.iter().map(|it| (it.name.clone(), it.value.clone())));
        }
        Ok(())
    };
    Some(Arc::new(adapt))
}

/// The item of this id, added if it is new; one id can't stand for two URLs.
fn added(manager: &ContentManager, wish: &Download) -> anyhow::Result<Item> {
    let id = wish.id.id();
    match manager.item(id) {
        Ok(item) if item.url == wish.url => Ok(item),
        Ok(_) => Err(other_url(&wish.id).into()),
        Err(error) if matches!(error.kind(), ErrorKind::ItemNotFound) => Ok(manager.add_item(id, &wish.url)?),
        Err(error) => Err(error.into()),
    }
}

fn other_url(id: &Named) -> Refused {
    let remedy = match id {
        Named::ByUser(_) => "choose another id, or remove the item first",
        Named::ByUrl(_) => "choose an id with --id",
    };
    Refused {
        code: "item-exists",
        message: format!(
            "item `{}`: an item with this id is there already, with another URL; {remedy}",
            id.id()
        ),
    }
}

/// Loads the metadata on another thread, so that Ctrl-C is heard meanwhile.
fn load(
    manager: &ContentManager,
    id: &ItemId,
    selection: &SelectionOptions,
    signals: &Signals,
) -> anyhow::Result<Run> {
    let done = signals.sender.clone();
    let (stopped, loaded) = thread::scope(|scope| {
        let loading = scope.spawn(move || {
            let loaded = manager.load_item_metadata(id, selection.clone());
            // The receiver outlives the scope.
            let _ = done.send(Signal::Done);
            loaded
        });
        let stopped = signals.receiver.recv() == Ok(Signal::Stop);
        if stopped {
            manager.close();
        }
        (stopped, loading.join())
    });
    match loaded {
        _ if stopped => Ok(Run::Stopped),
        Ok(loaded) => Ok(loaded.map(|_| Run::Rested)?),
        Err(_) => anyhow::bail!("loading the metadata of {id} ended in a panic"),
    }
}

/// Shows the progress of started items until each rests, or until Ctrl-C has paused them.
pub(super) fn follow(
    manager: &ContentManager,
    events: &Events,
    ids: &[ItemId],
    signals: &Signals,
    out: &mut Out<'_>,
) -> anyhow::Result<Run> {
    let mut progress = Progress::new(out.chatter());
    let run = until_rest(events, ids, &signals.receiver, |event| progress.show(event, out));
    progress.end();
    if run == Run::Stopped {
        for id in ids {
            manager.pause_item(id)?;
        }
    }
    Ok(run)
}

/// Hands on the events of these items until the last of them rests, or Ctrl-C comes.
fn until_rest(
    events: &Events,
    ids: &[ItemId],
    signals: &Receiver<Signal>,
    mut show: impl FnMut(&Event),
) -> Run {
    let mut running: BTreeSet<&ItemId> = ids.iter().collect();
    while !running.is_empty() {
        if signals.try_iter().any(|signal| signal == Signal::Stop) {
            return Run::Stopped;
        }
        let Some(event) = events.recv_timeout(PATIENCE) else {
            if events.is_closed() {
                break;
            }
            continue;
        };
        show(&event);
        if !is_running(&event) {
            running.remove(event.id());
        }
    }
    Run::Rested
}

const fn is_running(event: &Event) -> bool {
    matches!(event, Event::State { state: ItemState::InProgress, .. } | Event::Progress(_))
}

/// The item as it rests now: the result, and what is to be said about it.
fn finish_download(
    manager: &ContentManager,
    id: &ItemId,
    run: Run,
    out: &mut Out<'_>,
) -> anyhow::Result<Outcome> {
    let item = manager.item(id)?;
    let outcome = outcome_of(std::slice::from_ref(&item), run, out)?;
    let item = view(manager, item);
    manager.close();
    report(item, out)?;
    Ok(outcome)
}

fn report(item: ItemView, out: &mut Out<'_>) -> anyhow::Result<()> {
    let document = ItemDocument { schema: marker::Download::V1, item };
    out.outcome(&document, || document.item.summary())
}

/// The states of items that wait for nothing but a start; a failed one must be named.
const UNFINISHED: [ItemState; 4] =
    [ItemState::MetadataLoaded, ItemState::InProgress, ItemState::Paused, ItemState::Interrupted];

pub(super) fn resume(wish: &Resume, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let signals = Signals::install()?;
    let manager = store::manager(&wish.store, &wish.transfer, Decoders::default(), None)?;
    let events = manager.subscribe();
    let started = match &wish.id {
        Some(id) => {
            manager.start_item(id).map(|()| Started { ids: vec![id.clone()], refused: Vec::new() })?
        }
        None => manager.start_items(&UNFINISHED)?,
    };
    let run = follow(&manager, &events, &started.ids, &signals, out)?;
    finish_resume(&manager, started, run, out)
}

fn finish_resume(
    manager: &ContentManager,
    started: Started,
    run: Run,
    out: &mut Out<'_>,
) -> anyhow::Result<Outcome> {
    let refused = started.refused.iter().filter_map(dtg_core::Error::item);
    let ids = started.ids.iter().chain(refused);
    let items = ids.map(|id| manager.item(id)).collect::<Result<Vec<Item>, _>>()?;
    let outcome = match started.refused.first() {
        Some(error) if run == Run::Rested => Outcome::Failed(error.into()),
        _ => outcome_of(&items, run, out)?,
    };
    if items.is_empty() {
        out.note("nothing to go on with")?;
    }
    let items: Vec<ItemView> = items.into_iter().map(|item| view(manager, item)).collect();
    manager.close();
    let document = ItemsDocument { schema: marker::Resume::V1, items };
    out.outcome(&document, || document.items.iter().map(ItemView::summary).collect())?;
    Ok(outcome)
}

pub(super) fn view(manager: &ContentManager, item: Item) -> ItemView {
    let location = manager.playback_location(&item.id).ok();
    ItemView::new(item, location.as_ref())
}

/// What the states mean for the exit code; says how to go on after Ctrl-C.
pub(super) fn outcome_of(items: &[Item], run: Run, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let unfinished: Vec<&Item> = items.iter().filter(|item| item.state != ItemState::Completed).collect();
    match (unfinished.as_slice(), run) {
        ([], _) => Ok(Outcome::Done),
        (unfinished, Run::Stopped) => {
            for item in unfinished.iter().filter(|item| item.state == ItemState::Paused) {
                out.note(&format!("paused; go on with: dtg resume {}", item.id))?;
            }
            Ok(Outcome::Stopped)
        }
        ([first, ..], Run::Rested) => Ok(Outcome::Failed(failure_of(first))),
    }
}

/// Why an item isn't completed.
fn failure_of(item: &Item) -> Failure {
    let (code, message, status) = match &item.failure {
        Some(failure) => (failure.code.clone(), failure.message.clone(), failure.status),
        None => (item.state.to_string(), format!("item `{}`: it is {}", item.id, item.state), None),
    };
    Failure { code, message, item: Some(item.id.to_string()), url: None, status }
}
