//! New playlists, line by line.

use crate::attributes::AttributeValue;
use crate::error::{Error, ErrorKind};

/// A playlist that is being written. It begins with `#EXTM3U`; every line ends with `\n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composer {
    text: Vec<u8>,
}

impl Default for Composer {
    fn default() -> Self {
        Self::new()
    }
}

impl Composer {
    /// A playlist with nothing but its first line.
    #[must_use]
    pub fn new() -> Self {
        Self { text: b"#EXTM3U\n".to_vec() }
    }

    /// Adds a line as it is, such as one kept from another playlist.
    ///
    /// # Errors
    /// [`ErrorKind::UnfitText`] for a line end inside.
    pub fn line(&mut self, line: impl AsRef<[u8]>) -> Result<&mut Self, Error> {
        if memchr::memchr2(b'\n', b'\r', line.as_ref()).is_some() {
            return Err(Error::new(ErrorKind::UnfitText));
        }
        self.text.extend_from_slice(line.as_ref());
        self.text.push(b'\n');
        Ok(self)
    }

    /// Adds a tag without a value: `EXT-X-ENDLIST`.
    ///
    /// # Errors
    /// [`ErrorKind::UnfitText`] for what is no tag name.
    pub fn flag(&mut self, name: &str) -> Result<&mut Self, Error> {
        check(is_tag(name))?;
        self.line(format!("#{name}"))
    }

    /// Adds a tag with a value: `EXT-X-VERSION`, 6.
    ///
    /// # Errors
    /// [`ErrorKind::UnfitText`] for what is no tag name, or control characters in the value.
    pub fn tag(&mut self, name: &str, value: impl std::fmt::Display) -> Result<&mut Self, Error> {
        let line = format!("#{name}:{value}");
        check(is_tag(name) && !line.contains(char::is_control))?;
        self.line(line)
    }

    /// Adds a tag with an attribute list.
    ///
    /// # Errors
    /// [`ErrorKind::UnfitText`] for what is no name, a quote inside quotes, a comma or blank outside them, control
    /// characters, or no attributes.
    pub fn attributes(
        &mut self,
        name: &str,
        list: &[(&str, AttributeValue<'_>)],
    ) -> Result<&mut Self, Error> {
        check(!list.is_empty() && list.iter().all(|(name, value)| is_word(name) && fits(*value)))?;
        let written: Vec<String> = list
            .iter()
            .map(|(name, value)| match value {
                AttributeValue::Quoted(text) => format!("{name}=\"{text}\""),
                AttributeValue::Unquoted(text) => format!("{name}={text}"),
            })
            .collect();
        self.tag(name, written.join(","))
    }

    /// Adds a URI line.
    ///
    /// # Errors
    /// [`ErrorKind::UnfitText`] for what would not be read back as this URI.
    pub fn uri(&mut self, uri: &str) -> Result<&mut Self, Error> {
        let fits = !uri.is_empty() && !uri.starts_with('#') && uri.trim() == uri;
        check(fits && !uri.contains(char::is_control))?;
        self.line(uri)
    }

    /// The playlist.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.text
    }
}

fn check(fits: bool) -> Result<(), Error> {
    if fits { Ok(()) } else { Err(Error::new(ErrorKind::UnfitText)) }
}

fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_tag(name: &str) -> bool {
    name.starts_with("EXT") && is_word(name)
}

fn fits(value: AttributeValue<'_>) -> bool {
    match value {
        AttributeValue::Quoted(text) => !text.contains('"'),
        AttributeValue::Unquoted(text) => !text.is_empty() && !text.contains(['"', ',', ' ']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttributeValue::{Quoted, Unquoted};

    #[test]
    fn what_is_composed_is_what_is_read_back() {
        let mut composer = Composer::new();
        composer.tag("EXT-X-VERSION", 6).unwrap();
        composer.line("#EXT-X-UNKNOWN:kept, as \"it\" was").unwrap();
        let list = [("BANDWIDTH", Unquoted("1000")), ("CODECS", Quoted("avc1.4d401e,mp4a.40.2"))];
        composer.attributes("EXT-X-STREAM-INF", &list).unwrap().uri("video/0.m3u8").unwrap();
        composer.flag("EXT-X-INDEPENDENT-SEGMENTS").unwrap();
        let text = composer.finish();
        let expected = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-UNKNOWN:kept, as \"it\" was\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS=\"avc1.4d401e,mp4a.40.2\"\nvideo/0.m3u8\n\
            #EXT-X-INDEPENDENT-SEGMENTS\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn nothing_breaks_out_of_its_line_quotes_or_place() {
        let mut composer = Composer::new();
        assert!(composer.line("a\nb").is_err());
        assert!(composer.tag("EXT-X-VERSION", "6\n#EXT-X-ENDLIST").is_err());
        assert!(composer.tag("VERSION", 6).is_err());
        assert!(composer.flag("EXT-X-ENDLIST:").is_err());
        for uri in ["", "#x", " x", "x\r"] {
            assert!(composer.uri(uri).is_err(), "{uri:?}");
        }
        for value in [Quoted("a\"b"), Unquoted("a,b"), Unquoted(""), Quoted("a\nb")] {
            assert!(composer.attributes("EXT-X-MAP", &[("URI", value)]).is_err(), "{value:?}");
        }
        assert!(composer.attributes("EXT-X-MAP", &[]).is_err());
        assert_eq!(composer.finish(), b"#EXTM3U\n");
    }
}
