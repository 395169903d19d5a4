//! What a line of source may not say, and how a file begins and ends.

use super::Finding;

/// The longest a file may be without its tests.
const LONGEST: usize = 400;

/// Files that are tables, and why they are longer.
const TABLES: [(&str, &str); 0] = [];

/// Words that only some places may use.
struct Reserved {
    words: &'static [&'static str],
    /// Where the rule holds: the start of a path.
    within: &'static str,
    /// Where the words are at home: starts of paths.
    home: &'static [&'static str],
    message: &'static str,
}

// In parts, so that this file keeps the rules that it states.
const RESERVED: [Reserved; 4] = [
    Reserved {
        words: &[concat!("#[ig", "nore")],
        within: "",
        home: &[],
        message: "a test that is skipped proves nothing",
    },
    Reserved {
        words: &[concat!("to", "do!("), concat!("unimple", "mented!(")],
        within: "",
        home: &[],
        message: "what is not built is absent",
    },
    Reserved {
        words: &[
            concat!("std::", "fs"),
            concat!("std::", "net"),
            concat!("std::", "thread"),
            concat!("Instant::", "now"),
            concat!("SystemTime::", "now"),
        ],
        within: "crates/dtg-core/src/",
        home: &["crates/dtg-core/src/io/", "crates/dtg-core/src/io.rs"],
        message: "disk, network, threads and clock belong to dtg-core's io/",
    },
    Reserved {
        words: &[concat!("bin", "code::"), concat!("use bin", "code")],
        within: "",
        home: &["crates/dtg-core/src/io/codec.rs", "crates/dtg-core/src/io/codec/"],
        message: "stored bytes are io/codec's",
    },
];

/// Where workplaces keep their files; a path of a test that stays in memory may well be below `/root`.
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/.")];

/// What is wrong with one file; `path` is relative to the workspace.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let finding = |(line, message): (usize, String)| Finding { place: path.to_owned(), line, message };
    let mut found = machine_paths(text);
    if path.ends_with(".rs") {
        found.extend(opening(text));
        found.extend(reserved_words(path, text));
        found.extend(silent_exceptions(text));
        found.extend(length(path, text));
    }
    found.into_iter().map(finding).collect()
}

fn machine_paths(text: &str) -> Vec<(usize, String)> {
    let names = |line: &str| MACHINE_PATHS.into_iter().find(|path| line.contains(path));
    let found = numbered(text).filter_map(|(number, line)| Some((number, names(line)?)));
    found.map(|(number, path)| (number, format!("`{path}` is a path of one machine"))).collect()
}

fn opening(text: &str) -> Option<(usize, String)> {
    let opens = text.starts_with("//! ") || text.starts_with("#![doc = include_str!(");
    (!opens).then(|| (1, "the first line is `//!` and says what the file is".to_owned()))
}

fn reserved_words(path: &str, text: &str) -> Vec<(usize, String)> {
    let holds = |rule: &&Reserved| {
        path.starts_with(rule.within) && !rule.home.iter().any(|home| path.starts_with(home))
    };
    let code = if is_test_file(path) { "" } else { without_tests(text) };
    let broken = |rule: &'static Reserved| {
        // What is forbidden everywhere is forbidden in tests too.
        let text = if rule.home.is_empty() { text } else { code };
        let lines = numbered(text).filter(|(_, line)| !line.trim_start().starts_with("//"));
        lines
            .filter(|(_, line)| rule.words.iter().any(|word| says(line, word)))
            .map(|(number, _)| (number, rule.message))
    };
    let found = RESERVED.iter().filter(holds).flat_map(broken);
    found.map(|(number, message)| (number, message.to_owned())).collect()
}

/// Whether a line has the words, or imports `std::x` in braces.
fn says(line: &str, word: &str) -> bool {
    let in_braces = || {
        let module = word.strip_prefix("std::")?;
        let names = line.trim_start().strip_prefix("use std::{")?;
        Some(names.split(|c: char| !c.is_alphanumeric() && c != '_').any(|name| name == module))
    };
    line.contains(word) || in_braces().unwrap_or(false)
}

/// Exceptions to lints state their reason.
fn silent_exceptions(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in numbered(text) {
        let starts = ["allow(", "expect("].iter().any(|word| {
            let line = line.trim_start();
            line.starts_with(&format!("#[{word}")) || line.starts_with(&format!("#![{word}"))
        });
        let attribute = || {
            text.lines().skip(number - 1).scan(false, |ended, line| {
                let open = !*ended;
                *ended = line.contains(")]");
                open.then_some(line)
            })
        };
        if starts && !attribute().any(|line| line.contains("reason = ")) {
            found.push((number, "an exception to a lint states its reason".to_owned()));
        }
    }
    found
}

fn length(path: &str, text: &str) -> Option<(usize, String)> {
    let exempt = is_test_file(path) || TABLES.iter().any(|(table, _)| *table == path);
    let lines = without_tests(text).lines().count();
    (!exempt && lines > LONGEST).then(|| (0, format!("{lines} lines without tests; at most {LONGEST}")))
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("tests/")
}

/// What stands before the module of tests at the end.
fn without_tests(text: &str) -> &str {
    let tests = text.match_indices("#[cfg(test)]\n").find(|(at, attribute)| {
        let rest = text.get(at + attribute.len()..).unwrap_or_default();
        rest.lines().next().is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    });
    tests.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_findings(path: &str, text: &str, expected: &[&str]) {
        let shown: Vec<String> = check(path, text).iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_source_file_opens_by_saying_what_it_is() {
        check_findings("a.rs", "//! What.\n", &[]);
        check_findings("a.rs", "#![doc = include_str!(\"../README.md\")]\n", &[]);
        check_findings(
            "a.rs",
            "use std::fmt;\n",
            &["a.rs:1: the first line is `//!` and says what the file is"],
        );
        check_findings("a.toml", "[lints]\n", &[]);
    }

    #[test]
    fn skipped_tests_and_unbuilt_code_are_found_in_tests_too() {
        let [skip, todo, later] = [RESERVED[0].words[0], RESERVED[1].words[0], RESERVED[1].words[1]];
        let text = format!("//! A.\n#[cfg(test)]\nmod tests {{\n{skip}]\n{todo})\n{later})\n}}");
        let expected = [
            "a.rs:4: a test that is skipped proves nothing",
            "a.rs:5: what is not built is absent",
            "a.rs:6: what is not built is absent",
        ];
        check_findings("a.rs", &text, &expected);
    }

    #[test]
    fn within_dtg_core_only_io_and_tests_touch_the_world() {
        let message = "disk, network, threads and clock belong to dtg-core's io/";
        for word in RESERVED[2].words {
            let text = format!("//! A.\nuse {word};\n");
            check_findings(
                "crates/dtg-core/src/plan.rs",
                &text,
                &[&format!("crates/dtg-core/src/plan.rs:2: {message}")],
            );
            check_findings("crates/dtg-core/src/io/disk.rs", &text, &[]);
            check_findings("crates/dtg-core/src/plan/tests.rs", &text, &[]);
            check_findings("crates/dtg-cli/src/run.rs", &text, &[]);
        }
        let braces = format!("//! A.\nuse std::{{fmt, {}}};\n", "fs");
        check_findings(
            "crates/dtg-core/src/plan.rs",
            &braces,
            &[&format!("crates/dtg-core/src/plan.rs:2: {message}")],
        );
        let in_tests = format!("//! A.\n#[cfg(test)]\nmod tests {{\n    use {};\n}}\n", RESERVED[2].words[0]);
        check_findings("crates/dtg-core/src/plan.rs", &in_tests, &[]);
    }

    #[test]
    fn stored_bytes_are_written_in_one_place() {
        let text = format!("//! A.\n{}encode();\n", RESERVED[3].words[0]);
        check_findings(
            "crates/dtg-core/src/io/folder.rs",
            &text,
            &["crates/dtg-core/src/io/folder.rs:2: stored bytes are io/codec's"],
        );
        check_findings("crates/dtg-core/src/io/codec/v1.rs", &text, &[]);
    }

    #[test]
    fn an_exception_to_a_lint_says_why() {
        let message = "a.rs:2: an exception to a lint states its reason";
        check_findings("a.rs", "//! A.\n#[allow(dead_code)]\nfn a() {}\n", &[message]);
        check_findings("a.rs", "//! A.\n#![expect(dead_code)]\n// reason = none\n", &[message]);
        check_findings("a.rs", "//! A.\n#[expect(dead_code, reason = \"kept\")]\n", &[]);
        check_findings("a.rs", "//! A.\n#[expect(\n    dead_code,\n    reason = \"kept\"\n)]\n", &[]);
    }

    #[test]
    fn a_long_file_is_found_unless_its_tests_make_it_long() {
        let long = format!("//! A.\n{}", "fn a() {}\n".repeat(LONGEST));
        check_findings("a.rs", &long, &["a.rs: 401 lines without tests; at most 400"]);
        check_findings("a/tests.rs", &long, &[]);
        let tests = format!("//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn a() {}\n".repeat(LONGEST));
        check_findings("a.rs", &tests, &[]);
    }

    #[test]
    fn no_file_names_a_machine_s_folder() {
        for path in MACHINE_PATHS {
            check_findings(
                "README.md",
                &format!("see {path}x"),
                &[&format!("README.md:1: `{path}` is a path of one machine")],
            );
        }
    }
}
