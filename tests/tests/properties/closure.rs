//! The local presentation refers only to files that exist, and every byte equals the origin's.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::chosen::choose;
use crate::download::download;
use crate::presentation::check_closed;
use crate::stage::{Stage, any_tree};
use crate::thorough;
use crate::wish::any_wish;

static STAGE: LazyLock<Stage> = LazyLock::new(Stage::start);

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn what_is_local_is_complete_and_equals_the_origin(tree in any_tree(), wish in any_wish()) {
        let show = STAGE.show(tree);
        let chosen = choose(&show, &wish)?;
        let made = download(&show.url(), &wish)?;
        check_closed(&made, &chosen, &show)?;
    }
}
