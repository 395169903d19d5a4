//! Where things are, and how a playlist spells it.

/// A resource's place: a host and what is asked of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// An index into [`Tree::hosts`](super::Tree::hosts).
    pub host: usize,
    /// Path and query as they go over the wire: `/a/seg.ts?n=1`. Begins with one `/`.
    pub target: String,
}

impl Location {
    /// This target on this host.
    #[must_use]
    pub fn new(host: usize, target: impl Into<String>) -> Self {
        Self { host, target: target.into() }
    }

    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query without its `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The path up to and with its last `/`.
    #[must_use]
    pub fn folder(&self) -> &str {
        let path = self.path();
        path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("/")
    }

    /// The value of a query parameter, as written.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query()?.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// Where each logical host is: `http://127.0.0.1:4001`, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Base URLs in the order of [`Tree::hosts`](super::Tree::hosts): scheme and authority only.
    #[must_use]
    pub fn new(bases: Vec<String>) -> Self {
        Self(bases.into_iter().map(|base| base.trim_end_matches('/').to_owned()).collect())
    }

    /// `http://NAME.test` for each name: for files that nobody serves yet.
    #[must_use]
    pub fn placeholders(names: &[String]) -> Self {
        Self(names.iter().map(|name| format!("http://{name}.test")).collect())
    }

    /// The base URL of a host; empty for one that is not known.
    #[must_use]
    pub fn base(&self, host: usize) -> &str {
        self.0.get(host).map(String::as_str).unwrap_or_default()
    }

    /// The whole URL of a place.
    #[must_use]
    pub fn url(&self, location: &Location) -> String {
        format!("{}{}", self.base(location.host), location.target)
    }
}

/// A reference in a playlist: what it leads to, and how it is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<T> {
    /// What it leads to.
    pub to: T,
    /// The spelling. Where it cannot lead there, the reference is absolute.
    pub form: UriForm,
    /// A fragment, which no request contains.
    pub fragment: Option<String>,
    /// The name of a variable whose value is written as `{$name}` where it first occurs.
    pub variable: Option<String>,
}

impl<T> Link<T> {
    /// A reference in this spelling.
    pub const fn new(to: T, form: UriForm) -> Self {
        Self { to, form, fragment: None, variable: None }
    }

    /// A relative reference.
    pub const fn relative(to: T) -> Self {
        Self::new(to, UriForm::Relative)
    }
}

/// How a URI is spelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UriForm {
    /// `seg.ts`, `../media/seg.ts`: the shortest path from the playlist's folder.
    #[default]
    Relative,
    /// `../v0/seg.ts`, `./seg.ts`: a path with a detour.
    Detour,
    /// `/media/seg.ts`.
    RootRelative,
    /// `?n=2`: the playlist's own path with another query.
    QueryOnly,
    /// `//host/media/seg.ts`.
    ProtocolRelative,
    /// `http://host/media/seg.ts`.
    Absolute,
}

impl UriForm {
    /// Writes `to` as a reference from `from`; absolute where this spelling cannot lead there.
    #[must_use]
    pub fn spell(self, hosts: &Hosts, from: &Location, to: &Location) -> String {
        let same_host = from.host == to.host;
        match self {
            Self::Relative if same_host => relative(from, to),
            Self::Detour if same_host => detour(from, to),
            Self::RootRelative if same_host => to.target.clone(),
            Self::QueryOnly if same_host && from.path() == to.path() && to.query().is_some() => {
                format!("?{}", to.query().unwrap_or_default())
            }
            Self::ProtocolRelative if scheme(hosts, from) == scheme(hosts, to) => {
                hosts.url(to).split_once(':').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
            }
            Self::Relative
            | Self::Detour
            | Self::RootRelative
            | Self::QueryOnly
            | Self::ProtocolRelative
            | Self::Absolute => hosts.url(to),
        }
    }
}

fn scheme<'a>(hosts: &'a Hosts, location: &Location) -> Option<&'a str> {
    hosts.base(location.host).split_once(':').map(|(scheme, _)| scheme)
}

fn relative(from: &Location, to: &Location) -> String {
    let shared = shared_folder(from.folder(), to.folder());
    let up = from.folder().get(shared..).unwrap_or_default().matches('/').count();
    format!("{}{}", "../".repeat(up), to.target.get(shared..).unwrap_or_default())
}

/// Up one folder more than needed and down again; `./` where there is nothing above.
fn detour(from: &Location, to: &Location) -> String {
    let folder = from.folder().trim_end_matches('/');
    let plain = relative(from, to);
    match folder.rfind('/').and_then(|at| folder.get(at + 1..)) {
        Some(name) if !plain.starts_with("../") => format!("../{name}/{plain}"),
        Some(_) | None => format!("./{plain}"),
    }
}

/// Length of the longest folder path that begins both.
fn shared_folder(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a.get(..same).and_then(|text| text.rfind('/')).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: UriForm, from: &str, to: &str, expected: &str) {
        let hosts = Hosts::new(vec!["http://a.test".into(), "http://b.test:81".into()]);
        let place = |text: &str| match text.strip_prefix("b:") {
            Some(target) => Location::new(1, target),
            None => Location::new(0, text),
        };
        let (from, to) = (place(from), place(to));
        assert_eq!(form.spell(&hosts, &from, &to), expected);
        let resolved = url::Url::parse(&hosts.url(&from)).unwrap().join(expected).unwrap();
        assert_eq!(resolved.as_str(), hosts.url(&to), "it leads there");
    }

    #[test]
    fn a_relative_reference_is_the_shortest_path() {
        check(UriForm::Relative, "/a/b/p.m3u8", "/a/b/s.ts?n=1", "s.ts?n=1");
        check(UriForm::Relative, "/a/b/p.m3u8", "/a/c/s.ts", "../c/s.ts");
        check(UriForm::Relative, "/a/b/p.m3u8", "/s.ts", "../../s.ts");
        check(UriForm::Relative, "/p.m3u8", "/a/s.ts", "a/s.ts");
        check(UriForm::Relative, "/ab/p.m3u8", "/ac/s.ts", "../ac/s.ts");
    }

    #[test]
    fn a_detour_goes_up_and_comes_back() {
        check(UriForm::Detour, "/a/b/p.m3u8", "/a/b/s.ts", "../b/s.ts");
        check(UriForm::Detour, "/p.m3u8", "/s.ts", "./s.ts");
        check(UriForm::Detour, "/a/b/p.m3u8", "/a/s.ts", "./../s.ts");
    }

    #[test]
    fn other_spellings_lead_there_too() {
        check(UriForm::RootRelative, "/a/p.m3u8", "/c/s.ts", "/c/s.ts");
        check(UriForm::QueryOnly, "/a/p.m3u8?x=1", "/a/p.m3u8?n=2", "?n=2");
        check(UriForm::ProtocolRelative, "/a/p.m3u8", "b:/s.ts", "//b.test:81/s.ts");
        check(UriForm::Absolute, "/a/p.m3u8", "b:/s.ts", "http://b.test:81/s.ts");
    }

    #[test]
    fn a_spelling_that_cannot_lead_there_becomes_absolute() {
        check(UriForm::Relative, "/a/p.m3u8", "b:/a/s.ts", "http://b.test:81/a/s.ts");
        check(UriForm::QueryOnly, "/a/p.m3u8", "/a/s.ts?n=2", "http://a.test/a/s.ts?n=2");
    }
}
