//! Makes playlists local: the closed list of edits, and nothing else.
//!
//! URIs of what is downloaded become relative names; what would send a player online is dropped and
//! listed; every other byte stays as it is. A segment that is declared missing (EXT-X-GAP) keeps its
//! lines, with the name that the next segment would have: no file has it.

mod attributes;
mod media;
mod multivariant;
mod tags;

use std::borrow::Cow;

use camino::Utf8Path;
use hls_parse::{Attribute, Edits, Line, Multivariant, Span, Variables};

use crate::layout;
use crate::plan::{
    DropReason, Dropped, KeyTarget, Links, LocalPlaylist, OriginSet, Plan, PlanError, Role, Target, Track,
};
use crate::resource::Resource;
use crate::select::Selection;

use attributes::Change;

/// The URI of a key that no player could use: nothing, and nowhere else.
const NO_KEY: &str = "data:,";

/// Makes the local playlists of a plan.
#[derive(Debug)]
pub(crate) struct Localizer<'p> {
    plan: &'p Plan,
    origins: &'p OriginSet,
    local: Vec<LocalPlaylist>,
    dropped: Vec<Dropped>,
}

impl<'p> Localizer<'p> {
    /// No playlists yet.
    pub(crate) const fn new(plan: &'p Plan, origins: &'p OriginSet) -> Self {
        Self { plan, origins, local: Vec::new(), dropped: Vec::new() }
    }

    /// Makes a media playlist local.
    pub(crate) fn media(&mut self, track: &Track, links: &Links) -> Result<(), PlanError> {
        let path = layout::playlist_name(track.kind, track.number);
        let folder = path.parent().map(Utf8Path::as_str).unwrap_or_default();
        let names = Names::new(self.plan, links, &track.variables, folder);
        let gap = self.gap_name(track, &names);
        let text = self.text_of(track.origin);
        let mut page = Page::new(track.origin, text);
        media::localize(&mut page, &track.variables, &names, &gap);
        self.finish_page(page, path.as_ref(), &track.name)
    }

    /// Makes the multivariant playlist local.
    pub(crate) fn multivariant(
        &mut self,
        multivariant: &Multivariant<'_>,
        selection: &Selection,
        links: &Links,
    ) -> Result<(), PlanError> {
        let names = Names::new(self.plan, links, &multivariant.variables, "");
        let mut page = Page::new(0, self.text_of(0));
        multivariant::localize(&mut page, multivariant, selection, &names);
        let name = crate::error::public_part(&self.origins.entry.url);
        self.finish_page(page, layout::MASTER.into(), &name)
    }

    /// The playlists, and what they lack.
    pub(crate) fn finish(self) -> (Vec<LocalPlaylist>, Vec<Dropped>) {
        (self.local, self.dropped)
    }

    fn text_of(&self, origin: u32) -> &'p [u8] {
        self.origins.get(origin).map(|origin| origin.text.as_slice()).unwrap_or_default()
    }

    fn gap_name(&self, track: &Track, names: &Names<'_>) -> String {
        let segments = |it: &&Resource| it.role == Role::Segment && it.playlist == track.number;
        let of_this = self.plan.resources.iter().filter(segments);
        let extension = self.plan.resources.iter().find(segments).map(|it| it.extension);
        let number = u32::try_from(of_this.count()).unwrap_or(u32::MAX);
        let extension = extension.unwrap_or(crate::resource::Extension::Ts);
        names.relative(&layout::media_name(Role::Segment, track.kind, track.number, number, extension))
    }

    fn finish_page(&mut self, page: Page<'_>, path: &Utf8Path, name: &str) -> Result<(), PlanError> {
        let text = page
            .edits
            .apply(page.text)
            .map_err(|error| PlanError::Rewrite { playlist: name.to_owned(), reason: error.to_string() })?;
        self.local.push(LocalPlaylist { path: path.to_owned(), text });
        self.dropped.extend(page.dropped);
        Ok(())
    }
}

/// The local names that a playlist's URIs become.
struct Names<'p> {
    plan: &'p Plan,
    links: &'p Links,
    variables: &'p Variables,
    folder: String,
}

impl<'p> Names<'p> {
    /// The names as a playlist in `folder` of the media folder has them.
    fn new(plan: &'p Plan, links: &'p Links, variables: &'p Variables, folder: &str) -> Self {
        Self { plan, links, variables, folder: folder.to_owned() }
    }

    /// Where the URI inside `span` leads; `None` when nothing needs it.
    fn target(&self, span: Span) -> Option<Target> {
        self.links.within(span)
    }

    /// The local name of the file that the URI inside `span` is downloaded to.
    fn of(&self, span: Span) -> Option<String> {
        match self.target(span)? {
            Target::Resource(resource) => self.file(resource),
            Target::Gap => None,
        }
    }

    /// The local name of the key that a line names.
    fn key(&self, uri: &Attribute<'_>) -> Option<String> {
        match self.links.key(&self.substituted(uri)?)? {
            KeyTarget::Resource(resource) => self.file(resource),
            KeyTarget::Unusable => Some(NO_KEY.to_owned()),
        }
    }

    /// The local name of the file with the map that a line names.
    fn map(&self, uri: &Attribute<'_>) -> Option<String> {
        self.file(self.links.map(&self.substituted(uri)?)?)
    }

    fn substituted<'a>(&self, uri: &Attribute<'a>) -> Option<Cow<'a, str>> {
        self.variables.substitute(uri.value.text()).ok()
    }

    fn file(&self, resource: u32) -> Option<String> {
        self.plan.resource(resource).map(|resource| self.relative(&self.plan.file_of(resource)))
    }

    /// A file of the media folder as this playlist refers to it.
    fn relative(&self, file: &Utf8Path) -> String {
        if self.folder.is_empty() {
            return file.to_string();
        }
        match file.strip_prefix(&self.folder) {
            Ok(below) => below.to_string(),
            Err(_) => format!("../{file}"),
        }
    }
}

/// A playlist while it is made local.
struct Page<'t> {
    origin: u32,
    text: &'t [u8],
    edits: Edits,
    dropped: Vec<Dropped>,
}

impl<'t> Page<'t> {
    fn new(origin: u32, text: &'t [u8]) -> Self {
        let mut edits = Edits::new();
        if let Some(bom) = hls_parse::bom(text) {
            edits.remove(bom);
        }
        Self { origin, text, edits, dropped: Vec::new() }
    }

    /// Removes a line, and says so.
    fn drop_line(&mut self, line: &Line<'_>, what: &str, reason: DropReason) {
        self.edits.remove(line.full);
        self.note(line, what.to_owned(), reason);
    }

    fn note(&mut self, line: &Line<'_>, what: String, reason: DropReason) {
        self.dropped.push(Dropped { origin: self.origin, line: line.number, what, reason });
    }

    /// Changes or removes attributes of a line, and says what was removed.
    fn change(&mut self, line: &Line<'_>, tag: &str, decide: impl FnMut(&Attribute<'_>) -> Change) {
        for (name, reason) in attributes::change(&mut self.edits, line, decide) {
            self.note(line, format!("{tag} {name}"), reason);
        }
    }

    /// Keeps, edits or drops a tag that is treated alike in every playlist.
    fn common_tag(&mut self, line: &Line<'_>, tag: &str, variables: &Variables) {
        match tags::common(tag) {
            tags::Common::Define => self.define(line, tag, variables),
            tags::Common::Keep => {}
            tags::Common::Drop(reason) => self.drop_line(line, tag, reason),
            tags::Common::Attributes => self.change(line, tag, tags::offline_attribute),
            tags::Common::Unknown => {
                if tags::leads_online(line) {
                    self.drop_line(line, tag, DropReason::Online);
                }
            }
        }
    }

    /// IMPORT and QUERYPARAM can't work in a local playlist: their values are written out.
    fn define(&mut self, line: &Line<'_>, tag: &str, variables: &Variables) {
        let Some(name) = attributes::value(line, "IMPORT").or_else(|| attributes::value(line, "QUERYPARAM"))
        else {
            return;
        };
        match variables.get(name).filter(|value| !value.contains(['"', '\n', '\r'])) {
            Some(value) => {
                let list = format!("#{tag}:NAME=\"{name}\",VALUE=\"{value}\"");
                self.edits.replace(line.span, list);
            }
            None => self.drop_line(line, tag, DropReason::WrittenOut),
        }
    }
}

/// A key line: kept where it is a DRM system's, local where the key is fetched, else dropped. One that says that
/// there is no key stays: it ends what was in effect.
fn localize_key(page: &mut Page<'_>, line: &Line<'_>, tag: &str, names: &Names<'_>) {
    let Some(uri) = attributes::find(line, "URI") else { return };
    if attributes::value(line, "METHOD").is_some_and(|method| method.eq_ignore_ascii_case("NONE")) {
        return page.change(line, tag, |attribute| match attribute.name {
            "METHOD" => Change::Keep,
            _ => Change::Remove(DropReason::Unused),
        });
    }
    if is_drm(line, names) {
        return;
    }
    match names.key(&uri) {
        Some(local) => page.change(line, tag, attributes::becomes("URI", local)),
        None => page.drop_line(line, tag, DropReason::Unused),
    }
}

fn is_drm(line: &Line<'_>, names: &Names<'_>) -> bool {
    let value = |name| attributes::find(line, name).and_then(|attribute| names.substituted(&attribute));
    let format = value("KEYFORMAT");
    let uri = value("URI").unwrap_or_default();
    let skd = uri.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("skd"));
    skd || format.is_some_and(|format| format != "identity")
}

#[cfg(test)]
mod tests;
