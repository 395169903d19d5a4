//! The words that the program is started with.

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;

use crate::work::Work;

/// What was asked for.
pub(crate) struct Words {
    /// The program under test.
    pub(crate) dtg: String,
    /// Counted runs of each side.
    pub(crate) runs: usize,
    pub(crate) connections: u16,
    pub(crate) works: Vec<Work>,
    /// Where the output goes, until it is durable; `None`: to memory.
    pub(crate) disk: Option<Utf8PathBuf>,
}

impl Words {
    pub(crate) fn read(given: &[String]) -> Result<Self> {
        let (dtg, works) = (String::new(), Work::ALL.to_vec());
        let mut words = Self { dtg, runs: 5, connections: 16, works, disk: None };
        let mut rest = given.iter().map(String::as_str);
        while let Some(word) = rest.next() {
            let mut value = || rest.next().with_context(|| format!("{word} needs a value"));
            match word {
                "--runs" => words.runs = value()?.parse()?,
                "--connections" => words.connections = value()?.parse()?,
                "--works" => words.works = value()?.split(',').map(Work::named).collect::<Result<_>>()?,
                "--disk" => words.disk = Some(value()?.into()),
                path if words.dtg.is_empty() && !path.starts_with('-') => words.dtg = path.to_owned(),
                other => bail!("`{other}` is not understood here"),
            }
        }
        if words.dtg.is_empty() || words.runs == 0 {
            bail!(
                "usage: bench [--runs N] [--works big,small,mp4,fmp4] [--connections N] [--disk FOLDER] DTG"
            );
        }
        Ok(words)
    }
}
