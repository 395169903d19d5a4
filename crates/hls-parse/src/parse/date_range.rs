//! EXT-X-DATERANGE (RFC 8216 4.3.2.7).

use std::borrow::Cow;
use std::collections::HashMap;

use super::context::Context;
use super::tag::Tag;
use crate::attributes::{Attribute, AttributeValue};
use crate::date_range::{ClientAttribute, ClientValue, DateRange};
use crate::diagnose::Rule;
use crate::error::Error;
use crate::line::Line;
use crate::value::{DateTime, Decimal};

/// What the lines of each date range have said so far: several lines with one ID are one range.
#[derive(Default)]
pub(super) struct DateRanges<'a> {
    /// Their numbers: an id can be long, and is looked up once a line.
    ids: HashMap<Cow<'a, str>, usize>,
    said: HashMap<(usize, &'a str), &'a str>,
}

impl<'a> DateRanges<'a> {
    pub(super) fn read(
        &mut self,
        context: &mut Context<'a, '_>,
        line: Line<'a>,
    ) -> Result<DateRange<'a>, Error> {
        let mut tag = Tag::read(context, line)?;
        let range = read(&mut tag)?;
        check(&mut tag, &range)?;
        let id = match self.ids.get(&range.id) {
            Some(id) => *id,
            None => {
                if let Cow::Owned(owned) = &range.id {
                    tag.context.count_copy(&line, owned.len())?;
                }
                let id = self.ids.len();
                self.ids.insert(range.id.clone(), id);
                id
            }
        };
        let mut agrees = true;
        for attribute in &tag.attributes {
            let value = attribute.value.text();
            let before = *self.said.entry((id, attribute.name)).or_insert(value);
            agrees &= same_value(before, value);
        }
        if !agrees {
            tag.odd(Rule::DateRangeConflict)?;
        }
        if !self.said.contains_key(&(id, "START-DATE")) {
            tag.odd(Rule::DateRangeStart)?;
        }
        Ok(range)
    }
}

/// Whether both are the same text, time or number.
fn same_value(before: &str, now: &str) -> bool {
    let number = |text: &str| Decimal::prefix(text.as_bytes()).filter(|(_, used)| *used == text.len());
    let time = |text: &str| DateTime::parse(text).map(|time| time.timestamp());
    before == now
        || number(before).is_some_and(|it| number(now).is_some_and(|other| it.0 == other.0))
        || time(before).is_some_and(|it| time(now) == Some(it))
}

fn read<'a>(tag: &mut Tag<'a, '_, '_>) -> Result<DateRange<'a>, Error> {
    let asset_uri = tag.uri("X-ASSET-URI");
    let asset_uri = tag.spare(asset_uri)?;
    let asset_list = tag.uri("X-ASSET-LIST");
    let asset_list = tag.spare(asset_list)?;
    Ok(DateRange {
        id: tag.required_text("ID")?,
        class: tag.text("CLASS")?,
        start_date: tag.date_time("START-DATE")?,
        cue: tag.text("CUE")?,
        end_date: tag.date_time("END-DATE")?,
        duration: tag.duration("DURATION")?,
        planned_duration: tag.duration("PLANNED-DURATION")?,
        end_on_next: tag.flag("END-ON-NEXT")?,
        scte35_cmd: tag.word("SCTE35-CMD")?,
        scte35_out: tag.word("SCTE35-OUT")?,
        scte35_in: tag.word("SCTE35-IN")?,
        asset_uri,
        asset_list,
        client_attributes: client_attributes(tag)?,
        tag: tag.line.span,
        tag_line: tag.line.number,
    })
}

fn client_attributes<'a>(tag: &mut Tag<'a, '_, '_>) -> Result<Vec<ClientAttribute<'a>>, Error> {
    let own: Vec<Attribute<'a>> =
        tag.attributes.iter().filter(|it| it.name.starts_with("X-")).copied().collect();
    let mut list = Vec::with_capacity(own.len());
    for attribute in own {
        let value = match attribute.value {
            AttributeValue::Quoted(text) => {
                let text = tag.context.substitute(&tag.line, text).map(Some);
                tag.spare(text)?.map(ClientValue::Text)
            }
            AttributeValue::Unquoted(text) => Some(unquoted(text)),
        };
        let named = |value| ClientAttribute { name: Cow::Borrowed(attribute.name), value };
        list.extend(value.map(named));
    }
    Ok(list)
}

fn unquoted(text: &str) -> ClientValue<'_> {
    if text.starts_with("0x") || text.starts_with("0X") {
        return ClientValue::Hex(Cow::Borrowed(text));
    }
    match Decimal::prefix(text.as_bytes()) {
        Some((number, used)) if used == text.len() => ClientValue::Number(number),
        _ => ClientValue::Other(Cow::Borrowed(text)),
    }
}

fn check(tag: &mut Tag<'_, '_, '_>, range: &DateRange<'_>) -> Result<(), Error> {
    let ends = range.duration.is_some() || range.end_date.is_some();
    let end_on_next = tag.has("END-ON-NEXT");
    if end_on_next && (!range.end_on_next || ends || range.class.is_none()) {
        tag.odd(Rule::EndOnNext)?;
    }
    if let Some((start, end)) = range.start_date.zip(range.end_date) {
        if end.timestamp() < start.timestamp() {
            tag.odd(Rule::DateRangeEnd)?;
        }
        let sum = range.duration.and_then(|it| start.timestamp().checked_add(it).ok());
        if range.duration.is_some() && sum != Some(end.timestamp()) {
            tag.odd(Rule::DateRangeDuration)?;
        }
    }
    let cue = |word: &str| range.cue.as_deref().is_some_and(|cue| cue.split(',').any(|it| it.trim() == word));
    if cue("PRE") && cue("POST") {
        tag.odd(Rule::Cue)?;
    }
    let interstitial = range.class.as_deref() == Some("com.apple.hls.interstitial");
    if interstitial && range.asset_uri.is_some() == range.asset_list.is_some() {
        tag.odd(Rule::Interstitial)?;
    }
    Ok(())
}
