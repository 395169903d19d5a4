//! Rules that a playlist as a whole keeps or breaks, judged once it is read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use super::context::Context;
use crate::diagnose::Rule;
use crate::error::Error;
use crate::low_latency::ServerControl;
use crate::media::MediaPlaylist;
use crate::multivariant::{ClosedCaptions, MediaKind, Multivariant, Variant};

/// The newest protocol version whose rules are known.
const NEWEST: u32 = 13;

pub(super) fn media(
    context: &mut Context<'_, '_>,
    playlist: &MediaPlaylist<'_>,
    longest: Duration,
) -> Result<(), Error> {
    match playlist.target_duration {
        None => context.odd_as_a_whole(Rule::NoTargetDuration)?,
        Some(target) if rounded(longest) > target => {
            if let Some(first) = playlist.segments.iter().find(|it| rounded(it.duration) > target) {
                context.odd_at(first.line, first.uri.span, Rule::LongerThanTarget)?;
            }
        }
        Some(_) => {}
    }
    if !playlist.maps.is_empty() {
        context.needs_version(if playlist.i_frames_only { 5 } else { 6 });
    }
    parts(context, playlist)?;
    server_control(context, playlist)?;
    version(context, playlist.version)
}

/// To the nearest second, as target durations are compared (RFC 8216 4.3.3.1).
const fn rounded(duration: Duration) -> Duration {
    Duration::from_secs(duration.saturating_add(Duration::from_millis(500)).as_secs())
}

/// rfc8216bis 8: what is used needs a version; a playlist that states none has version 1.
fn version(context: &mut Context<'_, '_>, stated: Option<u32>) -> Result<(), Error> {
    let stated = stated.unwrap_or(1);
    if stated < context.version_needed {
        context.odd_as_a_whole(Rule::Version)?;
    }
    if stated > NEWEST {
        context.odd_as_a_whole(Rule::FutureVersion)?;
    }
    Ok(())
}

/// rfc8216bis 4.4.3.7.
fn parts(context: &mut Context<'_, '_>, playlist: &MediaPlaylist<'_>) -> Result<(), Error> {
    let Some(target) = playlist.part_inf else {
        return if playlist.parts.is_empty() { Ok(()) } else { context.odd_as_a_whole(Rule::NoPartInf) };
    };
    match playlist.parts.iter().find(|part| part.duration > target) {
        Some(part) => context.odd_at(part.tag_line, part.tag, Rule::LongerThanPartTarget),
        None => Ok(()),
    }
}

/// rfc8216bis 4.4.3.8.
fn server_control(context: &mut Context<'_, '_>, playlist: &MediaPlaylist<'_>) -> Result<(), Error> {
    let (target, part) = (playlist.target_duration, playlist.part_inf);
    let control = playlist.server_control.as_ref();
    let stated = |of: fn(&ServerControl) -> Option<Duration>| control.and_then(of);
    let below = |value: Option<Duration>, unit: Option<Duration>, times: u32| {
        value.zip(unit).is_some_and(|(value, unit)| value < unit.saturating_mul(times))
    };
    let part_hold_back = stated(|it| it.part_hold_back);
    let faults = [
        (below(stated(|it| it.hold_back), target, 3), Rule::HoldBack),
        (below(stated(|it| it.can_skip_until), target, 6), Rule::SkipBoundary),
        (below(part_hold_back, part, 2), Rule::PartHoldBack),
        (part.is_some() && part_hold_back.is_none(), Rule::NoPartHoldBack),
    ];
    faults.into_iter().filter(|(broken, _)| *broken).try_for_each(|(_, rule)| match control {
        Some(control) => context.odd_at(control.tag_line, control.tag, rule),
        None => context.odd_as_a_whole(rule),
    })
}

pub(super) fn multivariant(context: &mut Context<'_, '_>, playlist: &Multivariant<'_>) -> Result<(), Error> {
    renditions(context, playlist)?;
    groups(context, playlist)?;
    closed_captions(context, &playlist.variants)?;
    session(context, playlist)?;
    version(context, playlist.version)
}

/// Names differ within a group, and at most one is the default (RFC 8216 4.3.4.1.1).
fn renditions(context: &mut Context<'_, '_>, playlist: &Multivariant<'_>) -> Result<(), Error> {
    let (mut names, mut defaults) = (HashSet::new(), HashSet::new());
    for rendition in &playlist.renditions {
        let group = (rendition.kind, &*rendition.group_id);
        if !names.insert((group, &*rendition.name)) {
            context.odd_at(rendition.tag_line, rendition.tag, Rule::RenditionName)?;
        }
        if rendition.default && !defaults.insert(group) {
            context.odd_at(rendition.tag_line, rendition.tag, Rule::TwoDefaults)?;
        }
    }
    Ok(())
}

/// Every group that a variant names has a rendition (RFC 8216 4.3.4.2).
fn groups(context: &mut Context<'_, '_>, playlist: &Multivariant<'_>) -> Result<(), Error> {
    let groups: HashSet<_> = playlist.renditions.iter().map(|it| (it.kind, &*it.group_id)).collect();
    let missing = |(kind, group): (MediaKind, Option<&Cow<'_, str>>)| {
        group.is_some_and(|group| !groups.contains(&(kind, &**group)))
    };
    for variant in playlist.variants.iter().chain(&playlist.i_frame_variants) {
        let captions = match &variant.closed_captions {
            Some(ClosedCaptions::Group(group)) => Some(group),
            Some(ClosedCaptions::None) | None => None,
        };
        let named = [
            (MediaKind::Audio, variant.audio.as_ref()),
            (MediaKind::Video, variant.video.as_ref()),
            (MediaKind::Subtitles, variant.subtitles.as_ref()),
            (MediaKind::ClosedCaptions, captions),
        ];
        if named.into_iter().any(missing) {
            context.odd_at(variant.tag_line, variant.tag, Rule::MissingGroup)?;
        }
    }
    Ok(())
}

/// CLOSED-CAPTIONS=NONE stands on all variants or on none (RFC 8216 4.3.4.2).
fn closed_captions(context: &mut Context<'_, '_>, variants: &[Variant<'_>]) -> Result<(), Error> {
    let none = |variant: &&Variant<'_>| variant.closed_captions == Some(ClosedCaptions::None);
    let other = variants.iter().find(|variant| !none(variant));
    match other.filter(|_| variants.iter().any(|variant| none(&variant))) {
        Some(other) => context.odd_at(other.tag_line, other.tag, Rule::CaptionsNone),
        None => Ok(()),
    }
}

/// Session data and keys differ from each other (RFC 8216 4.3.4.4, 4.3.4.5).
fn session(context: &mut Context<'_, '_>, playlist: &Multivariant<'_>) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for data in &playlist.session_data {
        if !seen.insert((&*data.data_id, data.language.as_deref())) {
            context.odd_at(data.tag_line, data.tag, Rule::SessionDataTwice)?;
        }
    }
    let mut seen = HashSet::new();
    for key in &playlist.session_keys {
        let uri = key.uri.as_ref().map(crate::value::Uri::as_str);
        if !seen.insert((&key.method, uri, key.iv, &*key.key_format, key.key_format_versions.as_deref())) {
            context.odd_at(key.line, key.tag, Rule::SessionKeyTwice)?;
        }
    }
    Ok(())
}
