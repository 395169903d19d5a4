//! What an asset download task takes of a presentation: one primary content, and others beside it.

use hls_parse::Multivariant;

use crate::options::{BitRate, Decoders, SelectionOptions, VideoCodec};
use crate::select::{SelectError, SelectedTrack, Selection, TrackSource, ranking_rate, select, video_codec};

/// A variant and the renditions that are downloaded with it.
///
/// Made from [`SelectionOptions`], it is what a manager's item with these options takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentConfiguration {
    /// What the variant is to be, the most wanted first. The first that some variant meets decides; where none
    /// is met, or there are none, the options alone do.
    pub variants: Vec<VariantPreference>,
    /// Everything else that is asked of it, as of a manager's item.
    pub options: SelectionOptions,
}

impl From<SelectionOptions> for ContentConfiguration {
    fn from(options: SelectionOptions) -> Self {
        Self { variants: Vec::new(), options }
    }
}

/// What a variant has to be at least, before what the options ask. An empty one is met by every variant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariantPreference {
    /// Its video codec, the most wanted first; empty: any, in the order that the options say.
    pub codecs: Vec<VideoCodec>,
    /// Its width in pixels.
    pub min_width: Option<u32>,
    /// Its height in pixels.
    pub min_height: Option<u32>,
    /// Its BANDWIDTH.
    pub min_bit_rate: Option<BitRate>,
}

/// What the contents take together: the first one's tracks, then what each of the others adds.
pub(crate) fn choose(
    multivariant: &Multivariant<'_>,
    contents: &[ContentConfiguration],
    decoders: &Decoders,
) -> Result<Selection, SelectError> {
    let Some((first, others)) = contents.split_first() else {
        return select(multivariant, &SelectionOptions::default(), decoders);
    };
    let mut chosen = first.choose(multivariant, decoders)?;
    for other in others {
        chosen = chosen.and(other.choose(multivariant, decoders)?);
    }
    Ok(chosen)
}

impl ContentConfiguration {
    fn choose(&self, multivariant: &Multivariant<'_>, decoders: &Decoders) -> Result<Selection, SelectError> {
        for preference in &self.variants {
            let any = || self.options.video_codecs.iter().chain(&VideoCodec::ALL).copied().collect();
            let codecs = if preference.codecs.is_empty() { any() } else { preference.codecs.clone() };
            for codec in codecs {
                let chosen = select(multivariant, &preference.over(&self.options, codec), decoders)?;
                if chosen.variants().next().is_some_and(|it| preference.is_met(codec, it, multivariant)) {
                    return Ok(chosen);
                }
            }
        }
        select(multivariant, &self.options, decoders)
    }
}

impl VariantPreference {
    /// The options with what this one asks in place of what they do.
    fn over(&self, options: &SelectionOptions, codec: VideoCodec) -> SelectionOptions {
        let mut options = options.clone();
        options.video_codecs = vec![codec];
        options.min_width = self.min_width.or(options.min_width);
        options.min_height = self.min_height.or(options.min_height);
        options.min_bit_rates.extend(self.min_bit_rate.map(|rate| (codec, rate)));
        options
    }

    /// Whether what was chosen by it is what it asks for, and not only what comes closest.
    fn is_met(&self, codec: VideoCodec, chosen: &SelectedTrack, multivariant: &Multivariant<'_>) -> bool {
        let TrackSource::Variant(index) = chosen.source else { return false };
        let Some(variant) = multivariant.variants.get(index) else { return false };
        let reaches = |size: Option<u64>, least: Option<u32>| {
            least.is_none_or(|least| size.is_some_and(|size| size >= u64::from(least)))
        };
        let rate = self.min_bit_rate.is_none_or(|least| ranking_rate(variant) >= least.0);
        rate && reaches(variant.resolution.map(|size| size.width), self.min_width)
            && reaches(variant.resolution.map(|size| size.height), self.min_height)
            && video_codec(variant).map_or(self.codecs.is_empty(), |its| its == codec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{AudioCodec, InefficientCodecs, Languages, Variants};
    use hls_parse::{ParseOptions, Playlist, parse};

    /// Variants `hevc:1080@5000` or `360@600` (avc), all with audio in English and French.
    fn playlist(variants: &str) -> String {
        let mut text = "#EXTM3U\n".to_owned();
        for (language, default) in [("en", "YES"), ("fr", "NO")] {
            text.push_str(&format!(
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"{language}\",LANGUAGE=\"{language}\",DEFAULT={default},URI=\"{language}.m3u8\"\n"
            ));
        }
        for word in variants.split_whitespace() {
            let (codec, size) = word.split_once(':').unwrap_or(("avc", word));
            let (height, rate) = size.split_once('@').unwrap();
            let codec = if codec == "hevc" { "hvc1.2.4.L123.B0" } else { "avc1.64001f" };
            let width = height.parse::<u32>().unwrap() * 16 / 9;
            text.push_str(&format!(
                "#EXT-X-STREAM-INF:BANDWIDTH={rate}000,RESOLUTION={width}x{height},CODECS=\"{codec}\",AUDIO=\"a\"\n{word}\n"
            ));
        }
        text
    }

    #[track_caller]
    fn check(variants: &str, contents: &[ContentConfiguration], expected: &str) {
        check_text(&playlist(variants), contents, expected);
    }

    #[track_caller]
    fn check_text(text: &str, contents: &[ContentConfiguration], expected: &str) {
        let parsed = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
        let Playlist::Multivariant(multivariant) = &parsed.playlist else { panic!("it lists variants") };
        let chosen = choose(multivariant, contents, &Decoders::default()).unwrap();
        let uris: Vec<_> = chosen.tracks.iter().filter_map(|track| track.uri.as_deref()).collect();
        assert_eq!(uris.join(" "), expected);
        let lines = multivariant.variants.len() + multivariant.renditions.len();
        assert_eq!(chosen.tracks.len() + chosen.skipped.len(), lines, "each is chosen or left out");
    }

    fn height(height: u32) -> VariantPreference {
        VariantPreference { min_height: Some(height), ..VariantPreference::default() }
    }

    fn content(variants: &[VariantPreference], audio: Languages) -> ContentConfiguration {
        let options = SelectionOptions { audio, ..SelectionOptions::default() };
        ContentConfiguration { variants: variants.to_vec(), options }
    }

    const LADDER: &str = "360@600 720@1500 1080@4000 hevc:720@1000";

    #[test]
    fn the_lowest_variant_that_reaches_the_least_bit_rate_is_taken_and_the_highest_where_none_does() {
        let least = |rate| SelectionOptions::at_least(BitRate(rate)).into();
        check("360@600 720@1500 1080@4000", &[least(1_000_000)], "720@1500 en.m3u8");
        check("360@600 720@1500 1080@4000", &[least(9_000_000)], "1080@4000 en.m3u8");
    }

    #[test]
    fn the_average_is_the_bit_rate_of_a_variant_that_states_no_other() {
        let text = playlist("720@1500 360@600").replace("BANDWIDTH=1500000", "AVERAGE-BANDWIDTH=1500000");
        let least =
            VariantPreference { min_bit_rate: Some(BitRate(1_000_000)), ..VariantPreference::default() };
        check_text(&text, &[content(&[least, height(300)], Languages::Default)], "720@1500 en.m3u8");
    }

    #[test]
    fn the_first_preference_that_some_variant_meets_decides() {
        let hevc = VariantPreference { codecs: vec![VideoCodec::Hevc], ..height(1080) };
        check(LADDER, &[content(&[hevc.clone(), height(700)], Languages::Default)], "hevc:720@1000 en.m3u8");
        check(LADDER, &[content(&[hevc, height(1000)], Languages::Default)], "1080@4000 en.m3u8");
        let either = VariantPreference { codecs: vec![VideoCodec::Hevc, VideoCodec::Avc], ..height(1080) };
        check(LADDER, &[content(&[either], Languages::Default)], "1080@4000 en.m3u8");
    }

    #[test]
    fn where_no_preference_is_met_the_choice_is_automatic() {
        check(LADDER, &[content(&[height(4000)], Languages::Default)], "hevc:720@1000 en.m3u8");
        check(LADDER, &[], "hevc:720@1000 en.m3u8");
    }

    #[test]
    fn auxiliary_contents_add_their_tracks_behind_the_primary_ones_once_each() {
        let french = Languages::Only(vec!["fr".into()]);
        let contents =
            [content(&[height(1080)], Languages::Default), content(&[height(1080)], french.clone())];
        check(LADDER, &contents, "1080@4000 en.m3u8 fr.m3u8");
        let contents = [content(&[height(1080)], Languages::Default), content(&[], french)];
        check(LADDER, &contents, "1080@4000 en.m3u8 hevc:720@1000 fr.m3u8");
    }

    #[test]
    fn without_preferences_a_content_is_what_an_item_with_the_same_options_takes() {
        let text = playlist(LADDER);
        let parsed = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
        let Playlist::Multivariant(multivariant) = &parsed.playlist else { panic!("it lists variants") };
        let decoders = Decoders::default();
        for options in [
            SelectionOptions { variants: Variants::All, ..Default::default() },
            SelectionOptions { variants: Variants::Heights(vec![360, 1080]), ..Default::default() },
            SelectionOptions { inefficient_codecs: InefficientCodecs::Allow, ..Default::default() },
            SelectionOptions { audio_codecs: vec![AudioCodec::Ac3], ..Default::default() },
            SelectionOptions::preferred_video_bitrate(BitRate(1_400_000)),
        ] {
            let expected = select(multivariant, &options, &decoders).unwrap();
            let chosen = choose(multivariant, &[options.into()], &decoders).unwrap();
            assert_eq!(chosen, expected);
        }
    }

    #[test]
    fn a_preference_keeps_what_else_the_options_ask() {
        let options = SelectionOptions::preferred_video_bitrate(BitRate(1_400_000));
        let avc = VariantPreference { codecs: vec![VideoCodec::Avc], ..VariantPreference::default() };
        let content = |variants| ContentConfiguration { variants, options: options.clone() };
        check(LADDER, &[content(vec![avc])], "720@1500 en.m3u8 fr.m3u8");
        // 0.7 of the rate is enough of hevc.
        check(LADDER, &[content(vec![VariantPreference::default()])], "hevc:720@1000 en.m3u8 fr.m3u8");
    }
}
