//! `inspect`: what a playlist says; a file is read without any network.

use hls_parse::ParseOptions;

use super::Outcome;
use super::source::{read, shown};
use crate::args::Inspect;
use crate::output::{Failure, InspectDocument, Out, Refusal, inspect_text};

pub(super) fn inspect(wish: &Inspect, out: &mut Out<'_>) -> anyhow::Result<Outcome> {
    let origin = read(&wish.source, wish.base_url.as_ref())?;
    let options = ParseOptions { reading: wish.reading, url: Some(&origin.url), ..ParseOptions::default() };
    match hls_parse::parse(&origin.text, &options) {
        Ok(parsed) => {
            let document = InspectDocument::new(&parsed, &origin.text);
            out.result(&document, || inspect_text(&document))?;
            Ok(Outcome::Done)
        }
        Err(error) => {
            out.result(&InspectDocument::refused(Refusal::from(&error)), String::new)?;
            let message = format!("{}: {error}", shown(&wish.source, &origin));
            Ok(Outcome::Failed(Failure::new("playlist", message)))
        }
    }
}
