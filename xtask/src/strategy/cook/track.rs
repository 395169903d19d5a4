//! Media playlists: files, ranges, maps and keys.

use std::time::Duration;

use super::{Kitchen, STEM, VARIABLE, link, note_tag};
use super::{lines, low_latency};
use crate::strategy::recipe::{
    DateRangeChoice, DefineChoice, Ending, KeyChoice, MapChoice, Place, RangeChoice, SegmentRecipe, Spelling,
    Subject, TagsRecipe, TrackRecipe,
};
use crate::tree::{
    Asset, Body, DateRange, Define, FileId, Key, KeyUri, Link, Location, MapTag, MediaPlaylist, Method,
    Offset, PlaylistId, PlaylistType, Range, Segment, Start, Tag, UriForm,
};

const MAP_BYTES: u64 = 40;

/// A media playlist in the making.
pub(super) struct Track<'k> {
    pub(super) kitchen: &'k mut Kitchen,
    name: String,
    location: Location,
    /// The extension of its files, and whether a key must state its IV because there are maps.
    has_maps: bool,
    variable: Option<String>,
    made: usize,
    media: Option<FileId>,
    inits: Option<FileId>,
    maps: Vec<(FileId, Option<Range>)>,
    previous: Option<(FileId, Option<Range>)>,
    spelled: Spelling,
    family: Option<Family>,
}

/// Keys that may be in effect together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Identity,
    Drm,
}

impl Kitchen {
    /// Adds a media playlist and its files.
    pub(super) fn track(&mut self, name: &str, host: usize, recipe: &TrackRecipe) -> PlaylistId {
        let define = self.define(recipe.define);
        let query = match define {
            Some(Define::QueryParam(_)) => format!("?{VARIABLE}={STEM}&x=1"),
            Some(Define::Value { .. } | Define::Import(_)) | None => String::new(),
        };
        let host = host % self.tree.hosts.len().max(1);
        let location = Location::new(host, format!("/a/{name}/index.m3u8{query}"));
        let has_map = |segment: &SegmentRecipe| segment.tags.map.is_some();
        let track = Track {
            kitchen: &mut *self,
            name: name.to_owned(),
            location: location.clone(),
            has_maps: recipe.segments.iter().any(has_map) || recipe.tail.map.is_some(),
            variable: define.as_ref().map(|define| define.name().to_owned()),
            made: 0,
            media: None,
            inits: None,
            maps: Vec::new(),
            previous: None,
            spelled: Spelling::default(),
            family: None,
        };
        let (segments, tail) = track.segments(recipe);
        self.tree.add_playlist(MediaPlaylist {
            location,
            style: recipe.text.style,
            version: Some(11),
            media_sequence: recipe.media_sequence,
            discontinuity_sequence: recipe.discontinuity_sequence,
            playlist_type: playlist_type(recipe.ending),
            end_list: !matches!(recipe.ending, Ending::Live | Ending::OpenEvent),
            low_latency: low_latency::head(recipe),
            independent_segments: false,
            i_frames_only: false,
            start: recipe.text.start.then(|| Start { time_offset: "1.5".to_owned(), precise: false }),
            defines: define.into_iter().collect(),
            head: recipe.text.notes.iter().map(|note| lines::note(*note)).collect(),
            segments,
            run: None,
            tail,
        })
    }

    /// A media playlist that is opened directly has nothing to import.
    fn define(&self, choice: Option<DefineChoice>) -> Option<Define> {
        let value = || Define::Value { name: VARIABLE.to_owned(), value: STEM.to_owned() };
        Some(match (choice?, self.subject) {
            (DefineChoice::QueryParam, _) => Define::QueryParam(VARIABLE.to_owned()),
            (DefineChoice::Import, Subject::Multivariant) => Define::Import(VARIABLE.to_owned()),
            (DefineChoice::Import, Subject::BareMedia) | (DefineChoice::Value, _) => value(),
        })
    }

    fn grow(&mut self, file: FileId, end: u64) {
        if let Some(Body::Noise(length)) = self.tree.files.get_mut(file.0).map(|file| &mut file.body) {
            *length = end.max(*length);
        }
    }

    fn end_of(&self, file: FileId) -> u64 {
        self.tree.file(file).and_then(|file| file.body.len()).unwrap_or(0)
    }
}

impl Track<'_> {
    fn segments(mut self, recipe: &TrackRecipe) -> (Vec<Segment>, Vec<Tag>) {
        let dated = recipe.segments.iter().map(|segment| &segment.tags).chain([&recipe.tail]);
        let dated = dated.into_iter().any(|tags| tags.date_range.is_some());
        let segments: Vec<Segment> = recipe
            .segments
            .iter()
            .enumerate()
            .map(|(number, segment)| {
                // A date range needs a date to be counted from.
                let time = segment.tags.time || (dated && number == 0);
                let parts = segment.tags.parts && recipe.low_latency;
                let tags = TagsRecipe { time, parts, ..segment.tags.clone() };
                self.segment(number, &SegmentRecipe { tags, ..segment.clone() })
            })
            .collect();
        // What can only stand before a segment is left out at the end.
        let tail = TagsRecipe {
            discontinuity: false,
            gap: false,
            time: false,
            bitrate: None,
            ..recipe.tail.clone()
        };
        let mut tail = self.tags(recipe.segments.len(), &tail, Spelling::default());
        if recipe.low_latency && recipe.tail.parts {
            tail.extend(self.hint_and_reports());
        }
        (segments, tail)
    }

    fn segment(&mut self, number: usize, recipe: &SegmentRecipe) -> Segment {
        let mut before = self.tags(number, &recipe.tags, recipe.spelling);
        let (file, range) = match recipe.tags.gap {
            true => (self.own(recipe.spelling, Body::Missing), None),
            false => self.place(recipe),
        };
        self.previous = Some((file, range)).filter(|_| !recipe.tags.gap);
        self.spelled = recipe.spelling;
        if recipe.tags.parts && !recipe.tags.gap {
            before.extend(self.parts(recipe, file, range));
        }
        let title = if recipe.title { "A title, with a comma".to_owned() } else { String::new() };
        let duration = Duration::from_micros(recipe.microseconds.into());
        Segment { before, duration, title, uri: self.link(file, recipe.spelling), range }
    }

    fn place(&mut self, recipe: &SegmentRecipe) -> (FileId, Option<Range>) {
        match (recipe.place, self.previous) {
            (Place::Shared(choice), _) => self.shared(choice, recipe),
            (Place::Again, Some((file, range))) => {
                (file, range.map(|range| Range { written: Offset::Explicit, ..range }))
            }
            (Place::Own, _) | (Place::Again, None) => {
                (self.own(recipe.spelling, Body::Noise(recipe.bytes)), None)
            }
        }
    }

    fn shared(&mut self, choice: RangeChoice, recipe: &SegmentRecipe) -> (FileId, Option<Range>) {
        let file = self.media_file(recipe.spelling);
        let end = self.kitchen.end_of(file);
        let last = self.previous.filter(|(last, _)| *last == file).and_then(|(_, range)| range);
        let last_length = last.map_or(0, |range| range.length);
        let offset = match choice {
            RangeChoice::Stated | RangeChoice::Implied => end,
            RangeChoice::Overlapping => end.saturating_sub(last_length.min(recipe.bytes) / 2),
            RangeChoice::AfterAHole => end + 7,
        };
        let follows = last.is_some_and(|range| range.offset + range.length == offset);
        // Readers may take another spelling for another resource.
        let (then, now) = (self.spelled, recipe.spelling);
        let alike = (then.form, then.fragment) == (now.form, now.fragment);
        let implied = choice == RangeChoice::Implied && follows && alike;
        let written = if implied { Offset::Implied } else { Offset::Explicit };
        self.kitchen.grow(file, offset + recipe.bytes);
        (file, Some(Range { offset, length: recipe.bytes, written }))
    }

    fn media_file(&mut self, spelling: Spelling) -> FileId {
        let file = self.media.unwrap_or_else(|| self.own(spelling, Body::Noise(0)));
        self.media = Some(file);
        file
    }

    /// A file that nothing else leads to.
    pub(super) fn own(&mut self, spelling: Spelling, body: Body) -> FileId {
        let extension = if self.has_maps { "m4s" } else { "ts" };
        let name = format!("{STEM}{:03}{}.{extension}", self.made, lines::odd(spelling.name));
        self.made += 1;
        let location = self.file_location(&name, spelling);
        self.kitchen.tree.add_file(location, body)
    }

    fn file_location(&self, name: &str, spelling: Spelling) -> Location {
        let number = self.made;
        if spelling.form == UriForm::QueryOnly {
            return Location::new(self.location.host, format!("{}?{STEM}={number}", self.location.path()));
        }
        let track = &self.name;
        let folder = match spelling.folder % 3 {
            0 => format!("/a/{track}/"),
            1 => format!("/a/{track}/below/"),
            _ => format!("/a/media/{track}/"),
        };
        // Of one path, told apart by the query alone.
        let target = match spelling.query {
            true => format!("{folder}{STEM}.bin?n={number}&u=http://e.test/"),
            false => format!("{folder}{name}"),
        };
        Location::new(self.kitchen.host(spelling), target)
    }

    pub(super) fn link(&self, file: FileId, spelling: Spelling) -> Link<FileId> {
        Link { variable: self.variable.clone(), ..link(file, spelling) }
    }

    /// The lines before a segment, or at the end.
    fn tags(&mut self, number: usize, recipe: &TagsRecipe, spelling: Spelling) -> Vec<Tag> {
        let mut tags: Vec<Tag> = recipe.note.map(note_tag).into_iter().collect();
        tags.extend(recipe.discontinuity.then_some(Tag::Discontinuity));
        let keys = recipe.key.map(|key| self.keys(key, spelling)).unwrap_or_default();
        let map = recipe.map.map(|map| Tag::Map(self.map(map, spelling)));
        // Both orders occur: a map may stand before the key that is not to apply to it.
        match number % 2 {
            0 => tags.extend(keys.into_iter().chain(map)),
            _ => tags.extend(map.into_iter().chain(keys)),
        }
        tags.extend(recipe.time.then(|| time(number)));
        tags.extend(recipe.bitrate.map(Tag::Bitrate));
        tags.extend(recipe.date_range.map(|choice| Tag::DateRange(self.date_range(choice, number))));
        tags.extend(recipe.gap.then_some(Tag::Gap));
        tags
    }

    fn map(&mut self, choice: MapChoice, spelling: Spelling) -> MapTag {
        let (file, range) = match (choice, self.maps.first().copied()) {
            (MapChoice::First, Some(first)) => first,
            (MapChoice::Shared, _) => {
                let file = self.inits.unwrap_or_else(|| self.init(spelling, 0));
                self.inits = Some(file);
                self.map_range(file)
            }
            (MapChoice::InMedia, _) => {
                let file = self.media_file(spelling);
                self.map_range(file)
            }
            (MapChoice::Own, _) | (MapChoice::First, None) => (self.init(spelling, MAP_BYTES), None),
        };
        self.maps.push((file, range));
        MapTag { uri: self.link(file, spelling), range }
    }

    /// The next bytes of a file.
    fn map_range(&mut self, file: FileId) -> (FileId, Option<Range>) {
        let offset = self.kitchen.end_of(file);
        self.kitchen.grow(file, offset + MAP_BYTES);
        (file, Some(Range { offset, length: MAP_BYTES, written: Offset::Explicit }))
    }

    fn init(&mut self, spelling: Spelling, length: u64) -> FileId {
        let name = format!("init-{STEM}{:03}.mp4", self.made);
        self.made += 1;
        let location = self.file_location(&name, spelling);
        self.kitchen.tree.add_file(location, Body::Noise(length))
    }

    /// Key lines, behind METHOD=NONE where others of another kind are in effect.
    fn keys(&mut self, choice: KeyChoice, spelling: Spelling) -> Vec<Tag> {
        let (family, keys) = match choice {
            KeyChoice::Clear => (None, vec![Key::NONE]),
            KeyChoice::Aes128(number, iv) => {
                let iv = if self.has_maps { Some(iv.unwrap_or(9)) } else { iv };
                (Some(Family::Identity), vec![self.key_file(Method::Aes128, number, iv, spelling)])
            }
            KeyChoice::SampleAes(number, iv) => {
                (Some(Family::Identity), vec![self.key_file(Method::SampleAes, number, Some(iv), spelling)])
            }
            KeyChoice::Data(number) => (Some(Family::Identity), vec![data_key(number)]),
            KeyChoice::Drm(number) => (Some(Family::Drm), drm(number)),
            KeyChoice::DrmAndIdentity(number) => {
                let identity = self.key_file(Method::SampleAes, number, Some(number), spelling);
                let identity = Key { format: Some("identity".to_owned()), ..identity };
                (Some(Family::Drm), drm(number).into_iter().chain([identity]).collect())
            }
        };
        let clears = self.family.is_some() && family.is_some() && family != self.family;
        self.family = family;
        let clear = clears.then_some(Key::NONE);
        clear.into_iter().chain(keys).map(Tag::Key).collect()
    }

    fn key_file(&mut self, method: Method, number: u8, iv: Option<u8>, spelling: Spelling) -> Key {
        let file = self.kitchen.key_file(number, spelling);
        Key::file(method, link(file, spelling), iv.map(|byte| [byte; 16]))
    }

    fn date_range(&mut self, choice: DateRangeChoice, number: usize) -> DateRange {
        let asset = match choice {
            DateRangeChoice::Plain => None,
            DateRangeChoice::AssetUri => Some(Asset::Uri(self.asset("ad.m3u8"))),
            DateRangeChoice::AssetList => Some(Asset::List(self.asset("ads.json"))),
        };
        DateRange {
            id: format!("{}-{number}", self.name),
            class: asset.as_ref().map(|_| "com.apple.hls.interstitial".to_owned()),
            start: "2026-01-02T03:04:05.678Z".to_owned(),
            duration: Some("15.5".to_owned()),
            asset,
            attributes: vec!["X-COM-ACME-N=\"1,2\"".to_owned(), "SCTE35-OUT=0xFC002F".to_owned()],
        }
    }

    /// What an interstitial leads to is not there: nothing may ask for it.
    fn asset(&mut self, name: &str) -> Link<FileId> {
        let location = Location::new(self.location.host, format!("/ads/{}/{}-{name}", self.name, self.made));
        self.made += 1;
        Link::new(self.kitchen.tree.add_file(location, Body::Missing), UriForm::Absolute)
    }
}

const fn playlist_type(ending: Ending) -> Option<PlaylistType> {
    match ending {
        Ending::Vod => Some(PlaylistType::Vod),
        Ending::Event | Ending::OpenEvent => Some(PlaylistType::Event),
        Ending::Untyped | Ending::Live | Ending::Delta => None,
    }
}

fn time(number: usize) -> Tag {
    Tag::ProgramDateTime(format!("2026-01-02T03:04:{:02}.5+01:00", number % 60))
}

fn drm(number: u8) -> Vec<Key> {
    vec![lines::fairplay(number), lines::widevine(number), lines::playready(number)]
}

fn data_key(number: u8) -> Key {
    let text = format!("data:application/octet-stream;base64,{}", lines::base64_of(number));
    Key { method: Method::Aes128, uri: Some(KeyUri::Text(text)), iv: Some([number; 16]), ..Key::NONE }
}
