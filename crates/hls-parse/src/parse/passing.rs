//! A text that goes by line by line: limits and variables as in reading, and no values.

use super::common::define;
use super::context::{Context, Facts};
use super::{ParseOptions, begin, is_multivariant};
use crate::define::Variables;
use crate::error::Error;
use crate::line::{Line, LineKind};

pub(crate) struct Passing<'a, 'o> {
    context: Context<'a, 'o>,
}

impl<'a, 'o> Passing<'a, 'o> {
    pub(crate) fn begin(text: &'a [u8], options: &'o ParseOptions<'o>) -> Result<Self, Error> {
        let mut context = begin(text, options)?;
        context.multivariant = is_multivariant(text);
        Ok(Self { context })
    }

    pub(crate) const fn is_multivariant(&self) -> bool {
        self.context.multivariant
    }

    pub(crate) const fn facts(&self) -> Facts<'a> {
        self.context.facts
    }

    /// What the lines so far have defined.
    pub(crate) const fn variables(&self) -> &Variables {
        &self.context.variables
    }

    /// Holds a line against the limits, and takes in what it defines.
    #[inline]
    pub(crate) fn admit(&mut self, line: &Line<'a>) -> Result<(), Error> {
        self.context.admit(line)?;
        match line.kind {
            LineKind::Tag { name: "EXT-X-DEFINE", .. } => define(&mut self.context, line),
            LineKind::Tag { .. } | LineKind::Uri(_) | LineKind::Comment(_) | LineKind::Blank => Ok(()),
        }
    }
}
