//! How far an asset is: which of its media plays, and how many bytes are there.

use std::time::Duration;

use crate::key_loader::NeededKey;
use crate::plan::Plan;
use crate::resource::Role;

/// How far an asset download task is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssetProgress {
    /// The parts of the presentation of which every track is there, with its keys: in order, apart from each other.
    /// Empty for a single media file, which nobody has looked into.
    pub loaded: Vec<TimeRange>,
    /// How long the presentation plays; `None` before its playlists are loaded, and for a single media file.
    pub duration: Option<Duration>,
    /// Bytes that are there.
    pub downloaded_bytes: u64,
    /// Expected size in bytes, corrected as real sizes become known.
    pub estimated_bytes: u64,
    /// From 0 to 1; 1 only when the asset is complete.
    pub fraction: f64,
    /// How fast bytes arrive, smoothed over some seconds; 0 at first, and when it rests.
    pub bytes_per_second: u64,
    /// How long the rest takes at that speed; `None` while nothing arrives.
    pub time_left: Option<Duration>,
    /// How many keys were obtained.
    pub keys: usize,
    /// How many keys there are to obtain.
    pub keys_needed: usize,
}

/// A part of a presentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// When it begins.
    pub start: Duration,
    /// When it ends.
    pub end: Duration,
}

impl TimeRange {
    /// How long it plays.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

/// The parts of a plan's presentation of which nothing is missing: no fetch, no map, no key.
pub(crate) fn loaded(plan: &Plan, done: &[bool], missing: &[NeededKey]) -> Vec<TimeRange> {
    let starts = starts(plan);
    let mut holes: Vec<(Duration, Duration)> = Vec::new();
    for (fetch, _) in plan.fetches.iter().zip(done).filter(|(_, done)| !**done) {
        let Some(resource) = plan.resource(fetch.resource) else { continue };
        let from = Duration::from_millis(fetch.at_millis);
        match resource.role {
            Role::Segment => {
                let of_playlist = starts.get(usize::try_from(resource.playlist).unwrap_or(usize::MAX));
                holes.push((from, next(of_playlist, fetch.at_millis).unwrap_or(Duration::MAX)));
            }
            // What else it is needed for is not known here: all that follows.
            Role::Map | Role::Key => holes.push((from, Duration::MAX)),
            Role::SessionData | Role::Subtitle | Role::Thumbnail | Role::File => {}
        }
    }
    holes.extend(missing.iter().flat_map(|key| key.spans.iter().map(|(_, from, until)| (*from, *until))));
    between(holes, plan.playlists.first().map_or(Duration::ZERO, |first| first.duration))
}

/// When the fetches of each playlist begin, in order.
fn starts(plan: &Plan) -> Vec<Vec<u64>> {
    let mut starts = vec![Vec::new(); plan.playlists.len()];
    for fetch in &plan.fetches {
        let Some(resource) = plan.resource(fetch.resource).filter(|it| it.role == Role::Segment) else {
            continue;
        };
        let of_playlist = usize::try_from(resource.playlist).ok().and_then(|at| starts.get_mut(at));
        if let Some(of_playlist) = of_playlist {
            of_playlist.push(fetch.at_millis);
        }
    }
    starts.iter_mut().for_each(|it| it.sort_unstable());
    starts
}

/// When the next fetch of the playlist begins.
fn next(starts: Option<&Vec<u64>>, at: u64) -> Option<Duration> {
    let starts = starts?;
    let behind = starts.partition_point(|start| *start <= at);
    starts.get(behind).copied().map(Duration::from_millis)
}

/// What is left of `0..end` between holes.
fn between(mut holes: Vec<(Duration, Duration)>, end: Duration) -> Vec<TimeRange> {
    holes.sort_unstable();
    let (mut ranges, mut from) = (Vec::new(), Duration::ZERO);
    for (start, until) in holes.into_iter().chain([(end, end)]) {
        let start = start.min(end);
        if start > from {
            ranges.push(TimeRange { start: from, end: start });
        }
        from = from.max(until);
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{ItemId, TrackKind};
    use crate::key_loader::KeyRequest;
    use crate::plan::{Extension, Extent, Fetch, Length, Master, PlannedPlaylist, Resource, UriRef};

    /// Fetches in the notation `v0 a0 v4 k4`: a track (video, audio, key, map of the video) and the second it is
    /// needed at; those with `!` are done. Both tracks play 12 s.
    fn planned(words: &str) -> (Plan, Vec<bool>) {
        let mut plan = Plan {
            playlists: [TrackKind::Video, TrackKind::Audio]
                .map(|kind| PlannedPlaylist { kind, origin: 1, duration: Duration::from_secs(12) })
                .to_vec(),
            resources: Vec::new(),
            fetches: Vec::new(),
            duration: Duration::from_secs(12),
            estimate: crate::Estimate::default(),
            master: Master::Multivariant,
        };
        let mut done = Vec::new();
        for (word, number) in words.split_whitespace().zip(0..) {
            let (word, is_done) = word.strip_suffix('!').map_or((word, false), |word| (word, true));
            let (track, at) = word.split_at(1);
            let role = match track {
                "k" => Role::Key,
                "m" => Role::Map,
                _ => Role::Segment,
            };
            let playlist = u32::from(track == "a");
            plan.resources.push(Resource {
                role,
                playlist,
                number,
                extension: Extension::Ts,
                uri: UriRef::Entry,
            });
            let at_millis = at.parse::<u64>().unwrap() * 1000;
            let length = Length::About(1);
            plan.fetches.push(Fetch { resource: number, start: 0, length, extent: Extent::Whole, at_millis });
            done.push(is_done);
        }
        (plan, done)
    }

    #[track_caller]
    fn check(words: &str, missing: &[NeededKey], expected: &str) {
        let (plan, done) = planned(words);
        let ranges = loaded(&plan, &done, missing);
        let shown: Vec<String> =
            ranges.iter().map(|it| format!("{}-{}", it.start.as_secs(), it.end.as_secs())).collect();
        assert_eq!(shown.join(" "), expected);
    }

    #[test]
    fn a_part_is_loaded_when_every_track_of_it_is_there() {
        check("v0! a0! v4! a6! v8", &[], "0-8");
        check("v0! a0! v4! a6 v8!", &[], "0-6");
        check("v0! a0! v4 a6! v8!", &[], "0-4 8-12");
        check("v0 a0! v4! a6! v8!", &[], "4-12");
        check("v0! a0! v4! a6! v8!", &[], "0-12");
        check("v0 a0 v4 a6 v8", &[], "");
    }

    #[test]
    fn without_its_map_or_key_file_nothing_behind_it_is_loaded() {
        check("k0! m0! v0! a0! v4! k8 v8! a6!", &[], "0-8");
        check("m0 v0! a0! v4! v8! a6!", &[], "");
    }

    #[test]
    fn media_counts_as_loaded_only_when_its_license_key_is_there() {
        let request = KeyRequest {
            asset: ItemId::new("x").unwrap(),
            uri: Some("skd://k".into()),
            method: "SAMPLE-AES".into(),
            key_format: "f".into(),
            key_format_versions: None,
            places: Vec::new(),
        };
        let spans = vec![(0, Duration::from_secs(4), Duration::from_secs(8))];
        let key = NeededKey { request, spans };
        check("v0! a0! v4! a6! v8!", std::slice::from_ref(&key), "0-4 8-12");
    }
}
