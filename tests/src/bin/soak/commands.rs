//! The commands at random, and what must hold in between and at the end.

use std::fs;
use std::num::{NonZeroU16, NonZeroU64};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;
use dtg_core::{BitRate, ContentManager, ErrorKind, ItemId, ItemState, Requirements, RetryPolicy};
use dtg_testkit::Origin;

use crate::dice::Dice;
use crate::origins::{self, SHAPES, Shape};

/// How many items there are at once.
const ITEMS: usize = 20;
/// Between two commands.
const PAUSE: Duration = Duration::from_millis(5);

/// A manager with its items, and the origin that they come from.
pub(crate) struct Soak {
    origin: Origin,
    manager: ContentManager,
    items: Vec<(ItemId, Shape)>,
    dice: Dice,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    commands: u64,
    completed: u64,
    removed: u64,
    interrupted: u64,
}

impl Soak {
    /// Adds the items, and starts them.
    pub(crate) fn start(root: &Utf8Path, seed: u64) -> Result<Self> {
        let origin = origins::start(seed)?;
        let manager = ContentManager::builder(root)
            .requirements(Requirements { reserve_bytes: 0, ..Requirements::default() })
            .retry(RetryPolicy {
                max_attempts: 20,
                first_delay: Duration::from_millis(5),
                max_delay: Duration::from_millis(100),
            })
            .open()?;
        let shapes = SHAPES.iter().cycle().take(ITEMS);
        let items = shapes.enumerate().map(|(n, shape)| Ok((ItemId::new(format!("item {n}"))?, *shape)));
        let items = items.collect::<Result<_>>()?;
        let soak = Self { origin, manager, items, dice: Dice::new(seed), counts: Counts::default() };
        soak.items.iter().try_for_each(|(id, shape)| soak.add(id, *shape))?;
        Ok(soak)
    }

    fn add(&self, id: &ItemId, shape: Shape) -> Result<()> {
        self.manager.add_item(id, &self.origin.url(&shape.playlist()))?;
        self.manager.load_item_metadata(id, BitRate(1))?;
        Ok(self.manager.start_item(id)?)
    }

    /// Gives commands until the time is up.
    #[expect(clippy::disallowed_methods, reason = "the soak lasts as long as the clock says")]
    pub(crate) fn play(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        // Without a limit most items would be completed before anything is done to them.
        self.limit(3)?;
        while Instant::now() < end {
            self.command()?;
            self.counts.commands += 1;
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn command(&mut self) -> Result<()> {
        let (id, shape) = self.items.get(self.dice.below(ITEMS)).context("an item")?.clone();
        let state = self.manager.item(&id)?.state;
        match self.dice.below(12) {
            _ if state == ItemState::Completed => self.replace(&id, shape),
            0..=2 => Ok(self.manager.pause_item(&id)?),
            3 => {
                self.counts.removed += 1;
                self.manager.remove_item(&id)?;
                self.add(&id, shape)
            }
            4 | 5 => {
                let priority = i32::try_from(self.dice.below(7))? - 3;
                Ok(self.manager.set_priority(&id, priority)?)
            }
            6 => {
                let connections = u16::try_from(1 + self.dice.below(32))?;
                Ok(self.manager.set_connections(NonZeroU16::new(connections).context("from 1 on")?)?)
            }
            7 => {
                let cap = u16::try_from(self.dice.below(16))?;
                Ok(self.manager.set_connections_per_host(NonZeroU16::new(cap))?)
            }
            8 => {
                let mega_bytes = 1 + self.dice.below(8);
                self.limit(mega_bytes)
            }
            _ => self.go_on(&id),
        }
    }

    fn limit(&self, mega_bytes: usize) -> Result<()> {
        self.manager.set_rate_limit(NonZeroU64::new(u64::try_from(mega_bytes)? * 1_000_000));
        Ok(())
    }

    /// Starts an item, unless it was completed meanwhile.
    fn go_on(&mut self, id: &ItemId) -> Result<()> {
        self.counts.interrupted += u64::from(self.manager.item(id)?.state == ItemState::Interrupted);
        match self.manager.start_item(id) {
            Err(error) if !matches!(error.kind(), ErrorKind::InvalidState(_)) => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A completed item is compared, and makes room for the next one.
    fn replace(&mut self, id: &ItemId, shape: Shape) -> Result<()> {
        self.compare(id, shape)?;
        self.counts.completed += 1;
        self.manager.remove_item(id)?;
        self.add(id, shape)
    }

    /// Every byte of a completed item is the origin's.
    fn compare(&self, id: &ItemId, shape: Shape) -> Result<()> {
        let item = self.manager.item(id)?;
        let folder = self.manager.playback_location(id)?.folder_path();
        let mut length = 0;
        for (n, (path, bytes)) in shape.media().into_iter().enumerate() {
            let file = fs::read(folder.join(format!("video/0/{n:06}.ts")))?;
            ensure!(file == bytes, "item `{id}`: file {n} is not {path}");
            length += u64::try_from(bytes.len())?;
        }
        ensure!(
            item.downloaded_bytes == length,
            "item `{id}` says {} bytes, has {length}",
            item.downloaded_bytes
        );
        ensure!(item.fetches_done == item.fetches, "item `{id}`: {}/{}", item.fetches_done, item.fetches);
        Ok(())
    }

    /// Lets every item come to its end, compares it, and closes everything. Answers what happened.
    pub(crate) fn finish(mut self) -> Result<String> {
        self.manager.set_rate_limit(None);
        self.manager.set_connections_per_host(None)?;
        for (id, shape) in self.items.clone() {
            // Interrupted by faults in a row is legal, and then it goes on.
            while self.manager.wait(&id)?.state != ItemState::Completed {
                let item = self.manager.item(&id)?;
                ensure!(item.state != ItemState::Failed, "item `{id}` failed: {:?}", item.failure);
                self.go_on(&id)?;
            }
            self.compare(&id, shape)?;
            self.counts.completed += 1;
        }
        let requests = self.origin.requests().len();
        let Counts { commands, completed, removed, interrupted } = self.counts;
        self.manager.close();
        Ok(format!(
            "{commands} commands, {requests} requests; {completed} items completed byte for byte, \
             {removed} removed on the way, {interrupted} interruptions"
        ))
    }
}
