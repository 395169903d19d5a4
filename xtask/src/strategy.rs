//! Proptest strategies for whole trees.
//!
//! A strategy makes a [`Recipe`], in which every choice stands alone, and [`Recipe::tree`] makes the tree of
//! it; so taking away any part of a recipe, as shrinking does, leaves a legal tree.

mod features;
mod recipe;
mod cook;
mod choices;

pub use features::{Feature, Features};
pub use recipe::{
    DateRangeChoice, DefineChoice, Ending, Extras, KeyChoice, MapChoice, Note, Place, RangeChoice, Recipe,
    RenditionRecipe, SegmentRecipe, Spelling, Subject, TagsRecipe, TextRecipe, TrackRecipe, VariantRecipe,
};

use std::ops::RangeInclusive;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::tree::Tree;

/// How large generated trees are, and what they may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What may occur.
    pub features: Features,
    /// How many variants.
    pub variants: RangeInclusive<usize>,
    /// How many renditions with playlists of their own.
    pub renditions: RangeInclusive<usize>,
    /// How many segments a media playlist has.
    pub segments: RangeInclusive<usize>,
    /// How many bytes a segment has.
    pub segment_bytes: RangeInclusive<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            features: Features::all(),
            variants: 1..=3,
            renditions: 0..=3,
            segments: 1..=6,
            segment_bytes: 1..=3000,
        }
    }
}

/// Any tree.
pub fn trees(options: &Options) -> impl Strategy<Value = Tree> + use<> {
    recipes(options).prop_map(|recipe| recipe.tree())
}

/// Any recipe: for a test that wants to print what it was made of.
pub fn recipes(options: &Options) -> impl Strategy<Value = Recipe> + use<> {
    choices::recipe(options)
}

/// The tree of a seed: equal numbers give equal trees, on every platform.
#[must_use]
pub fn tree_of_seed(seed: u64, options: &Options) -> Tree {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *to = from;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let made = trees(options).new_tree(&mut runner).expect("no strategy here rejects a value");
    Tree { seed, ..made.current() }
}

#[cfg(test)]
mod tests;
