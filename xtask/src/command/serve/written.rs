//! A tree that `fixtures` wrote: each of its hosts is an origin, and playlists name those.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use dtg_testkit::{Files, Request, Response, Site};
use serde::Deserialize;

/// The base URLs that the hosts have now, once all are known.
pub(super) type Bases = Arc<OnceLock<Vec<String>>>;

/// What `tree.json` says about the folder beside it.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    /// The multivariant playlist's URL.
    entry: String,
    /// Names, which are those of folders, and base URLs.
    hosts: Vec<(String, String)>,
}

impl Written {
    /// None where the folder is no such tree.
    pub(super) fn at(folder: &Utf8Path) -> Result<Option<Self>> {
        let path = folder.join("tree.json");
        let Ok(file) = File::open(&path) else { return Ok(None) };
        // It may have a line for each of a million files.
        for line in BufReader::new(file).lines().take(3) {
            if let Some(json) = line?.trim_end_matches(',').strip_prefix("\"tree\":") {
                return serde_json::from_str(json).map(Some).with_context(|| format!("can't read {path}"));
            }
        }
        Ok(None)
    }

    /// How many hosts there are.
    pub(super) const fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// The host of the multivariant playlist, and its target there.
    pub(super) fn entry(&self) -> Option<(usize, &str)> {
        let target = |(_, base): &(String, String)| self.entry.strip_prefix(base.as_str());
        self.hosts.iter().enumerate().find_map(|(index, host)| Some((index, target(host)?)))
    }

    /// One host's part of the folder.
    pub(super) fn site(&self, folder: &Utf8Path, host: usize, bases: Bases) -> Result<impl Site + use<>> {
        let name = self.hosts.get(host).map(|(name, _)| name.as_str()).unwrap_or_default();
        let part = Part {
            folder: folder.join(name),
            files: Files::new(folder.join(name)).with_context(|| format!("can't serve {folder}/{name}"))?,
            known: self.hosts.iter().map(|(_, base)| base.clone()).collect(),
            bases,
        };
        Ok(move |request: &Request| part.respond(request))
    }
}

struct Part {
    folder: Utf8PathBuf,
    files: Files,
    known: Vec<String>,
    bases: Bases,
}

impl Part {
    fn respond(&self, request: &Request) -> Response {
        let names = names(request);
        let found =
            names.iter().map(|name| (name, self.file(request, name))).find(|(_, it)| it.status != 404);
        let Some((name, mut answer)) = found else { return Response::status(404) };
        if answer.status == 200
            && request.path().ends_with(".m3u8")
            && let Ok(text) = fs::read(self.folder.join(name.trim_start_matches('/')))
        {
            answer.body = self.with_bases(&String::from_utf8_lossy(&text)).into_bytes().into();
        }
        answer
    }

    /// Names on disk are those on the wire.
    fn file(&self, request: &Request, name: &str) -> Response {
        let mut plain = request.clone();
        plain.target = name.replace('%', "%25");
        self.files.respond(&plain)
    }

    fn with_bases(&self, text: &str) -> String {
        let bases = self.bases.get().map(Vec::as_slice).unwrap_or_default();
        let authority = |base: &str| base.split_once(':').map_or_else(String::new, |(_, it)| it.to_owned());
        self.known.iter().zip(bases).fold(text.to_owned(), |text, (known, base)| {
            text.replace(known, base).replace(&authority(known), &authority(base))
        })
    }
}

/// Where a target's bytes may be: see `xtask::write_to`.
fn names(request: &Request) -> Vec<String> {
    let path = request.path().to_owned();
    let query = request.query().map(|query| query.replace('/', "%2F").replace(':', "%3A"));
    query.map(|query| format!("{path}%3F{query}")).into_iter().chain([path]).collect()
}

#[cfg(test)]
mod tests {
    use dtg_testkit::Origin;
    use xtask::strategy::{Options, tree_of_seed};
    use xtask::tree::Hosts;
    use xtask::write::write_to;

    use super::*;

    #[test]
    fn what_was_written_is_served_as_its_tree_says() {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        for seed in [7, 2926] {
            let tree = tree_of_seed(seed, &Options::default());
            let folder = camino_tempfile::tempdir().unwrap();
            write_to(&tree, &Hosts::placeholders(&tree.hosts), folder.path()).unwrap();
            let written = Written::at(folder.path()).unwrap().unwrap();
            let bases = Bases::default();
            let site = |host| written.site(folder.path(), host, Arc::clone(&bases)).unwrap();
            let origins: Vec<_> =
                (0..written.hosts()).map(|host| Origin::start(site(host)).unwrap()).collect();
            let urls = origins.iter().map(|origin| origin.url("/").trim_end_matches('/').to_owned());
            let hosts = Hosts::new(bases.get_or_init(|| urls.collect()).clone());
            for resource in tree.resources() {
                let url = origins[resource.location.host].url(&resource.location.target);
                let bytes = agent.get(&url).call().unwrap().body_mut().read_to_vec().unwrap();
                assert!(bytes == resource.bytes(&tree, &hosts), "{url}: {}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}
