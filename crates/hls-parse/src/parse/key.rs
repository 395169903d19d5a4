//! Key lines, and which keys are in effect (RFC 8216 4.3.2.4).

use std::borrow::Cow;

use super::context::Context;
use super::tag::Tag;
use crate::diagnose::Rule;
use crate::error::{Error, ErrorKind};
use crate::key::{Key, KeyMethod, KeySetId};
use crate::line::{Line, position};
use crate::value::integer;

/// An EXT-X-KEY or EXT-X-SESSION-KEY line; none without any attribute.
pub(super) fn read<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<Option<Key<'a>>, Error> {
    let mut tag = Tag::read(context, line)?;
    if tag.attributes.is_empty() {
        return Ok(None);
    }
    let word = tag.word("METHOD")?.ok_or_else(|| tag.error(Rule::KeyMethod))?;
    let method = if word.eq_ignore_ascii_case("NONE") {
        if word != "NONE" {
            tag.odd(Rule::AttributeValue)?;
        }
        KeyMethod::None
    } else {
        KeyMethod::of(word)
    };
    if method == KeyMethod::None {
        if tag.attributes.len() > 1 {
            tag.odd(Rule::NoneWithAttributes)?;
        }
        let key_format = Cow::Borrowed("identity");
        let (line, tag) = (line.number, line.span);
        return Ok(Some(Key {
            method,
            uri: None,
            iv: None,
            key_format,
            key_format_versions: None,
            line,
            tag,
        }));
    }
    let key = Key {
        method,
        uri: Some(tag.required_uri("URI")?),
        iv: tag.iv()?,
        key_format: tag.text("KEYFORMAT")?.unwrap_or(Cow::Borrowed("identity")),
        key_format_versions: tag.text("KEYFORMATVERSIONS")?,
        line: line.number,
        tag: line.span,
    };
    check(&mut tag, &key)?;
    Ok(Some(key))
}

fn check(tag: &mut Tag<'_, '_, '_>, key: &Key<'_>) -> Result<(), Error> {
    if key.iv.is_some() {
        tag.context.needs_version(2);
    }
    if key.method == KeyMethod::SampleAes || tag.has("KEYFORMAT") || tag.has("KEYFORMATVERSIONS") {
        tag.context.needs_version(5);
    }
    if key.method == KeyMethod::SampleAesCtr && key.iv.is_some() {
        tag.odd(Rule::CtrIv)?;
    }
    let numbers = |text: &str| text.split('/').all(|it| integer(it).is_some_and(|number| number > 0));
    if key.key_format_versions.as_deref().is_some_and(|text| !numbers(text)) {
        tag.odd(Rule::KeyFormatVersions)?;
    }
    Ok(())
}

/// The keys in effect while lines go by; a set is stored once something is under it.
pub(super) struct KeyState<'a> {
    sets: Vec<Vec<Key<'a>>>,
    current: Vec<Key<'a>>,
    stored: Option<KeySetId>,
}

impl<'a> KeyState<'a> {
    pub(super) fn new() -> Self {
        Self { sets: vec![Vec::new()], current: Vec::new(), stored: Some(KeySetId(0)) }
    }

    /// A key replaces the one of its format; NONE ends them all; a repeated line changes nothing.
    pub(super) fn apply(
        &mut self,
        context: &Context<'a, '_>,
        line: &Line<'a>,
        key: Key<'a>,
    ) -> Result<(), Error> {
        if key.method == KeyMethod::None {
            self.current.clear();
            self.stored = Some(KeySetId(0));
            return Ok(());
        }
        match self.current.iter_mut().find(|it| it.key_format == key.key_format) {
            Some(same) if same.same_as(&key) => return Ok(()),
            Some(same) => *same = key,
            None => self.current.push(key),
        }
        self.stored = None;
        let limit = context.options.limits.key_formats;
        if self.current.len() > limit as usize {
            return Err(Error::at(line, ErrorKind::Limit { what: "key formats", limit }));
        }
        Ok(())
    }

    /// The set in effect here.
    pub(super) fn in_effect(
        &mut self,
        context: &mut Context<'a, '_>,
        line: &Line<'a>,
    ) -> Result<KeySetId, Error> {
        if let Some(id) = self.stored {
            return Ok(id);
        }
        for key in &self.current {
            context.count_copy(line, key.expanded_bytes())?;
        }
        let id = KeySetId(position(self.sets.len()));
        self.sets.push(self.current.clone());
        self.stored = Some(id);
        Ok(id)
    }

    /// Whether whole resources are encrypted here under a key that states no IV.
    pub(super) fn lacks_iv(&self) -> bool {
        self.current
            .iter()
            .any(|key| key.is_identity() && key.method == KeyMethod::Aes128 && key.iv.is_none())
    }

    pub(super) fn into_sets(self) -> Vec<Vec<Key<'a>>> {
        self.sets
    }
}
