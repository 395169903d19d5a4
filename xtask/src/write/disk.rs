//! Trees as files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};

use camino::{Utf8Path, Utf8PathBuf};

use super::content::Resource;
use crate::tree::{Hosts, Location, Tree};
use crate::truth::{self, ResourceFacts};

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files, `tree.json` apart.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Writes `DIR/HOST/PATH` for everything that the hosts have, and the truth about it as `DIR/tree.json`.
///
/// Memory does not grow with the number of segments in a [`Run`](crate::tree::Run). A query becomes part of the
/// file's name, behind `%3F` and with its slashes and colons escaped; names are otherwise as on the wire.
///
/// # Errors
/// When the disk fails.
pub fn write_to(tree: &Tree, hosts: &Hosts, dir: &Utf8Path) -> io::Result<Summary> {
    fs::create_dir_all(dir)?;
    let json = BufWriter::new(File::create(dir.join("tree.json"))?);
    let mut json = truth::json::Writer::new(tree, hosts, json)?;
    let mut summary = Summary::default();
    let mut folder = Utf8PathBuf::new();
    for resource in tree.resources() {
        let path = dir.join(file_name(tree, &resource.location));
        if path.parent().is_some_and(|parent| parent != folder) {
            folder = path.parent().map(ToOwned::to_owned).unwrap_or_default();
            fs::create_dir_all(&folder)?;
        }
        let facts = write_file(tree, hosts, &resource, &path)?;
        summary.files += 1;
        summary.bytes += facts.length;
        json.resource(&facts)?;
    }
    json.finish()?;
    Ok(summary)
}

/// Where a place is kept, relative to the folder: `HOST/PATH`.
pub(crate) fn file_name(tree: &Tree, location: &Location) -> String {
    let host = tree.hosts.get(location.host).map(String::as_str).unwrap_or_default();
    let query = location.query().map(|query| format!("%3F{}", query.replace('/', "%2F").replace(':', "%3A")));
    format!("{host}{}{}", location.path(), query.unwrap_or_default())
}

fn write_file(
    tree: &Tree,
    hosts: &Hosts,
    resource: &Resource<'_>,
    path: &Utf8Path,
) -> io::Result<ResourceFacts> {
    let mut out = Tee { out: File::create(path)?, measure: truth::Measure::default() };
    let mut buffered = BufWriter::new(&mut out);
    resource.copy_to(tree, hosts, &mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    let file = file_name(tree, &resource.location);
    Ok(out.measure.facts(hosts.url(&resource.location), file))
}

/// Writes, and measures what it wrote.
struct Tee {
    out: File,
    measure: truth::Measure,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.measure.write_all(bytes.get(..count).unwrap_or_default())?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
