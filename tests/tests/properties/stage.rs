//! Where trees are served: origins that last for a whole property, one tree after another.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use dtg_testkit::{Origin, Request, Response};
use url::Url;
use xtask::strategy::{Feature, Features, Options, trees};
use xtask::tree::{Hosts, MediaPlaylist, Tree};
use xtask::write::Served;

/// As many logical hosts as generated trees have.
const HOSTS: usize = 3;

/// Origins for the trees of one property, whose cases come one after another.
#[derive(Debug)]
pub(crate) struct Stage {
    origins: Vec<Origin>,
    hosts: Hosts,
    shown: Arc<RwLock<Option<Served>>>,
}

/// A tree that is being served.
#[derive(Debug)]
pub(crate) struct Show<'s> {
    pub(crate) tree: Arc<Tree>,
    pub(crate) hosts: &'s Hosts,
    origins: &'s [Origin],
}

/// One request, as far as it can be told from others: URL and Range header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ask {
    pub(crate) url: String,
    pub(crate) range: Option<String>,
}

impl Stage {
    pub(crate) fn start() -> Self {
        let shown: Arc<RwLock<Option<Served>>> = Arc::default();
        let start = |host: usize| {
            let shown = Arc::clone(&shown);
            let site = move |request: &Request| match &*shown.read().unwrap_or_else(PoisonError::into_inner) {
                Some(served) => served.respond(host, request),
                None => Response::status(503),
            };
            Origin::start(site).expect("loopback has a free port")
        };
        let origins: Vec<Origin> = (0..HOSTS).map(start).collect();
        let hosts = Hosts::new(origins.iter().map(|origin| origin.url("")).collect());
        Self { origins, hosts, shown }
    }

    /// Serves this tree instead of the previous one; faults and records begin anew.
    pub(crate) fn show(&self, tree: Tree) -> Show<'_> {
        let tree = Arc::new(tree);
        for origin in &self.origins {
            origin.clear_faults();
            origin.clear_requests();
        }
        let served = Served::new(Arc::clone(&tree), &self.hosts);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(served);
        Show { tree, hosts: &self.hosts, origins: &self.origins }
    }
}

impl Show<'_> {
    /// The URL of the playlist that a player is given.
    pub(crate) fn url(&self) -> String {
        self.hosts.url(self.tree.entry().expect("a generated tree has a playlist"))
    }

    /// The origin that answers for a URL, and the target it is asked for.
    pub(crate) fn origin_of(&self, url: &Url) -> (&Origin, String) {
        let origin = self.origins.iter().find(|origin| Some(origin.port()) == url.port());
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        (origin.expect("the URLs of a tree lead to its origins"), target)
    }

    pub(crate) fn origins(&self) -> &[Origin] {
        self.origins
    }

    /// The tree's media playlist at this URL.
    pub(crate) fn playlist_at(&self, url: &str) -> Option<&MediaPlaylist> {
        self.tree.playlists.iter().find(|playlist| self.hosts.url(&playlist.location) == url)
    }

    /// Every resource's bytes, by URL.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let tree = &self.tree;
        let bytes =
            |it: xtask::write::Resource<'_>| (self.hosts.url(&it.location), it.bytes(tree, self.hosts));
        tree.resources().map(bytes).collect()
    }

    /// The requests so far for anything but playlists, and whether each was answered to its end.
    pub(crate) fn asked(&self) -> Vec<(Ask, bool)> {
        let of_origin = |origin: &Origin| {
            let requests = origin.requests().into_iter();
            let requests = requests.map(|it| {
                let range = it.headers.get("range").map(str::to_owned);
                (Ask { url: origin.url(&it.target), range }, it.finished)
            });
            requests.collect::<Vec<_>>()
        };
        let all = self.origins.iter().flat_map(of_origin);
        all.filter(|(ask, _)| !self.is_playlist(&ask.url)).collect()
    }

    /// How many requests for playlists there were.
    pub(crate) fn playlists_asked(&self) -> usize {
        let all = self.origins.iter().flat_map(|origin| {
            origin.requests().into_iter().map(|it| origin.url(&it.target)).collect::<Vec<_>>()
        });
        all.filter(|url| self.is_playlist(url)).count()
    }

    pub(crate) fn is_playlist(&self, url: &str) -> bool {
        self.tree.texts().any(|(location, _)| self.hosts.url(location) == url)
    }

    pub(crate) fn forget_requests(&self) {
        self.origins.iter().for_each(Origin::clear_requests);
    }

    pub(crate) fn clear_faults(&self) {
        self.origins.iter().for_each(Origin::clear_faults);
    }
}

/// Any small tree, of which some playlists have not ended yet.
pub(crate) fn any_unended_tree() -> impl proptest::strategy::Strategy<Value = Tree> {
    trees(&Options { features: Features::all() | Feature::Live, ..Options::default() })
}

/// Any small tree.
pub(crate) fn any_tree() -> impl proptest::strategy::Strategy<Value = Tree> {
    trees(&Options::default())
}
