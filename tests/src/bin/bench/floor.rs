//! The floor: ureq and rayon, a file for each request or a range written in its place, and nothing else.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use camino::Utf8Path;
use rayon::prelude::*;

/// The first word of its command line.
pub(crate) const WORD: &str = "floor";

/// The words behind [`WORD`]: connections, the list of requests, the folder for the output.
pub(crate) fn asked(given: &[String]) -> Option<[&str; 3]> {
    match given {
        [word, connections, list, folder] if word == WORD => Some([connections, list, folder]),
        _ => None,
    }
}

pub(crate) fn run([connections, list, folder]: [&str; 3]) -> Result<()> {
    let connections: usize = connections.parse()?;
    let text = fs::read_to_string(list)?;
    let lines: Vec<&str> = text.lines().collect();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_idle_connections(connections)
        .max_idle_connections_per_host(connections)
        .build()
        .into();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(connections).build()?;
    pool.install(|| {
        lines.par_iter().enumerate().with_max_len(1).try_for_each_init(
            || vec![0; 256 << 10],
            |buffer, (n, line)| fetch(&agent, line, n, Utf8Path::new(folder), buffer),
        )
    })
}

fn fetch(agent: &ureq::Agent, line: &str, n: usize, folder: &Utf8Path, buffer: &mut [u8]) -> Result<()> {
    let (url, range) = line.split_once(' ').map_or((line, None), |(url, range)| (url, Some(range)));
    let mut request = agent.get(url);
    let (name, mut at) = match range {
        Some(range) => {
            request = request.header("Range", format!("bytes={range}"));
            ("ranges".to_owned(), range.split_once('-').context("a range")?.0.parse()?)
        }
        None => (n.to_string(), 0),
    };
    let mut response = request.call()?;
    let mut body = response.body_mut().as_reader();
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(range.is_none()).open(folder.join(name))?;
    loop {
        let got = body.read(buffer)?;
        if got == 0 {
            return Ok(());
        }
        file.write_all_at(buffer.get(..got).context("what was read")?, at)?;
        at += u64::try_from(got)?;
    }
}
