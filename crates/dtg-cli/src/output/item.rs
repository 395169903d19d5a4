//! Items as `list`, `info`, `download`, `resume`, `remove` and `serve` show them.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use dtg_core::{Item, ItemLocation, ItemState, StoredFailure, Track, TrackKind};
use schemars::JsonSchema;
use serde::Serialize;

use super::marker;
use super::text::{bytes, moment, playing_time, public_part, seconds};

/// One item.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Item")]
pub(crate) struct ItemView {
    /// Its id.
    pub(crate) id: String,
    /// Where it comes from, without query, fragment and user name: they may be secrets.
    url: String,
    /// Where it rests, or `in-progress`.
    state: StateName,
    /// Expected size of all its files in bytes; null until its metadata is loaded.
    estimated_bytes: Option<u64>,
    /// Bytes of it on disk.
    downloaded_bytes: u64,
    /// From 0 to 1; 1 only when completed.
    completed_fraction: f64,
    /// Playing time in seconds; null until its metadata is loaded.
    duration: Option<f64>,
    /// Tracks that could have been chosen beside the variant.
    available_tracks: Vec<TrackView>,
    /// Tracks that were chosen.
    selected_tracks: Vec<TrackView>,
    /// Fetches in its plan.
    fetches: u32,
    /// Fetches that are done.
    fetches_done: u32,
    /// Why it is interrupted or failed.
    failure: Option<FailureView>,
    /// The file that a player opens; null until it is completed.
    master: Option<String>,
    /// Whether no quota removes it.
    pinned: bool,
    /// From when on it is the first that a quota removes (RFC 3339); null: never.
    expires_at: Option<String>,
    /// When it was last said to be played (RFC 3339).
    played_at: Option<String>,
    #[serde(skip)]
    time: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "State")]
enum StateName {
    New,
    MetadataLoaded,
    InProgress,
    Paused,
    Interrupted,
    Completed,
    Failed,
}

/// A rendition or variant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Track")]
pub(super) struct TrackView {
    kind: KindName,
    /// LANGUAGE as the playlist has it.
    language: Option<String>,
    /// NAME as the playlist has it.
    title: Option<String>,
}

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "TrackKind")]
pub(super) enum KindName {
    Video,
    Audio,
    Text,
}

/// Why an item stopped.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "StoredFailure")]
struct FailureView {
    /// A short fixed word to branch on.
    code: String,
    /// The whole sentence.
    message: String,
    /// The HTTP status, where the server's answer was the reason.
    status: Option<u16>,
    /// What was being done: `metadata`, `refresh`, `store`, or the kind of file that was being fetched.
    stage: Option<String>,
    /// Scheme, host, port and path of the URL, where one was concerned.
    url: Option<String>,
    /// How often it was tried since the last progress; 0 where that was not counted.
    attempts: u32,
    /// What can be done, as a fixed word: `try-again`, `wait`, `make-room`, `check-store`, `fresh-url`,
    /// `check-url`, `license`, `other-content` or `repair`.
    remedy: String,
    /// The same as a sentence for the user.
    advice: String,
}

impl From<ItemState> for StateName {
    fn from(state: ItemState) -> Self {
        match state {
            ItemState::New => Self::New,
            ItemState::MetadataLoaded => Self::MetadataLoaded,
            ItemState::InProgress => Self::InProgress,
            ItemState::Paused => Self::Paused,
            ItemState::Interrupted => Self::Interrupted,
            ItemState::Completed => Self::Completed,
            ItemState::Failed => Self::Failed,
        }
    }
}

impl From<TrackKind> for KindName {
    fn from(kind: TrackKind) -> Self {
        match kind {
            TrackKind::Video => Self::Video,
            TrackKind::Audio => Self::Audio,
            TrackKind::Text => Self::Text,
        }
    }
}

impl From<Track> for TrackView {
    fn from(track: Track) -> Self {
        Self { kind: track.kind.into(), language: track.language, title: track.title }
    }
}

impl FailureView {
    fn words(&self) -> String {
        format!("{}; {}", self.message, self.advice)
    }
}

impl From<StoredFailure> for FailureView {
    fn from(failure: StoredFailure) -> Self {
        Self {
            code: failure.code,
            message: failure.message,
            status: failure.status,
            stage: failure.stage.map(|stage| stage.to_string()),
            url: failure.url,
            attempts: failure.attempts,
            remedy: failure.remedy.as_str().to_owned(),
            advice: failure.remedy.to_string(),
        }
    }
}

impl ItemView {
    pub(crate) fn new(item: Item, location: Option<&ItemLocation>) -> Self {
        Self {
            id: item.id.to_string(),
            url: public_part(&item.url),
            state: item.state.into(),
            estimated_bytes: item.estimated_bytes,
            downloaded_bytes: item.downloaded_bytes,
            completed_fraction: item.completed_fraction,
            duration: item.duration.map(seconds),
            available_tracks: item.available_tracks.into_iter().map(TrackView::from).collect(),
            selected_tracks: item.selected_tracks.into_iter().map(TrackView::from).collect(),
            fetches: item.fetches,
            fetches_done: item.fetches_done,
            failure: item.failure.map(FailureView::from),
            master: location.map(|location| location.master_path().into_string()),
            pinned: item.pinned,
            expires_at: item.expires_at.map(moment),
            played_at: item.played_at.map(moment),
            time: item.duration.map(playing_time),
        }
    }

    fn state(&self) -> &'static str {
        match self.state {
            StateName::New => "new",
            StateName::MetadataLoaded => "metadata-loaded",
            StateName::InProgress => "in-progress",
            StateName::Paused => "paused",
            StateName::Interrupted => "interrupted",
            StateName::Completed => "completed",
            StateName::Failed => "failed",
        }
    }

    /// `12.3 MB of about 45.6 MB`.
    fn size(&self) -> String {
        match self.estimated_bytes {
            Some(estimate) if !matches!(self.state, StateName::Completed) => {
                format!("{} of about {}", bytes(self.downloaded_bytes), bytes(estimate))
            }
            _ => bytes(self.downloaded_bytes),
        }
    }

    /// One line on how it rests, and where it plays from.
    pub(crate) fn summary(&self) -> String {
        let mut line = format!("{}: {}, {}\n", self.id, self.state(), self.size());
        if let Some(master) = &self.master {
            line.push_str(master);
            line.push('\n');
        }
        line
    }

    /// All of it, a line each.
    pub(crate) fn details(&self) -> String {
        let none = || "-".to_owned();
        let tracks =
            |tracks: &[TrackView]| tracks.iter().map(TrackView::words).collect::<Vec<_>>().join(", ");
        let rows = [
            ("id", self.id.clone()),
            ("state", self.state().to_owned()),
            ("url", self.url.clone()),
            ("size", self.size()),
            ("fetches", format!("{} of {}", self.fetches_done, self.fetches)),
            ("duration", self.time.clone().unwrap_or_else(none)),
            ("tracks", tracks(&self.selected_tracks)),
            ("available", tracks(&self.available_tracks)),
            ("failure", self.failure.as_ref().map_or_else(none, FailureView::words)),
            ("kept", if self.pinned { "pinned" } else { "-" }.to_owned()),
            ("expires", self.expires_at.clone().unwrap_or_else(none)),
            ("played", self.played_at.clone().unwrap_or_else(none)),
            ("plays from", self.master.clone().unwrap_or_else(none)),
        ];
        rows.iter().filter(|(_, value)| !value.is_empty() && value != "-").fold(
            String::new(),
            |mut text, (name, value)| {
                // Writing to a string can't fail.
                let _ = writeln!(text, "{name:<11} {value}");
                text
            },
        )
    }
}

impl TrackView {
    /// `audio fr (Français)`.
    pub(super) fn words(&self) -> String {
        let kind = self.kind.as_str();
        match (&self.language, &self.title) {
            (Some(language), Some(title)) => format!("{kind} {language} ({title})"),
            (Some(word), None) | (None, Some(word)) => format!("{kind} {word}"),
            (None, None) => kind.to_owned(),
        }
    }
}

impl KindName {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Text => "text",
        }
    }
}

/// A table in the house's looks: no lines, no wider than the terminal.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().copied());
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// A table as text, without the blanks at the ends of its lines.
pub(super) fn drawn(table: &Table) -> String {
    table.lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// What `download` and `info` print: one item.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ItemDocument<M> {
    pub(crate) schema: M,
    pub(crate) item: ItemView,
}

/// What `list` and `resume` print: items in the order they were added.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ItemsDocument<M> {
    pub(crate) schema: M,
    pub(crate) items: Vec<ItemView>,
}

impl<M> ItemsDocument<M> {
    /// A table, a line an item.
    pub(crate) fn table(&self) -> String {
        if self.items.is_empty() {
            return String::new();
        }
        let mut table = table(&["ID", "STATE", "SIZE", "TIME", "FAILURE"]);
        for item in &self.items {
            let failure = item.failure.as_ref().map(|failure| failure.message.as_str());
            table.add_row([
                item.id.as_str(),
                item.state(),
                &item.size(),
                item.time.as_deref().unwrap_or_default(),
                failure.unwrap_or_default(),
            ]);
        }
        drawn(&table)
    }
}

/// What `remove` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RemovedDocument {
    pub(crate) schema: marker::Remove,
    /// The item that is gone.
    pub(crate) removed: String,
}

/// What `serve` prints when it is ready.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ServeDocument {
    pub(crate) schema: marker::Serve,
    /// The completed items.
    pub(crate) items: Vec<Served>,
}

/// An item that can be played.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Served {
    /// The item.
    pub(crate) id: String,
    /// What a player opens, while the server runs.
    pub(crate) playback_url: String,
}

impl ServeDocument {
    /// A line an item: id and URL.
    pub(crate) fn lines(&self) -> String {
        self.items.iter().map(|item| format!("{} {}\n", item.id, item.playback_url)).collect()
    }
}
