//! How far the items are: bars on a terminal, now and then a line elsewhere, or nothing.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use dtg_core::{Event, ItemId, Progress as Figures};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Chatter;
use crate::output::{Out, bytes, playing_time};

/// Steps of a bar: the fraction is known better than the bytes.
const STEPS: u64 = 1000;

/// A line an item is written at most this often.
const PAUSE: Duration = Duration::from_secs(1);

/// Where progress goes.
pub(crate) enum Progress {
    Bars(MultiProgress, BTreeMap<ItemId, ProgressBar>),
    Lines(BTreeMap<ItemId, Told>),
    Silent,
}

/// The last line of an item.
pub(crate) struct Told {
    at: Instant,
    percent: u64,
}

impl Progress {
    /// Bars when stderr is a terminal, lines when it isn't.
    pub(crate) fn new(chatter: Chatter) -> Self {
        match chatter {
            Chatter::Quiet => Self::Silent,
            Chatter::Normal if io::stderr().is_terminal() => {
                Self::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), BTreeMap::new())
            }
            Chatter::Normal => Self::Lines(BTreeMap::new()),
        }
    }

    /// Takes in what happened.
    pub(crate) fn show(&mut self, event: &Event, out: &mut Out<'_>) {
        let Event::Progress(figures) = event else { return };
        match self {
            Self::Bars(all, bars) => {
                let bar = bars.entry(figures.id.clone()).or_insert_with(|| all.add(bar(&figures.id)));
                bar.set_message(amount(figures));
                bar.set_position(thousandths(figures.fraction));
            }
            Self::Lines(told) => line(told, figures, now(), out),
            Self::Silent => {}
        }
    }

    /// Takes the bars off the terminal, so that what follows stands on lines of its own.
    pub(crate) fn end(&mut self) {
        if let Self::Bars(all, bars) = self {
            bars.values().for_each(ProgressBar::finish_and_clear);
            // A terminal that is gone needs no clearing.
            drop(all.clear());
        }
    }
}

fn bar(id: &ItemId) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:.bold} {wide_bar} {percent:>3} %  {msg}  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(STEPS).with_style(style).with_prefix(id.to_string())
}

/// A line when the percentage is another one and the last line is old enough.
fn line(told: &mut BTreeMap<ItemId, Told>, figures: &Figures, now: Instant, out: &mut Out<'_>) {
    let percent = thousandths(figures.fraction) / 10;
    let due = told
        .get(&figures.id)
        .is_none_or(|last| last.percent != percent && now.saturating_duration_since(last.at) >= PAUSE);
    if due {
        told.insert(figures.id.clone(), Told { at: now, percent });
        // Progress that nobody reads must not stop a download.
        drop(out.note(&format!("{}: {percent} %, {}", figures.id, amount(figures))));
    }
}

fn amount(figures: &Figures) -> String {
    let amount = format!("{} of about {}", bytes(figures.downloaded_bytes), bytes(figures.estimated_bytes));
    let speed = (figures.bytes_per_second > 0).then(|| format!("{}/s", bytes(figures.bytes_per_second)));
    let whole = |left: Duration| Duration::from_secs(left.as_secs());
    let left = figures.time_left.map(|left| format!("{} left", playing_time(whole(left))));
    [Some(amount), speed, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The fraction in steps of a bar.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and what is not a number becomes 0"
)]
fn thousandths(fraction: f64) -> u64 {
    ((fraction * 1000.0) as u64).min(STEPS)
}

#[expect(clippy::disallowed_methods, reason = "a driver: lines for people keep their distance in real time")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Command, Format, Invocation, Store};

    fn told_lines(steps: &[(u64, f64)]) -> String {
        let start = now();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let how = Invocation {
            command: Command::List(Store(None)),
            format: Format::Human,
            chatter: Chatter::Normal,
        };
        let mut out = Out::new(&mut stdout, &mut stderr, &how);
        let mut told = BTreeMap::new();
        for (millis, fraction) in steps {
            let figures = Figures {
                id: ItemId::new("a").unwrap(),
                downloaded_bytes: 5,
                estimated_bytes: 10,
                fraction: *fraction,
                bytes_per_second: 5,
                time_left: Some(Duration::from_secs(61)),
            };
            line(&mut told, &figures, start + Duration::from_millis(*millis), &mut out);
        }
        String::from_utf8(stderr).unwrap()
    }

    #[test]
    fn lines_come_at_most_once_a_second_and_only_on_change() {
        let lines = told_lines(&[(0, 0.0), (500, 0.1), (1000, 0.25), (2500, 0.25), (3000, 0.5)]);
        assert_eq!(
            lines,
            "a: 0 %, 5 B of about 10 B, 5 B/s, 1:01 left\na: 25 %, 5 B of about 10 B, 5 B/s, 1:01 left\na: 50 %, 5 B of about 10 B, 5 B/s, 1:01 left\n"
        );
    }

    #[test]
    fn a_strange_fraction_stays_on_the_bar() {
        assert_eq!(thousandths(f64::NAN), 0);
        assert_eq!(thousandths(-1.0), 0);
        assert_eq!(thousandths(0.5), 500);
        assert_eq!(thousandths(f64::INFINITY), STEPS);
    }
}
