//! Dependencies between our crates point one way.

use anyhow::Result;
use serde::Deserialize;

use super::Finding;

/// Who may use whom, bottom up. The table of ARCHITECTURE.md.
const TABLE: [(&str, &[&str]); 11] = [
    ("media-entry", &[]),
    ("hls-parse", &[]),
    ("fairplay-keys", &[]),
    ("playback-server", &[]),
    ("fairplay-apple", &["fairplay-keys"]),
    ("dtg-testkit", &["fairplay-keys"]),
    ("dtg-core", &["hls-parse"]),
    ("local-assets", &["media-entry", "hls-parse", "fairplay-keys", "dtg-core"]),
    (
        "dtg-cli",
        &["media-entry", "hls-parse", "fairplay-keys", "playback-server", "dtg-core", "local-assets"],
    ),
    ("xtask", &["dtg-testkit", "hls-parse"]),
    (
        "tests",
        &[
            "media-entry",
            "hls-parse",
            "fairplay-keys",
            "playback-server",
            "dtg-testkit",
            "dtg-core",
            "local-assets",
            "dtg-cli",
            "xtask",
        ],
    ),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    /// Only ours have one.
    path: Option<String>,
}

/// Holds what `cargo metadata --no-deps` says against the table.
pub(super) fn check(metadata: &str) -> Result<Vec<Finding>> {
    let Metadata { packages } = serde_json::from_str(metadata)?;
    let of_package = |package: &Package| {
        let ours = package.dependencies.iter().filter(|it| it.path.is_some());
        let messages: Vec<String> = match row(&package.name) {
            Some(row) => ours.filter(|it| !is_allowed(row, it)).map(message).collect(),
            None => vec!["is not in the table of dependencies".to_owned()],
        };
        let place = &package.name;
        let findings = messages.into_iter();
        findings.map(|message| Finding { place: place.clone(), line: 0, message }).collect::<Vec<_>>()
    };
    Ok(packages.iter().flat_map(of_package).collect())
}

fn row(name: &str) -> Option<usize> {
    TABLE.iter().position(|(package, _)| *package == name)
}

/// Tests may use the testkit, and what stands below in the table.
fn is_allowed(user: usize, dependency: &Dependency) -> bool {
    let name = dependency.name.as_str();
    let listed = TABLE.get(user).is_some_and(|(_, may_use)| may_use.contains(&name));
    let is_below = || row(name).is_some_and(|used| used < user);
    listed || dependency.kind.as_deref() == Some("dev") && (name == "dtg-testkit" || is_below())
}

fn message(dependency: &Dependency) -> String {
    let kind = dependency.kind.as_deref().map(|kind| format!(" ({kind})")).unwrap_or_default();
    format!("may not use {}{kind}: see the table in ARCHITECTURE.md", dependency.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `"a -> b, c(dev)"` is a package and those of ours that it uses.
    fn metadata(text: &str) -> String {
        let (name, uses) = text.split_once(" -> ").unwrap();
        let dependency = |word: &str| match word.strip_suffix("(dev)") {
            Some(name) => serde_json::json!({ "name": name, "kind": "dev", "path": "there" }),
            None => serde_json::json!({ "name": word, "kind": null, "path": "there" }),
        };
        let mut dependencies: Vec<_> =
            uses.split(", ").filter(|word| !word.is_empty()).map(dependency).collect();
        dependencies.push(serde_json::json!({ "name": "serde", "kind": null }));
        serde_json::json!({ "packages": [{ "name": name, "dependencies": dependencies }] }).to_string()
    }

    #[track_caller]
    fn check_findings(text: &str, expected: &[&str]) {
        let findings = check(&metadata(text)).unwrap();
        let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_table_s_dependencies_are_fine() {
        check_findings("dtg-core -> hls-parse, dtg-testkit(dev)", &[]);
        check_findings("hls-parse -> dtg-testkit(dev)", &[]);
        check_findings("local-assets -> media-entry, playback-server(dev)", &[]);
    }

    #[test]
    fn what_the_table_lacks_is_found() {
        let see = "see the table in ARCHITECTURE.md";
        check_findings("dtg-core -> media-entry", &[&format!("dtg-core: may not use media-entry: {see}")]);
        check_findings("hls-parse -> dtg-core", &[&format!("hls-parse: may not use dtg-core: {see}")]);
        check_findings(
            "hls-parse -> dtg-core(dev)",
            &[&format!("hls-parse: may not use dtg-core (dev): {see}")],
        );
        check_findings("dtg-cli -> dtg-testkit", &[&format!("dtg-cli: may not use dtg-testkit: {see}")]);
        check_findings("newcomer -> ", &["newcomer: is not in the table of dependencies"]);
    }

    #[test]
    fn the_table_points_one_way() {
        for (user, (name, may_use)) in TABLE.iter().enumerate() {
            assert!(may_use.iter().all(|used| row(used).is_some_and(|used| used < user)), "{name}");
        }
    }
}
