//! What `plan` prints: what would be chosen, and how much it would fetch.

use std::fmt::Write as _;

use dtg_core::{
    Basis, Dropped, Master, Planned, SelectReason, SelectedTrack, Selection, Skipped, TrackKind, TrackSource,
};
use hls_parse::Multivariant;
use schemars::JsonSchema;
use serde::Serialize;

use super::item::{KindName, drawn, table};
use super::marker;
use super::text::{bytes, plain, playing_time, seconds};

/// A dry run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlanDocument {
    pub(crate) schema: marker::Plan,
    /// The chosen variant, of several the one to start with; null when the playlist is a media playlist: there is nothing to choose.
    pub(crate) variant: Option<VariantView>,
    /// Every chosen variant, `variant` first.
    pub(crate) variants: Vec<VariantView>,
    /// The chosen audio renditions.
    pub(crate) audio: Vec<RenditionView>,
    /// The chosen subtitles.
    pub(crate) text: Vec<RenditionView>,
    /// Every variant, rendition and I-frame list that is left out.
    pub(crate) skipped: Vec<SkippedView>,
    /// Playing time in seconds; null for a single media file, and when a chosen media playlist is not there.
    pub(crate) duration: Option<f64>,
    /// Expected bytes; null when nothing says how many.
    pub(crate) estimated_bytes: Option<u64>,
    /// Remote files; null when a chosen media playlist is not there.
    pub(crate) resources: Option<usize>,
    /// Requests; null as `resources`.
    pub(crate) fetches: Option<usize>,
    /// What the local playlists would lack.
    pub(crate) dropped: Vec<DroppedView>,
    /// Chosen media playlists that are not there beside the file.
    pub(crate) missing: Vec<String>,
    #[serde(skip)]
    time: Option<String>,
}

/// A chosen variant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Variant")]
pub(crate) struct VariantView {
    kind: KindName,
    /// BANDWIDTH in bits per second; null when it is missing.
    bandwidth: Option<u64>,
    /// AVERAGE-BANDWIDTH in bits per second.
    average_bandwidth: Option<u64>,
    resolution: Option<ResolutionView>,
    /// CODECS.
    codecs: Option<String>,
    /// The URI as the playlist has it.
    uri: String,
}

/// RESOLUTION in pixels.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "Resolution")]
pub(crate) struct ResolutionView {
    width: u64,
    height: u64,
}

impl From<hls_parse::Resolution> for ResolutionView {
    fn from(resolution: hls_parse::Resolution) -> Self {
        Self { width: resolution.width, height: resolution.height }
    }
}

impl ResolutionView {
    pub(super) fn words(self) -> String {
        format!("{}x{}", self.width, self.height)
    }
}

/// A chosen rendition.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rendition")]
pub(crate) struct RenditionView {
    /// LANGUAGE.
    language: Option<String>,
    /// NAME.
    name: Option<String>,
    /// GROUP-ID.
    group_id: Option<String>,
    /// The URI as the playlist has it; null: it is inside the variant's own segments.
    uri: Option<String>,
    /// Why it is chosen.
    reason: String,
    #[serde(skip)]
    note: Option<String>,
}

/// What is left out, and why.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Skipped")]
pub(crate) struct SkippedView {
    kind: KindName,
    /// Its name, or its URI without the query.
    what: String,
    /// The line of its tag, from 1.
    line: u32,
    /// Why.
    reason: String,
}

/// A line or attribute that the local playlists would lack.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Dropped")]
pub(crate) struct DroppedView {
    /// Which playlist: 0 is the one that was named, the chosen media playlists follow.
    playlist: u32,
    /// Its line, from 1.
    line: u32,
    /// The tag, or tag and attribute.
    what: String,
    /// Why.
    reason: String,
}

impl PlanDocument {
    /// The document, before it is known what the media playlists say.
    pub(crate) fn chosen(choice: Option<(&Selection, &Multivariant<'_>)>) -> Self {
        let renditions = |kind| -> Vec<RenditionView> {
            let Some((selection, playlist)) = choice else { return Vec::new() };
            let of_kind = selection.renditions().filter(|track| track.kind == kind);
            of_kind.map(|track| RenditionView::new(track, playlist)).collect()
        };
        let variants = choice.map_or_else(Vec::new, |(selection, playlist)| {
            selection.variants().filter_map(|track| VariantView::new(track, playlist)).collect()
        });
        Self {
            schema: marker::Plan::V1,
            variant: variants.first().cloned(),
            variants,
            audio: renditions(TrackKind::Audio),
            text: renditions(TrackKind::Text),
            skipped: choice.map_or_else(Vec::new, |(selection, _)| skipped(&selection.skipped)),
            duration: None,
            estimated_bytes: None,
            resources: None,
            fetches: None,
            dropped: Vec::new(),
            missing: Vec::new(),
            time: None,
        }
    }

    /// Adds which media playlists are not there; then there is no plan.
    pub(crate) fn lacking(self, missing: Vec<String>) -> Self {
        Self { missing, ..self }
    }

    /// Adds what the plan says.
    pub(crate) fn planned(self, planned: &Planned) -> Self {
        let plan = &planned.plan;
        let is_timed = plan.master != Master::File;
        Self {
            duration: is_timed.then(|| seconds(plan.duration)),
            estimated_bytes: (plan.estimate.basis != Basis::Unknown).then_some(plan.estimate.bytes),
            resources: Some(plan.resources.len()),
            fetches: Some(plan.fetches.len()),
            dropped: planned.dropped.iter().map(DroppedView::from).collect(),
            time: is_timed.then(|| playing_time(plan.duration)),
            ..self
        }
    }
}

fn skipped(skipped: &[Skipped]) -> Vec<SkippedView> {
    let view = |it: &Skipped| SkippedView {
        kind: it.kind.into(),
        what: it.what.clone(),
        line: it.line,
        reason: it.reason.to_string(),
    };
    skipped.iter().map(view).collect()
}

impl VariantView {
    fn new(track: &SelectedTrack, playlist: &Multivariant<'_>) -> Option<Self> {
        let TrackSource::Variant(index) = track.source else { return None };
        let variant = playlist.variants.get(index)?;
        Some(Self {
            kind: track.kind.into(),
            bandwidth: variant.bandwidth,
            average_bandwidth: variant.average_bandwidth,
            resolution: variant.resolution.map(ResolutionView::from),
            codecs: variant.codecs.as_deref().map(str::to_owned),
            uri: variant.uri.text.to_string(),
        })
    }

    fn words(&self) -> String {
        let resolution = self.resolution.map(ResolutionView::words);
        let rate = self.bandwidth.map(|rate| format!("{rate} b/s"));
        let parts = [resolution, rate, self.codecs.clone(), Some(self.uri.clone())];
        parts.into_iter().flatten().map(|part| plain(&part)).collect::<Vec<_>>().join(", ")
    }
}

impl RenditionView {
    fn new(track: &SelectedTrack, playlist: &Multivariant<'_>) -> Self {
        let rendition = match track.source {
            TrackSource::Rendition(index) => playlist.renditions.get(index),
            TrackSource::Variant(_) => None,
        };
        Self {
            language: track.language.clone(),
            name: track.title.clone(),
            group_id: rendition.map(|rendition| rendition.group_id.to_string()),
            uri: track.uri.clone(),
            reason: track.reason.to_string(),
            note: (track.reason != SelectReason::Asked).then(|| format!("({})", track.reason)),
        }
    }

    fn words(&self) -> String {
        let parts = [&self.language, &self.name, &self.uri].into_iter().flatten();
        let parts = parts.map(|part| plain(part)).collect::<Vec<_>>().join(", ");
        [Some(parts), self.note.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl From<&Dropped> for DroppedView {
    fn from(dropped: &Dropped) -> Self {
        Self {
            playlist: dropped.origin,
            line: dropped.line,
            what: dropped.what.clone(),
            reason: dropped.reason.to_string(),
        }
    }
}

/// The document for people.
pub(crate) fn plan_text(plan: &PlanDocument) -> String {
    let mut text = String::new();
    let number = |number: Option<usize>| number.map(|number| number.to_string());
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{name:<10} {value}");
        }
    };
    plan.variants.iter().for_each(|variant| row("variant", Some(variant.words())));
    plan.audio.iter().for_each(|track| row("audio", Some(track.words())));
    plan.text.iter().for_each(|track| row("text", Some(track.words())));
    row("duration", plan.time.clone());
    row("size", plan.estimated_bytes.map(|count| format!("about {}", bytes(count))));
    row("files", number(plan.resources));
    row("requests", number(plan.fetches));
    plan.missing.iter().for_each(|uri| row("not there", Some(plain(uri))));
    text + &left_out(plan)
}

fn left_out(plan: &PlanDocument) -> String {
    let mut text = String::new();
    if !plan.skipped.is_empty() {
        let mut rows = table(&["SKIPPED", "", "LINE", "WHY"]);
        for skipped in &plan.skipped {
            let line = skipped.line.to_string();
            rows.add_row([skipped.kind.as_str(), &plain(&skipped.what), &line, &skipped.reason]);
        }
        text = text + "\n" + &drawn(&rows);
    }
    if !plan.dropped.is_empty() {
        let mut rows = table(&["DROPPED", "LINE", "WHY"]);
        for dropped in &plan.dropped {
            rows.add_row([plain(&dropped.what), dropped.line.to_string(), dropped.reason.clone()]);
        }
        text = text + "\n" + &drawn(&rows);
    }
    text
}
