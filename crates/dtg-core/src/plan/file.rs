//! The plan of an item that is one media file.

use std::time::Duration;

use super::{Master, Plan, PlanError, Planned, book};
use crate::estimate::{Basis, Estimate};
use crate::item::Sidecar;
use crate::resource::Extension;

/// A media file on a server, by its answer's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    /// What its local file is called by.
    pub(crate) extension: Extension,
    /// Its bytes, where the server states them.
    pub(crate) length: Option<u64>,
    /// Whether it can be fetched in parts.
    pub(crate) access: Access,
}

/// How a file can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// In ranges, of which a strong validator says that they are of one version.
    Ranges,
    /// In one piece.
    Whole,
}

/// Plans the download of a single media file, and of what belongs beside it.
pub(crate) fn plan_file(file: &RemoteFile, sidecars: &[Sidecar]) -> Result<Planned, PlanError> {
    let mut book = book::Book::default();
    book.add_file(file)?;
    book.add_sidecars(sidecars)?;
    let (resources, fetches) = book.finish(&[])?;
    let estimate = file.length.map(|bytes| Estimate { bytes, basis: Basis::File });
    let plan = Plan {
        playlists: Vec::new(),
        resources,
        fetches,
        duration: Duration::ZERO,
        estimate: estimate.unwrap_or_default(),
        master: Master::File,
    };
    Ok(Planned { plan, local: Vec::new(), dropped: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `start+length` of each fetch, `whole` for one without a range, then the size and the file.
    #[track_caller]
    fn check(length: Option<u64>, access: Access, expected: &str) {
        let planned = plan_file(&RemoteFile { extension: Extension::Mp4, length, access }, &[]).unwrap();
        let fetch = |fetch: &crate::Fetch| match fetch.extent {
            crate::Extent::Whole => "whole".to_owned(),
            crate::Extent::Range => format!("{}+{}", fetch.start >> 20, fetch.length.bytes() >> 20),
        };
        let fetches: Vec<String> = planned.plan.fetches.iter().map(fetch).collect();
        let size = planned.plan.estimate.bytes >> 20;
        assert_eq!(format!("{} = {size} {}", fetches.join(" "), planned.plan.master_file()), expected);
    }

    #[test]
    fn a_file_comes_in_ranges_of_at_most_eight_mebibytes() {
        check(Some(20 << 20), Access::Ranges, "0+8 8+8 16+4 = 20 file.mp4");
        check(Some(8 << 20), Access::Ranges, "0+8 = 8 file.mp4");
    }

    #[test]
    fn a_file_that_cannot_be_cut_comes_in_one_piece() {
        check(Some(20 << 20), Access::Whole, "whole = 20 file.mp4");
        check(None, Access::Ranges, "whole = 0 file.mp4");
    }
}
