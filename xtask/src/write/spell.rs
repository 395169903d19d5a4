//! References as a playlist writes them.

use crate::tree::{Define, FileId, Hosts, Link, Location, PlaylistId, Tree};

/// What a reference may lead to.
pub(crate) trait Target: Copy {
    /// Its place; `None` for an id of another tree.
    fn location(self, tree: &Tree) -> Option<&Location>;
}

impl Target for FileId {
    fn location(self, tree: &Tree) -> Option<&Location> {
        tree.file(self).map(|file| &file.location)
    }
}

impl Target for PlaylistId {
    fn location(self, tree: &Tree) -> Option<&Location> {
        tree.playlist(self).map(|playlist| &playlist.location)
    }
}

/// Spells references from one playlist.
pub(super) struct Speller<'a> {
    tree: &'a Tree,
    hosts: &'a Hosts,
    from: &'a Location,
    variables: Vec<(&'a str, &'a str)>,
}

impl<'a> Speller<'a> {
    pub(super) fn new(tree: &'a Tree, hosts: &'a Hosts, from: &'a Location, defines: &'a [Define]) -> Self {
        Self { tree, hosts, from, variables: tree.variables(defines, from) }
    }

    /// The reference's text; empty for an id of another tree.
    pub(super) fn link(&self, link: &Link<impl Target>) -> String {
        let Some(to) = link.to.location(self.tree) else { return String::new() };
        let text = link.form.spell(self.hosts, self.from, to);
        let text = self.with_variable(text, link.variable.as_deref());
        match &link.fragment {
            Some(fragment) => format!("{text}#{fragment}"),
            None => text,
        }
    }

    /// The reference to a place without an id.
    pub(super) fn place(&self, to: &Location) -> String {
        crate::tree::UriForm::Relative.spell(self.hosts, self.from, to)
    }

    fn with_variable(&self, text: String, name: Option<&str>) -> String {
        let known = self.variables.iter().find(|(known, _)| Some(*known) == name);
        match known {
            Some((name, value)) if !value.is_empty() => text.replacen(value, &format!("{{${name}}}"), 1),
            Some(_) | None => text,
        }
    }
}
