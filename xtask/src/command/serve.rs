//! `serve DIR`: an origin over a folder, with faults where they are asked for.

mod signing; // URLs that expire
mod written; // trees that `fixtures` wrote

use std::process::{Command, ExitCode};
use std::sync::Arc;

use anyhow::{Context, Result};
use camino::Utf8Path;
use dtg_testkit::{Files, Origin, Rule, Site};

use super::Usage;
use signing::Validity;
use written::{Bases, Written};

#[derive(Debug, Default)]
struct Order<'a> {
    folder: &'a str,
    port: u16,
    rules: Vec<Rule>,
    layer: Layer,
    signed: Option<Validity>,
}

/// What the answers go through.
#[derive(Debug, Default, PartialEq, Eq)]
enum Layer {
    #[default]
    Plain,
    Tls,
}

/// Serves until the process is ended.
pub(super) fn run(words: &[&str], root: &Utf8Path) -> Result<ExitCode> {
    let order = order(words)?;
    if order.layer == Layer::Tls && cfg!(not(feature = "tls")) {
        return with_tls(words, root);
    }
    let folder = Utf8Path::new(order.folder);
    let origins = match Written::at(folder)? {
        Some(tree) => serve_tree(&tree, &order, root)?,
        None => vec![serve_folder(&order, root)?],
    };
    for rule in &order.rules {
        origins.iter().for_each(|origin| origin.fault(rule.clone()));
    }
    if order.signed.is_some() {
        println!("each of these answers with a signed URL, a fresh one each time");
    }
    println!("Ctrl-C ends it");
    loop {
        std::thread::park();
    }
}

fn serve_folder(order: &Order<'_>, root: &Utf8Path) -> Result<Origin> {
    let folder = order.folder;
    let site = Files::new(folder).with_context(|| format!("can't serve {folder}"))?;
    let origin = order.start(order.port, site, root)?;
    println!("serving {folder} at {}", origin.url("/"));
    let mut playlists = playlists(Utf8Path::new(folder))?;
    playlists.sort();
    playlists.iter().for_each(|path| println!("  {}", order.shown(&origin, path)));
    Ok(origin)
}

/// An origin for each of the tree's hosts; the one with the multivariant playlist has the port that was asked for.
fn serve_tree(tree: &Written, order: &Order<'_>, root: &Utf8Path) -> Result<Vec<Origin>> {
    let folder = Utf8Path::new(order.folder);
    let bases = Bases::default();
    let (first, target) = tree.entry().context("tree.json names no multivariant playlist")?;
    let start = |host| {
        let site = tree.site(folder, host, Arc::clone(&bases))?;
        order.start(if host == first { order.port } else { 0 }, site, root)
    };
    let origins = (0..tree.hosts()).map(start).collect::<Result<Vec<_>>>()?;
    let base = |origin: &Origin| origin.url("/").trim_end_matches('/').to_owned();
    bases.get_or_init(|| origins.iter().map(base).collect());
    println!("serving {folder}, its playlists with these hosts in place of their own:");
    for (index, origin) in origins.iter().enumerate() {
        let entry = if index == first { order.shown(origin, target) } else { origin.url("/") };
        println!("  {entry}");
    }
    Ok(origins)
}

impl Order<'_> {
    fn start(&self, port: u16, site: impl Site, root: &Utf8Path) -> Result<Origin> {
        let scheme = if self.layer == Layer::Tls { "https" } else { "http" };
        match self.signed {
            Some(validity) => start(port, signing::signed(site, validity, scheme), &self.layer, root),
            None => start(port, site, &self.layer, root),
        }
    }

    /// Where a playlist is found.
    fn shown(&self, origin: &Origin, path: &str) -> String {
        let path = path.trim_start_matches('/');
        let fresh = if self.signed.is_some() { "/fresh/" } else { "/" };
        origin.url(&format!("{fresh}{path}"))
    }
}

/// Runs this program as it is with TLS, in the folder that the words were said in.
fn with_tls(words: &[&str], root: &Utf8Path) -> Result<ExitCode> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(program);
    command.args(["run", "--quiet", "--package", "xtask", "--features", "tls", "--manifest-path"]);
    let status = command.arg(root.join("Cargo.toml")).args(["--", "serve"]).args(words).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(not(feature = "tls"))]
fn start(port: u16, site: impl Site, _layer: &Layer, _root: &Utf8Path) -> Result<Origin> {
    Ok(Origin::start_on(port, site)?)
}

#[cfg(feature = "tls")]
fn start(port: u16, site: impl Site, layer: &Layer, root: &Utf8Path) -> Result<Origin> {
    if *layer == Layer::Plain {
        return Ok(Origin::start_on(port, site)?);
    }
    let origin = Origin::start_tls_on(port, site)?;
    let ca = ca_file(&origin, &root.join("target"))?;
    println!("its certificate is by the CA in {ca}, which lives as long as this process: curl --cacert {ca}");
    Ok(origin)
}

/// The CA that a client has to trust, for this port: several origins may run at once.
#[cfg(feature = "tls")]
fn ca_file(origin: &Origin, folder: &Utf8Path) -> Result<camino::Utf8PathBuf> {
    let file = folder.join(format!("serve-ca-{}.pem", origin.port()));
    std::fs::create_dir_all(folder)?;
    std::fs::write(&file, origin.ca_pem().context("an origin with TLS has a CA")?)
        .with_context(|| format!("can't write {file}"))?;
    Ok(file)
}

fn order<'a>(words: &[&'a str]) -> Result<Order<'a>> {
    let Some((folder, mut rest)) = words.split_first() else {
        return Err(Usage("serve takes a folder".to_owned()).into());
    };
    let mut order = Order { folder, ..Order::default() };
    while let Some((word, mut after)) = rest.split_first() {
        let mut value = || {
            let (value, others) = after.split_first().unwrap_or((&"", &[]));
            after = others;
            *value
        };
        match *word {
            "--tls" => order.layer = Layer::Tls,
            "--port" => {
                let port = value();
                order.port = port.parse().map_err(|_| Usage(format!("`{port}` is not a port")))?;
            }
            "--signed" => {
                let text = value();
                let fault =
                    || Usage(format!("`{text}` is neither a number of requests nor of seconds, as `30s`"));
                order.signed = Some(text.parse().map_err(|_| fault())?);
            }
            "--fault" => {
                order.rules.extend(dtg_testkit::rules(value()).map_err(|error| Usage(error.to_string()))?);
            }
            word => return Err(Usage::unknown(word)),
        }
        rest = after;
    }
    Ok(order)
}

/// The multivariant playlists by name; of other folders, what lies at their top.
fn playlists(folder: &Utf8Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let path = entry?.into_path();
        let listed = if path.is_dir() { vec![path.join("master.m3u8")] } else { vec![path] };
        let playlists = listed.into_iter().filter(|path| path.extension() == Some("m3u8") && path.is_file());
        found.extend(playlists.filter_map(|path| path.strip_prefix(folder).ok().map(ToString::to_string)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_come_in_any_order() {
        let all =
            ["dir", "--fault", "status=503 first=2; rate=1000", "--tls", "--signed", "20", "--port", "8080"];
        let order = order(&all).unwrap();
        assert_eq!((order.folder, order.port, order.rules.len()), ("dir", 8080, 2));
        assert_eq!((order.layer, order.signed), (Layer::Tls, Some(Validity::Requests(20))));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_client_that_trusts_the_file_reads_what_is_served() {
        use ureq::tls::{Certificate, RootCerts, TlsConfig};

        let folder = camino_tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.ts"), "0123456789").unwrap();
        let origin = start(0, Files::new(folder.path()).unwrap(), &Layer::Tls, folder.path()).unwrap();
        let file = folder.path().join(format!("target/serve-ca-{}.pem", origin.port()));
        let ca = Certificate::from_pem(&std::fs::read(file).unwrap()).unwrap();
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[ca])).build();
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).tls_config(tls).build().into();
        let text = agent.get(origin.url("/a.ts")).call().unwrap().body_mut().read_to_string().unwrap();
        assert_eq!(text, "0123456789");
        assert!(origin.url("/").starts_with("https://"));
    }
}
