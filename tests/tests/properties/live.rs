//! What has not ended yet is refused before any of its media is fetched; what nobody chose may be live.

use std::sync::LazyLock;

use dtg_core::{ErrorKind, ItemState, PlanError};
use proptest::prelude::*;
use xtask::tree::Tree;

use crate::chosen::{choose, failed};
use crate::download::{Manner, completed, folder, id, open, presentation, run};
use crate::presentation::check_closed;
use crate::stage::{Stage, any_unended_tree};
use crate::thorough;
use crate::wish::any_wish;

static STAGE: LazyLock<Stage> = LazyLock::new(Stage::start);

/// Why a playlist of the tree can't be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Live,
    DeltaUpdate,
}

/// The same tree when all of it has ended.
fn ended(tree: &Tree) -> Tree {
    let mut tree = tree.clone();
    for playlist in &mut tree.playlists {
        playlist.end_list = true;
        playlist.low_latency.skipped = None;
    }
    tree
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn what_has_not_ended_is_refused_before_its_media_is_fetched(tree in any_unended_tree(), wish in any_wish()) {
        let urls: Vec<String> = {
            let chosen = choose(&STAGE.show(ended(&tree)), &wish)?;
            let media = chosen.origins.media.iter();
            media.chain([&chosen.origins.entry]).map(|origin| origin.url.clone()).collect()
        };
        let show = STAGE.show(tree);
        let refusals: Vec<Refusal> = urls.iter().filter_map(|url| show.playlist_at(url)).filter_map(|playlist| {
            match (playlist.low_latency.skipped, playlist.end_list) {
                (Some(_), _) => Some(Refusal::DeltaUpdate),
                (None, false) => Some(Refusal::Live),
                (None, true) => None,
            }
        }).collect();
        let root = folder();
        let manager = open(root.path(), &wish, Manner::PATIENT);
        manager.add_item(&id(), &show.url()).map_err(failed)?;
        let loaded = manager.load_item_metadata(&id(), wish.options.clone());
        if refusals.is_empty() {
            loaded.map_err(failed)?;
            completed(&run(&manager)?)?;
            check_closed(&presentation(&manager)?, &choose(&show, &wish)?, &show)?;
            return Ok(());
        }
        let error = loaded.expect_err("it is not all there yet");
        let refusal = match error.kind() {
            ErrorKind::Plan(PlanError::Live { .. }) => Refusal::Live,
            ErrorKind::Plan(PlanError::DeltaUpdate { .. }) => Refusal::DeltaUpdate,
            _ => return Err(failed(error)),
        };
        prop_assert!(refusals.contains(&refusal), "{:?}, not {:?}", refusal, refusals);
        let item = manager.item(&id()).map_err(failed)?;
        prop_assert_eq!(item.state, ItemState::New);
        prop_assert!(item.failure.is_some() && manager.start_item(&id()).is_err());
        prop_assert_eq!(show.asked(), [], "nothing but playlists");
    }
}
