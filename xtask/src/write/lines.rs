//! Lines with the ends that a style asks for.

use std::io::{self, Write};

use crate::tree::{LastLine, LineEnds, Mark, TextStyle};

/// Writes lines; an end is written when the next line comes, so that the last may stay open.
pub(super) struct Lines<'w> {
    out: &'w mut dyn Write,
    style: TextStyle,
    written: u64,
}

impl<'w> Lines<'w> {
    pub(super) fn new(style: TextStyle, out: &'w mut dyn Write) -> io::Result<Self> {
        if style.mark == Mark::Utf8 {
            out.write_all("\u{feff}".as_bytes())?;
        }
        Ok(Self { out, style, written: 0 })
    }

    /// One line, without its end.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        if self.written > 0 {
            self.end()?;
        }
        self.written += 1;
        self.out.write_all(text.as_bytes())
    }

    /// Each line of `text`.
    pub(super) fn lines(&mut self, text: &str) -> io::Result<()> {
        text.lines().try_for_each(|line| self.line(line))
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        match self.style.last_line {
            LastLine::Ended => self.end(),
            LastLine::Open => Ok(()),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        let carriage_return = match self.style.line_ends {
            LineEnds::Lf => false,
            LineEnds::CrLf => true,
            LineEnds::Mixed => self.written % 2 == 1,
        };
        self.out.write_all(if carriage_return { b"\r\n" } else { b"\n" })
    }
}
