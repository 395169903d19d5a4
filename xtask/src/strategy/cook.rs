//! From a recipe to a tree: what makes no sense where it stands becomes something plainer.

mod track;
mod low_latency;
mod lines;

use std::collections::HashMap;

use super::recipe::{Extras, Note, Recipe, RenditionRecipe, Spelling, Subject, VariantRecipe};
use crate::tree::{
    AttributeValue, Body, ClosedCaptions, Define, FileId, Key, Kind, Link, Location, MediaPlaylist, Method,
    Multivariant, Offset, PlaylistId, PlaylistType, Range, Rendition, Segment, SessionData, SessionValue,
    Start, Tag, Tree, UriForm, Variant,
};

pub(super) use lines::{NAMES, NOTES};

/// Every file name has this in it, so that a variable can stand for it.
const STEM: &str = "seg";
const VARIABLE: &str = "s";

const CODECS: [&str; 3] = ["avc1.64001f,mp4a.40.2", "hvc1.2.4.L120.90, mp4a.40.2", "avc1.4d401e"];
const LANGUAGES: [Option<&str>; 6] = [None, Some("en"), Some("eng"), Some("fr-CA"), Some("und"), Some("")];

pub(super) fn tree(recipe: &Recipe) -> Tree {
    let names: Vec<String> = (0..recipe.hosts.max(1)).map(|host| format!("h{host}")).collect();
    let tree = Tree { seed: recipe.seed, hosts: names, ..Tree::default() };
    let mut kitchen = Kitchen { tree, subject: recipe.subject, keys: HashMap::new() };
    match recipe.subject {
        Subject::Multivariant => kitchen.multivariant(recipe),
        Subject::BareMedia => {
            if let Some(variant) = recipe.variants.first() {
                kitchen.track("t0", 0, &variant.track);
            }
        }
    }
    kitchen.tree
}

/// A tree in the making.
struct Kitchen {
    tree: Tree,
    subject: Subject,
    keys: HashMap<Location, FileId>,
}

impl Kitchen {
    fn multivariant(&mut self, recipe: &Recipe) {
        let variants = self.variants(recipe);
        let renditions: Vec<Rendition> = recipe
            .renditions
            .iter()
            .enumerate()
            .map(|(number, rendition)| self.rendition(number, rendition))
            .collect();
        let variants = variants.into_iter().map(|variant| with_groups(variant, &renditions)).collect();
        let extras = &recipe.extras;
        let multivariant = Multivariant {
            location: Location::new(0, "/a/master.m3u8"),
            style: extras.text.style,
            version: Some(11),
            independent_segments: true,
            start: extras.text.start.then(|| Start { time_offset: "-12.500".to_owned(), precise: true }),
            // Always there, so that any media playlist may import it.
            defines: vec![Define::Value { name: VARIABLE.to_owned(), value: STEM.to_owned() }],
            head: extras.text.notes.iter().map(|note| lines::note(*note)).collect(),
            renditions,
            variants,
            ..Multivariant::default()
        };
        let i_frame_variants = extras.i_frames.then(|| self.i_frames()).flatten().into_iter().collect();
        self.tree.multivariant =
            Some(Multivariant { i_frame_variants, ..self.with_extras(extras, multivariant) });
    }

    fn variants(&mut self, recipe: &Recipe) -> Vec<Variant> {
        let mut variants: Vec<Variant> = Vec::new();
        for (number, variant) in recipe.variants.iter().enumerate() {
            let previous = variants.last().map(|variant| variant.uri.to);
            let own = || self.track(&format!("v{number}"), variant.spelling.host, &variant.track);
            let playlist = previous.filter(|_| variant.shares).unwrap_or_else(own);
            variants.push(variant_of(variant, playlist));
        }
        variants
    }

    fn rendition(&mut self, number: usize, recipe: &RenditionRecipe) -> Rendition {
        let captions = recipe.kind == Kind::ClosedCaptions;
        // Subtitles without a URI are against the rules; captions with one, too.
        let muxed = captions || (recipe.track.is_none() && recipe.kind != Kind::Subtitles);
        let track = recipe.track.as_ref().filter(|_| !muxed);
        let host = recipe.spelling.host;
        let playlist = track.map(|track| self.track(&format!("r{number}"), host, track));
        let kind = if playlist.is_none() && !muxed { Kind::Audio } else { recipe.kind };
        let language = LANGUAGES.get(recipe.language % LANGUAGES.len()).copied().flatten();
        Rendition {
            language: language.map(str::to_owned),
            uri: playlist.map(|playlist| link(playlist, recipe.spelling)),
            default: number == 0,
            autoselect: number < 2,
            instream_id: captions.then(|| format!("CC{}", number % 4 + 1)),
            channels: (kind == Kind::Audio).then(|| "2".to_owned()),
            ..Rendition::new(kind, group(kind), &format!("name {number}, {kind:?}"))
        }
    }

    fn with_extras(&mut self, extras: &Extras, mut multivariant: Multivariant) -> Multivariant {
        if extras.session_keys {
            multivariant.session_keys = vec![lines::fairplay(0), lines::widevine(0), self.session_key()];
        }
        if extras.session_data {
            let json = Body::Stored(br#"{"chapters":[]}"#.as_slice().into());
            let file = self.tree.add_file(Location::new(0, "/a/session/data.json"), json);
            let data = |id: &str, value| SessionData { id: id.to_owned(), value, language: None };
            let title = SessionValue::Text("A title, with a comma".to_owned());
            let title = SessionData { language: Some("en".to_owned()), ..data("com.acme.title", title) };
            let chapters = data("com.acme.chapters", SessionValue::File(Link::relative(file)));
            multivariant.session_data = vec![title, chapters];
        }
        if extras.steering {
            let steering = Body::Stored(br#"{"VERSION":1,"TTL":300}"#.as_slice().into());
            let file = self.tree.add_file(Location::new(0, "/steering.json"), steering);
            multivariant.content_steering = Some(Link::new(file, UriForm::RootRelative));
        }
        multivariant
    }

    fn session_key(&mut self) -> Key {
        let file = self.key_file(0, Spelling::default());
        Key::file(Method::Aes128, Link::new(file, UriForm::RootRelative), None)
    }

    /// A key file; the same for the same number, host and query, whichever track asks.
    fn key_file(&mut self, number: u8, spelling: Spelling) -> FileId {
        let query = if spelling.query { "?token=once" } else { "" };
        let location = Location::new(self.host(spelling), format!("/keys/{number}.key{query}"));
        if let Some(known) = self.keys.get(&location) {
            return *known;
        }
        let file = self.tree.add_file(location.clone(), Body::Noise(16));
        self.keys.insert(location, file);
        file
    }

    fn host(&self, spelling: Spelling) -> usize {
        spelling.host % self.tree.hosts.len().max(1)
    }

    /// An I-frame playlist over the first media playlist's files, where each of them is there and clear.
    fn i_frames(&mut self) -> Option<Variant> {
        let video = self.tree.playlists.first()?;
        let segments: Option<Vec<Segment>> =
            video.segments.iter().map(|segment| self.i_frame(segment)).collect();
        let playlist = MediaPlaylist {
            location: Location::new(0, "/a/i/index.m3u8"),
            version: Some(6),
            playlist_type: Some(PlaylistType::Vod),
            end_list: true,
            i_frames_only: true,
            segments: segments?,
            ..MediaPlaylist::default()
        };
        let playlist = self.tree.add_playlist(playlist);
        Some(Variant::new(Link::relative(playlist), 40_000))
    }

    fn i_frame(&self, segment: &Segment) -> Option<Segment> {
        let whole = self.tree.file(segment.uri.to)?.body.len()?;
        let (offset, length) = segment.range.map_or((0, whole), |range| (range.offset, range.length));
        let mut before = Vec::new();
        for tag in &segment.before {
            match tag {
                Tag::Key(_) => return None,
                Tag::Map(map) => {
                    let uri = Link::relative(map.uri.to);
                    before.push(Tag::Map(crate::tree::MapTag { uri, range: map.range }));
                }
                Tag::Discontinuity
                | Tag::Gap
                | Tag::ProgramDateTime(_)
                | Tag::Bitrate(_)
                | Tag::DateRange(_)
                | Tag::LowLatency(_)
                | Tag::Raw(_) => {}
            }
        }
        let range = Some(Range { offset, length: length.min(100), written: Offset::Explicit });
        let uri = Link::relative(segment.uri.to);
        Some(Segment { before, duration: segment.duration, title: String::new(), uri, range })
    }
}

fn link<T>(to: T, spelling: Spelling) -> Link<T> {
    let fragment = spelling.fragment.then(|| "t=1".to_owned());
    Link { to, form: spelling.form, fragment, variable: None }
}

fn variant_of(recipe: &VariantRecipe, playlist: PlaylistId) -> Variant {
    let bandwidth = recipe.kilobits * 1000;
    let states = |number: usize| recipe.attributes >= number;
    let quoted = |name: &str, text: &str| (name.to_owned(), AttributeValue::Quoted(text.to_owned()));
    let plain = |name: &str, text: &str| (name.to_owned(), AttributeValue::Plain(text.to_owned()));
    let codecs = CODECS.get(recipe.attributes % CODECS.len()).copied();
    let mut attributes = Vec::new();
    if states(4) {
        attributes.push(plain("VIDEO-RANGE", "SDR"));
        attributes.push(quoted("STABLE-VARIANT-ID", &format!("id-{}", recipe.kilobits)));
    }
    if states(5) {
        attributes.push(quoted("X-ACME-NOTE", "a,b=c"));
    }
    Variant {
        codecs: states(1).then_some(codecs).flatten().map(str::to_owned),
        resolution: states(2).then_some((recipe.height * 16 / 9 + 1, recipe.height)),
        average_bandwidth: states(3).then_some(bandwidth / 5 * 4),
        frame_rate: states(3).then(|| if states(5) { "29.970" } else { "25" }.to_owned()),
        attributes,
        ..Variant::new(link(playlist, recipe.spelling), bandwidth)
    }
}

/// Names the groups that some rendition is in.
fn with_groups(variant: Variant, renditions: &[Rendition]) -> Variant {
    let named = |kind: Kind| {
        let known = renditions.iter().any(|rendition| rendition.kind == kind);
        known.then(|| group(kind).to_owned())
    };
    let captions = named(Kind::ClosedCaptions).map(ClosedCaptions::Group);
    Variant {
        audio: named(Kind::Audio),
        video: named(Kind::Video),
        subtitles: named(Kind::Subtitles),
        closed_captions: captions.or(Some(ClosedCaptions::None)),
        ..variant
    }
}

const fn group(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "aud",
        Kind::Video => "vid",
        Kind::Subtitles => "sub",
        Kind::ClosedCaptions => "cc",
    }
}

/// A line that says nothing to a player.
fn note_tag(note: Note) -> Tag {
    Tag::Raw(lines::note(note))
}
