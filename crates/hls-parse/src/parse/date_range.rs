//! EXT-X-DATERANGE (RFC 8216 4.3.2.7).

use std::borrow::Cow;

use super::context::Context;
use super::tag::Tag;
use crate::attributes::{Attribute, AttributeValue};
use crate::date_range::{ClientAttribute, ClientValue, DateRange};
use crate::diagnose::Rule;
use crate::error::Error;
use crate::line::Line;
use crate::value::Decimal;

pub(super) fn read<'a>(context: &mut Context<'a, '_>, line: Line<'a>) -> Result<DateRange<'a>, Error> {
    let mut tag = Tag::read(context, line)?;
    let range = DateRange {
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
        asset_uri: tag.uri("X-ASSET-URI")?,
        asset_list: tag.uri("X-ASSET-LIST")?,
        client_attributes: client_attributes(&mut tag)?,
        tag: line.span,
        tag_line: line.number,
    };
    check(&mut tag, &range)?;
    Ok(range)
}

fn client_attributes<'a>(tag: &mut Tag<'a, '_, '_>) -> Result<Vec<ClientAttribute<'a>>, Error> {
    let own: Vec<Attribute<'a>> =
        tag.attributes.iter().filter(|it| it.name.starts_with("X-")).copied().collect();
    own.into_iter()
        .map(|attribute| {
            let value = match attribute.value {
                AttributeValue::Quoted(text) => ClientValue::Text(tag.context.substitute(&tag.line, text)?),
                AttributeValue::Unquoted(text) => unquoted(text),
            };
            Ok(ClientAttribute { name: Cow::Borrowed(attribute.name), value })
        })
        .collect()
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
    let both = range.start_date.zip(range.end_date);
    if both.is_some_and(|(start, end)| end.timestamp < start.timestamp) {
        tag.odd(Rule::DateRangeEnd)?;
    }
    Ok(())
}
