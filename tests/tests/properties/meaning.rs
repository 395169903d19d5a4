//! Local playlists say of the chosen tracks what the originals say, in the originals' words.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hls_parse::Playlist;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use url::Url;

use crate::chosen::{Chosen, Kept, choose, failed, parse, parsed_media};
use crate::download::Files;
use crate::facts::{self, Details, Reading, Role};
use crate::presentation::{local_origin, pairs, read_local};
use crate::stage::{Show, Stage, any_tree};
use crate::text;
use crate::thorough;
use crate::wish::any_wish;

static STAGE: LazyLock<Stage> = LazyLock::new(Stage::start);

/// The local playlists as they are planned; the property on determinism says that they are written so.
fn planned_files(chosen: &Chosen) -> Files {
    let local = chosen.planned.local.iter();
    local.map(|it| (it.path.as_str().to_owned(), it.text.clone())).collect()
}

/// Each local name stands for one remote file throughout.
fn check_names(
    local: &Reading,
    original: &Reading,
    names: &mut BTreeMap<String, String>,
) -> Result<(), TestCaseError> {
    for (local, original) in local.references.iter().zip(&original.references) {
        prop_assert_eq!(local.len(), original.len(), "references of a segment");
        for (local, original) in local.iter().zip(original) {
            prop_assert_eq!((local.role, local.range), (original.role, original.range));
            if local.role != Role::Gap {
                let url = names.entry(local.uri.clone()).or_insert_with(|| original.uri.clone());
                prop_assert_eq!(&*url, &original.uri, "{} stands for two files", local.uri);
            }
        }
    }
    Ok(())
}

fn check_playlists(chosen: &Chosen, show: &Show<'_>) -> Result<(), TestCaseError> {
    let files = planned_files(chosen);
    let master = chosen.planned.plan.master_file().into_string();
    let entry = parse(&chosen.origins.entry, None)?;
    let imports = entry.as_multivariant().map(|multivariant| &multivariant.variables);
    let mut names = BTreeMap::new();
    for pair in pairs(&files, &master, chosen, show)? {
        let local = read_local(&files, &pair.path)?;
        let truth = facts::of_tree(&show.tree, show.hosts, pair.playlist);
        prop_assert_eq!(&local.facts, &truth.facts, "{}", pair.path);
        check_names(&local, &truth, &mut names)?;
        let origin = chosen.origins.get(pair.origin).ok_or_else(|| failed("not fetched"))?;
        let original = parsed_media(origin, imports)?;
        let base = Url::parse(&origin.url).map_err(failed)?;
        let read = facts::of_text(&original, &|uri| resolved(&base, uri));
        prop_assert_eq!(&read, &truth, "the parser and the truth");
        let copy = local_origin(&files, &pair.path)?;
        let copied = parsed_media(&copy, None)?;
        prop_assert_eq!(Details::of(&copied), Details::of(&original));
        text::check_media(&show.tree, show.hosts, pair.playlist, &origin.text, &copy.text)?;
        text::check_offline(&copy.text)?;
    }
    if let (Playlist::Multivariant(multivariant), Some(selection)) = (&entry, &chosen.selection) {
        let kept = Kept::new(multivariant, selection);
        let copy = local_origin(&files, &master)?;
        text::check_multivariant(multivariant, &kept, &chosen.origins.entry.text, &copy.text)?;
        text::check_offline(&copy.text)?;
    }
    Ok(())
}

/// A whole URL without its fragment.
fn resolved(base: &Url, uri: &str) -> String {
    match base.join(uri) {
        Ok(mut url) => {
            url.set_fragment(None);
            url.into()
        }
        Err(_) => uri.to_owned(),
    }
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn local_playlists_mean_what_the_originals_mean(tree in any_tree(), wish in any_wish()) {
        let show = STAGE.show(tree);
        let chosen = choose(&show, &wish)?;
        check_playlists(&chosen, &show)?;
    }
}
