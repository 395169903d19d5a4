//! `serve DIR`: an origin over a folder, with faults where they are asked for.

use anyhow::{Context, Result};
use camino::Utf8Path;
use dtg_testkit::{Files, Origin, Rule};

use super::Usage;

#[derive(Debug, Default)]
struct Order<'a> {
    folder: &'a str,
    port: u16,
    rules: Vec<Rule>,
}

/// Serves until the process is ended.
pub(super) fn run(words: &[&str]) -> Result<()> {
    let Order { folder, port, rules } = order(words)?;
    let site = Files::new(folder).with_context(|| format!("can't serve {folder}"))?;
    let origin = Origin::start_on(port, site)?;
    for rule in rules {
        origin.fault(rule);
    }
    println!("serving {folder} at {}", origin.url("/"));
    let mut playlists = playlists(Utf8Path::new(folder))?;
    playlists.sort();
    for path in playlists {
        println!("  {}", origin.url(&path));
    }
    println!("Ctrl-C ends it");
    loop {
        std::thread::park();
    }
}

fn order<'a>(words: &[&'a str]) -> Result<Order<'a>> {
    let Some((folder, mut rest)) = words.split_first() else {
        return Err(Usage("serve takes a folder".to_owned()).into());
    };
    let mut order = Order { folder, ..Order::default() };
    while let Some((word, after)) = rest.split_first() {
        let (value, after) = after.split_first().unwrap_or((&"", &[]));
        match *word {
            "--port" => order.port = value.parse().map_err(|_| Usage(format!("`{value}` is not a port")))?,
            "--fault" => {
                order.rules.extend(dtg_testkit::rules(value).map_err(|error| Usage(error.to_string()))?);
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
    fn port_and_faults_may_come_in_any_order() {
        let order = order(&["dir", "--fault", "status=503 first=2; rate=1000", "--port", "8080"]).unwrap();
        assert_eq!((order.folder, order.port, order.rules.len()), ("dir", 8080, 2));
    }
}
