//! How fast the origin serves 1 GiB, beside another server, and what 500 connections cost.
//!
//! ```text
//! cargo run --release -p dtg-testkit --example serve_bench -- DIR http://127.0.0.1:PORT
//! ```
//!
//! DIR is on a memory file system and the root of the other server at that URL. curl downloads from both in
//! turn, five times each. The second part needs a limit of more than 1,100 open files, and /proc.
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use dtg_testkit::{Files, Origin};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const NAME: &str = "one-gib.ts";
const LENGTH: u64 = 1 << 30;
const RUNS: usize = 5;
const CONNECTIONS: usize = 500;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, other] = words.as_slice() else { return Err("usage: serve_bench DIR URL".into()) };
    let path = Path::new(folder).join(NAME);
    fill(&path)?;
    let origin = Origin::start(Files::new(folder)?)?;
    let measured = throughput(&origin, other).and_then(|()| memory(&origin));
    fs::remove_file(path)?;
    measured
}

/// Real pages: holes would be served from nowhere.
fn fill(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    let block: Vec<u8> = (0..=250).cycle().take(1 << 20).collect();
    for _ in 0..LENGTH >> 20 {
        file.write_all(&block)?;
    }
    Ok(())
}

fn throughput(origin: &Origin, other: &str) -> Result<()> {
    let (ours, theirs) = (origin.url(NAME), format!("{}/{NAME}", other.trim_end_matches('/')));
    println!("first request: {:.3} s", download(&ours)?);
    let (mut of_ours, mut of_theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        of_theirs.push(download(&theirs)?);
        of_ours.push(download(&ours)?);
    }
    let (ours, theirs) = (median(of_ours), median(of_theirs));
    println!("origin {ours:.3} s, other {theirs:.3} s: {:.2} of its throughput", theirs / ours);
    Ok(())
}

/// Seconds that curl took.
fn download(url: &str) -> Result<f64> {
    let words = ["-s", "-f", "-o", "/dev/null", "-w", "%{size_download} %{time_total}", url];
    let output = Command::new("curl").args(words).output()?;
    let text = String::from_utf8(output.stdout)?;
    let (size, seconds) = text.split_once(' ').ok_or("curl said nothing")?;
    match size.parse() == Ok(LENGTH) {
        true => Ok(seconds.parse()?),
        false => Err(format!("{url} gave {size} bytes").into()),
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Each of the connections has had its head and then reads no more, so that all are in the midst of a body.
fn memory(origin: &Origin) -> Result<()> {
    let before = resident()?;
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = TcpStream::connect(("127.0.0.1", origin.port()))?;
        write!(client, "GET /{NAME} HTTP/1.1\r\nHost: x\r\n\r\n")?;
        client.read_exact(&mut [0; 1024])?;
        clients.push(client);
    }
    println!("{CONNECTIONS} connections: {} KiB more than the {before} KiB before", resident()? - before);
    Ok(())
}

/// KiB.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
