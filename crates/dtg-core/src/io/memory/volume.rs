//! Files and folders as they are, and as far as they are durable.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::length_of;
use super::power::{Fate, Fates, Power, Survival};

/// A file or folder, by the order in which it was made.
pub(super) type Inode = usize;

const ROOT: Inode = 0;

#[derive(Debug)]
pub(super) struct Volume {
    /// Never shrinks: what has no name any more is not looked at.
    nodes: Vec<Node>,
    /// Changes of names that are not durable, in the order they were made.
    renames: Vec<Rename>,
    used: u64,
    pub(super) capacity: u64,
    pub(super) file_syncs: u64,
    pub(super) shared_writes: u64,
    pub(super) power: Power,
    pub(super) locks: BTreeSet<Utf8PathBuf>,
}

#[derive(Debug)]
enum Node {
    Folder(Folder),
    File(File),
}

#[derive(Debug, Default)]
pub(super) struct Folder {
    live: BTreeMap<String, Inode>,
    durable: BTreeMap<String, Inode>,
}

/// A file's bytes; those that are durable and the edits since.
#[derive(Debug, Default)]
pub(super) struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    edits: Vec<Edit>,
    /// How many names it has.
    names: u32,
}

#[derive(Debug)]
enum Edit {
    Write { bytes: Vec<u8>, offset: usize },
    Length(usize),
}

/// What names mean from now on: within one folder it happens at once, or not at all.
#[derive(Debug, Clone)]
struct Rename(Vec<(Inode, String, Option<Inode>)>);

impl Folder {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.live.keys().map(String::as_str)
    }
}

impl File {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.live
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>, fate: Fate) {
        match (self, fate) {
            (_, Fate::Lost) => {}
            (Self::Length(length), _) => bytes.resize(*length, 0),
            (Self::Write { bytes: written, offset }, fate) => {
                let end = offset.saturating_add(written.len());
                let survivors = match fate {
                    Fate::Zeros => &[][..],
                    Fate::Torn(parts) => {
                        let kept = written.len().saturating_mul(usize::from(parts)) / 256;
                        written.get(..kept).unwrap_or_default()
                    }
                    Fate::Whole | Fate::Lost => written,
                };
                let end =
                    if matches!(fate, Fate::Torn(_)) { offset.saturating_add(survivors.len()) } else { end };
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                let place = bytes.get_mut(*offset..).and_then(|place| place.get_mut(..survivors.len()));
                if let Some(place) = place {
                    place.copy_from_slice(survivors);
                }
            }
        }
    }
}

fn size(length: u64) -> io::Result<usize> {
    usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn not_found<T>() -> io::Result<T> {
    Err(io::ErrorKind::NotFound.into())
}

impl Volume {
    pub(super) fn new(capacity: u64) -> Self {
        Self {
            nodes: vec![Node::Folder(Folder::default())],
            renames: Vec::new(),
            used: 0,
            capacity,
            file_syncs: 0,
            shared_writes: 0,
            power: Power::default(),
            locks: BTreeSet::new(),
        }
    }

    pub(super) const fn free(&self) -> u64 {
        self.capacity.saturating_sub(self.used)
    }

    pub(super) fn find(&self, path: &Utf8Path) -> Option<Inode> {
        let mut names = path.as_str().split('/').filter(|name| !name.is_empty());
        names.try_fold(ROOT, |inode, name| self.folder(inode).ok()?.live.get(name).copied())
    }

    pub(super) fn at(&self, path: &Utf8Path) -> io::Result<Inode> {
        self.find(path).map_or_else(not_found, Ok)
    }

    pub(super) fn folder(&self, inode: Inode) -> io::Result<&Folder> {
        match self.nodes.get(inode) {
            Some(Node::Folder(folder)) => Ok(folder),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => not_found(),
        }
    }

    pub(super) fn file(&self, inode: Inode) -> io::Result<&File> {
        match self.nodes.get(inode) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Folder(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => not_found(),
        }
    }

    fn file_mut(&mut self, inode: Inode) -> io::Result<&mut File> {
        match self.nodes.get_mut(inode) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Folder(_)) | None => not_found(),
        }
    }

    /// The folder of a path, and the name in it.
    fn place(&self, path: &Utf8Path) -> io::Result<(Inode, String)> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let folder = self.at(folder)?;
        self.folder(folder)?;
        Ok((folder, name.to_owned()))
    }

    pub(super) fn make_file(&mut self, path: &Utf8Path) -> io::Result<Inode> {
        self.make(path, Node::File(File::default()))
    }

    pub(super) fn make_folder(&mut self, path: &Utf8Path) -> io::Result<()> {
        self.make(path, Node::Folder(Folder::default())).map(drop)
    }

    fn make(&mut self, path: &Utf8Path, node: Node) -> io::Result<Inode> {
        let (folder, name) = self.place(path)?;
        let inode = self.nodes.len();
        self.nodes.push(node);
        self.name(Rename(vec![(folder, name, Some(inode))]));
        Ok(inode)
    }

    pub(super) fn unlink(&mut self, path: &Utf8Path) -> io::Result<()> {
        let (folder, name) = self.place(path)?;
        self.name(Rename(vec![(folder, name, None)]));
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        let inode = self.at(from)?;
        let ((old, old_name), (new, new_name)) = (self.place(from)?, self.place(to)?);
        self.name(Rename(vec![(old, old_name, None), (new, new_name, Some(inode))]));
        Ok(())
    }

    /// Gives a file a second name.
    pub(super) fn link(&mut self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        let inode = self.at(from)?;
        self.file(inode)?;
        let (folder, name) = self.place(to)?;
        self.name(Rename(vec![(folder, name, Some(inode))]));
        Ok(())
    }

    fn name(&mut self, rename: Rename) {
        for (folder, name, target) in &rename.0 {
            let before = match self.nodes.get_mut(*folder) {
                Some(Node::Folder(folder)) => match target {
                    Some(inode) => folder.live.insert(name.clone(), *inode),
                    None => folder.live.remove(name),
                },
                Some(Node::File(_)) | None => None,
            };
            // Only what is gone for good gives its space back: a rename takes its first half back at once.
            if let Some(before) = before {
                self.unnamed(before);
            }
            if let Some(inode) = target {
                self.named(*inode);
            }
        }
        self.renames.push(rename);
    }

    fn named(&mut self, inode: Inode) {
        let Ok(file) = self.file_mut(inode) else { return };
        file.names = file.names.saturating_add(1);
        if file.names == 1 {
            let length = length_of(&file.live);
            self.used = self.used.saturating_add(length);
        }
    }

    fn unnamed(&mut self, inode: Inode) {
        let Ok(file) = self.file_mut(inode) else { return };
        file.names = file.names.saturating_sub(1);
        if file.names == 0 {
            let length = length_of(&file.live);
            self.used = self.used.saturating_sub(length);
        }
    }

    pub(super) fn write(&mut self, inode: Inode, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (offset, length) = (size(offset)?, self.file(inode)?.live.len());
        self.room(inode, offset.saturating_add(bytes.len()).max(length))?;
        self.edit(inode, Edit::Write { bytes: bytes.to_vec(), offset })
    }

    pub(super) fn set_len(&mut self, inode: Inode, length: u64) -> io::Result<()> {
        let length = size(length)?;
        self.room(inode, length)?;
        self.edit(inode, Edit::Length(length))
    }

    /// Accounts for a file that is about to be `length` bytes long.
    fn room(&mut self, inode: Inode, length: usize) -> io::Result<()> {
        let file = self.file(inode)?;
        if file.names == 0 {
            return Ok(());
        }
        let grown = length.saturating_sub(file.live.len());
        let shrunk = file.live.len().saturating_sub(length);
        let then = self.used.saturating_add(u64::try_from(grown).unwrap_or(u64::MAX));
        if grown > 0 && then > self.capacity {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.used = then.saturating_sub(u64::try_from(shrunk).unwrap_or(u64::MAX));
        Ok(())
    }

    fn edit(&mut self, inode: Inode, edit: Edit) -> io::Result<()> {
        let file = self.file_mut(inode)?;
        edit.apply(&mut file.live, Fate::Whole);
        file.edits.push(edit);
        if file.names > 1 {
            self.shared_writes = self.shared_writes.saturating_add(1);
        }
        Ok(())
    }

    pub(super) fn sync_file(&mut self, inode: Inode) {
        self.file_syncs = self.file_syncs.saturating_add(1);
        if let Ok(file) = self.file_mut(inode) {
            file.settle();
        }
    }

    /// Makes the names in one folder durable; what a rename did to another folder is not.
    pub(super) fn sync_folder(&mut self, inode: Inode) {
        for rename in std::mem::take(&mut self.renames) {
            let (here, elsewhere): (Vec<_>, Vec<_>) =
                rename.0.into_iter().partition(|(folder, ..)| *folder == inode);
            self.engrave(&here);
            if !elsewhere.is_empty() {
                self.renames.push(Rename(elsewhere));
            }
        }
    }

    pub(super) fn sync(&mut self) {
        for rename in std::mem::take(&mut self.renames) {
            self.engrave(&rename.0);
        }
        for node in &mut self.nodes {
            if let Node::File(file) = node {
                file.settle();
            }
        }
    }

    fn engrave(&mut self, names: &[(Inode, String, Option<Inode>)]) {
        for (folder, name, target) in names {
            if let Some(Node::Folder(folder)) = self.nodes.get_mut(*folder) {
                match target {
                    Some(inode) => folder.durable.insert(name.clone(), *inode),
                    None => folder.durable.remove(name),
                };
            }
        }
    }

    /// The volume as it comes up after the power went.
    pub(super) fn survivor(&self, survival: Survival) -> Self {
        let mut fates = Fates::new(survival);
        let mut after = Self::new(self.capacity);
        after.nodes = self.nodes.iter().map(|node| node.survivor(&mut fates)).collect();
        fates.turn();
        for rename in &self.renames {
            if fates.next() != Fate::Lost {
                after.engrave(&rename.0);
            }
        }
        let mut linked = Vec::new();
        after.reach(ROOT, &mut linked);
        linked.into_iter().for_each(|inode| after.named(inode));
        after
    }

    /// What is durable is what is there.
    fn reach(&mut self, inode: Inode, reached: &mut Vec<Inode>) {
        reached.push(inode);
        let Some(Node::Folder(folder)) = self.nodes.get_mut(inode) else { return };
        folder.live.clone_from(&folder.durable);
        let below: Vec<Inode> = folder.live.values().copied().collect();
        below.into_iter().for_each(|inode| self.reach(inode, reached));
    }

    pub(super) fn collect_files(&self, inode: Inode, path: String, files: &mut BTreeMap<String, Vec<u8>>) {
        match self.nodes.get(inode) {
            Some(Node::File(file)) => {
                files.insert(path, file.live.clone());
            }
            Some(Node::Folder(folder)) => {
                let separator = if path.is_empty() { "" } else { "/" };
                for (name, inode) in &folder.live {
                    self.collect_files(*inode, format!("{path}{separator}{name}"), files);
                }
            }
            None => {}
        }
    }

    /// A folder's path before those below it.
    pub(super) fn collect_paths(&self, inode: Inode, path: &Utf8Path, paths: &mut Vec<Utf8PathBuf>) {
        paths.push(path.to_owned());
        if let Some(Node::Folder(folder)) = self.nodes.get(inode) {
            folder.live.iter().for_each(|(name, inode)| self.collect_paths(*inode, &path.join(name), paths));
        }
    }
}

impl File {
    fn settle(&mut self) {
        for edit in self.edits.drain(..) {
            edit.apply(&mut self.durable, Fate::Whole);
        }
    }
}

impl Node {
    fn survivor(&self, fates: &mut Fates) -> Self {
        match self {
            Self::Folder(folder) => {
                Self::Folder(Folder { live: BTreeMap::new(), durable: folder.durable.clone() })
            }
            Self::File(file) => {
                fates.turn();
                let mut bytes = file.durable.clone();
                file.edits.iter().for_each(|edit| edit.apply(&mut bytes, fates.next()));
                Self::File(File { live: bytes.clone(), durable: bytes, edits: Vec::new(), names: 0 })
            }
        }
    }
}
