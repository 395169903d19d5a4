//! What divan prints: a tree of names with times, and below some of them what was allocated.

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    /// Its names from the bench's own down: `parse`, `walk`, `ours`, `1000`.
    pub(super) path: Vec<String>,
    /// The median time in seconds.
    pub(super) seconds: f64,
    /// The most bytes that were allocated at once, median; none where nothing counts them.
    pub(super) bytes: Option<f64>,
}

/// Every measurement in the order of the output; lines that are none are passed over.
pub(super) fn read(output: &str) -> Vec<Measured> {
    let mut names: Vec<String> = Vec::new();
    let mut list: Vec<Measured> = Vec::new();
    // Lines below `max alloc:`: first a count, then bytes.
    let mut below_max_alloc = None;
    for line in output.lines() {
        let text = line.trim_start_matches(TREE);
        let depth = line.chars().take_while(|c| TREE.contains(c)).count() / 3;
        let cells: Vec<&str> = text.split('│').map(str::trim).collect();
        let is_row = line.contains("├─") || line.contains("╰─") || (depth == 0 && cells.len() > 1);
        if is_row {
            below_max_alloc = None;
            let name = text.split_whitespace().next().unwrap_or_default();
            names.truncate(depth);
            names.push(name.to_owned());
            if let Some(seconds) = cells.get(2).and_then(|cell| seconds(cell)) {
                list.push(Measured { path: names.clone(), seconds, bytes: None });
            }
        } else if text.starts_with("max alloc:") {
            below_max_alloc = Some(0);
        } else if let Some(seen) = below_max_alloc.as_mut() {
            *seen += 1;
            let last = list.last_mut().filter(|_| *seen == 2);
            if let Some((last, cell)) = last.zip(cells.get(2)) {
                last.bytes = bytes(cell);
            }
        }
    }
    list
}

/// What a tree is drawn with.
const TREE: [char; 5] = [' ', '│', '├', '╰', '─'];

fn seconds(cell: &str) -> Option<f64> {
    let (number, unit) = cell.split_once(' ')?;
    let unit = match unit {
        "s" => 1.0,
        "ms" => 1e-3,
        "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * unit)
}

fn bytes(cell: &str) -> Option<f64> {
    let (number, unit) = cell.split_once(' ')?;
    let unit = match unit {
        "B" => 1.0,
        "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
Timer precision: 30 ns
parse             fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ model                        │               │               │               │         │
│  ├─ ours                      │               │               │               │         │
│  │  ├─ 1000     1.5 µs        │ 573.9 ms      │ 524 ms        │ 526.6 ms      │ 7       │ 7
│  │  │           max alloc:    │               │               │               │         │
│  │  │             23          │ 23            │ 23            │ 23            │         │
│  │  │             1.6 KB      │ 1.6 KB        │ 1.7 KB        │ 1.6 KB        │         │
│  │  │           alloc:        │               │               │               │         │
│  │  │             29          │ 29            │ 29            │ 29            │         │
│  │  │             9 MB        │ 9 MB          │ 9 MB          │ 9 MB          │         │
│  │  ╰─ 10000    5.087 s       │ 7.897 s       │ 5.285 s       │ 5.766 s       │ 7       │ 7
╰─ walk           8.194 ms      │ 20.56 ms      │ 12.46 µs      │ 12.89 ms      │ 11      │ 11
";

    #[test]
    fn rows_are_read_with_their_paths_medians_and_memory() {
        let shown = |it: &Measured| format!("{} {:.8} {:?}", it.path.join("/"), it.seconds, it.bytes);
        let list: Vec<String> = read(OUTPUT).iter().map(shown).collect();
        let expected = [
            "parse/model/ours/1000 0.52400000 Some(1700.0)",
            "parse/model/ours/10000 5.28500000 None",
            "parse/walk 0.00001246 None",
        ];
        assert_eq!(list, expected);
    }

    #[test]
    fn other_output_has_no_rows() {
        assert_eq!(read("error: no bench\n"), []);
    }
}
