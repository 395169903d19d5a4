//! Trees on loopback origins.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use dtg_testkit::{Body, Error, Origin, Request, Response};

use super::content::{Content, Resource};
use crate::tree::{Hosts, Location, Noise, Tree};

/// A tree with base URLs: answers requests without a disk.
#[derive(Debug, Clone)]
pub struct Served {
    files: Arc<HashMap<Location, (Body, &'static str)>>,
    tree: Arc<Tree>,
}

impl Served {
    /// Writes the playlists once; other bytes are made when they are asked for.
    #[must_use]
    pub fn new(tree: Arc<Tree>, hosts: &Hosts) -> Self {
        // Segments of a run are found by arithmetic: a million of them would not fit.
        let held = tree.listed().map(|resource| {
            let answer = (body(&resource, &tree, hosts), resource.media_type());
            (resource.location.into_owned(), answer)
        });
        let files = Arc::new(held.collect());
        Self { files, tree }
    }

    /// The answer of one logical host: 404 for what it does not have.
    #[must_use]
    pub fn respond(&self, host: usize, request: &Request) -> Response {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Response::status(405).header("Allow", "GET, HEAD");
        }
        let location = Location::new(host, request.target.as_str());
        let held = self.files.get(&location).cloned().or_else(|| self.in_a_run(&location));
        match held {
            Some((body, media_type)) => {
                let etag = format!("{:x}-{host}-{:x}", self.tree.seed, body.len());
                Response::ok(body).content_type(media_type).etag(&etag)
            }
            None => Response::status(404),
        }
    }

    fn in_a_run(&self, location: &Location) -> Option<(Body, &'static str)> {
        let resource = self.tree.get(location)?;
        Some((body(&resource, &self.tree, &Hosts::new(Vec::new())), resource.media_type()))
    }
}

fn body(resource: &Resource<'_>, tree: &Tree, hosts: &Hosts) -> Body {
    match &resource.content {
        Content::Playlist(_) => resource.bytes(tree, hosts).into(),
        Content::Stored(bytes) => Arc::clone(bytes).into(),
        Content::Noise(length) => {
            let noise = Noise::new(tree.seed, &resource.location);
            Body::made(*length, move |offset, buffer| noise.fill(offset, buffer))
        }
    }
}

/// A running origin for each logical host of a tree.
#[derive(Debug)]
pub struct Origins {
    origins: Vec<Origin>,
    hosts: Hosts,
    entry: String,
}

impl Origins {
    /// Starts one origin a host, on free ports of the loopback interface.
    ///
    /// # Errors
    /// When a socket cannot be opened.
    pub fn start(tree: Arc<Tree>) -> Result<Self, Error> {
        let served: Arc<OnceLock<Served>> = Arc::default();
        let start = |host: usize| {
            let served = Arc::clone(&served);
            Origin::start(move |request: &Request| match served.get() {
                Some(served) => served.respond(host, request),
                None => Response::status(503),
            })
        };
        let origins: Vec<Origin> = (0..tree.hosts.len()).map(start).collect::<Result<_, _>>()?;
        let hosts = Hosts::new(origins.iter().map(|origin| origin.url("")).collect());
        let entry = tree.entry().map(|entry| hosts.url(entry)).unwrap_or_default();
        served.get_or_init(|| Served::new(tree, &hosts));
        Ok(Self { origins, hosts, entry })
    }

    /// The URL of the playlist that a player is given.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// Where each host is.
    #[must_use]
    pub const fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The origins in the order of [`Tree::hosts`]: for faults and for what was requested.
    #[must_use]
    pub fn all(&self) -> &[Origin] {
        &self.origins
    }
}
