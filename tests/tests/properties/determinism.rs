//! Equal inputs give equal plans and equal folders.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::chosen::choose;
use crate::download::download;
use crate::stage::{Stage, any_tree};
use crate::thorough;
use crate::wish::any_wish;

static STAGE: LazyLock<Stage> = LazyLock::new(Stage::start);

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn equal_inputs_give_equal_plans_and_equal_folders(tree in any_tree(), wish in any_wish()) {
        let show = STAGE.show(tree);
        let chosen = choose(&show, &wish)?;
        prop_assert_eq!(&chosen, &choose(&show, &wish)?);
        let (files, master) = download(&show.url(), &wish)?;
        prop_assert_eq!(&master, &chosen.planned.plan.master_file().into_string());
        for local in &chosen.planned.local {
            prop_assert_eq!(files.get(local.path.as_str()), Some(&local.text), "as planned: {}", local.path);
        }
        prop_assert!((files, master) == download(&show.url(), &wish)?, "the second download differs");
    }
}
