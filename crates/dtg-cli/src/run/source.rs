//! Where playlists are read from: the network, this machine's files, or stdin.

use std::fs::File;
use std::io::{self, Read};

use anyhow::Context as _;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use dtg_core::Origin;
use url::Url;

use crate::args::Source;
use crate::output::public_part;

/// A file of more bytes than this is no playlist.
const LIMIT: u64 = 256 << 20;

/// The host that stands for the folder of a playlist that is a file: no such host can exist (RFC 6761 6.4).
const FOLDER_HOST: &str = "file.invalid";

/// Reads a playlist. One that is a file came from `base`, or is at home below a host that can't exist.
pub(super) fn read(source: &Source, base: Option<&Url>) -> anyhow::Result<Origin> {
    let text = match source {
        Source::Url(url) => return Ok(dtg_core::fetch_playlist(url)?),
        Source::Stdin => limited(io::stdin().lock()).context("can't read stdin")?,
        Source::File(path) => read_file(path).with_context(|| format!("can't read `{path}`"))?,
    };
    let url = base.map_or_else(|| format!("http://{FOLDER_HOST}/"), Url::to_string);
    Ok(Origin { url, text })
}

fn read_file(path: &Utf8Path) -> io::Result<Vec<u8>> {
    limited(File::open(path)?)
}

fn limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    from.take(LIMIT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {LIMIT} bytes")));
    }
    Ok(text)
}

/// Reads a playlist that another one refers to; `None` when it should be a file and there is none.
///
/// Nothing outside `folder` is read, whatever the playlist says.
pub(super) fn read_beside(folder: &Utf8Path, url: &Url) -> anyhow::Result<Option<Origin>> {
    if !is_local(url) {
        return Ok(Some(dtg_core::fetch_playlist(url.as_str())?));
    }
    let Some(path) = local_path(url) else { return Ok(None) };
    match read_file(&folder.join(&path)) {
        Ok(text) => Ok(Some(Origin { url: url.to_string(), text })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("can't read `{}`", folder.join(path))),
    }
}

/// The relative path that a URL's path stands for, if it leads nowhere else.
fn local_path(url: &Url) -> Option<Utf8PathBuf> {
    let file = Url::parse(&format!("file://{}", url.path())).ok()?;
    let path = Utf8PathBuf::from_path_buf(file.to_file_path().ok()?).ok()?;
    let inside = path.strip_prefix("/").ok()?;
    inside.components().all(|part| matches!(part, Utf8Component::Normal(_))).then(|| inside.to_owned())
}

/// How a playlist that was named is called in messages.
pub(super) fn shown(source: &Source, origin: &Origin) -> String {
    match source {
        Source::Url(_) => public_part(&origin.url),
        Source::File(path) => path.to_string(),
        Source::Stdin => "stdin".to_owned(),
    }
}

/// How a playlist beside it is called: without what may be secret.
pub(super) fn shown_beside(origin: &Origin) -> String {
    let path = Url::parse(&origin.url).ok().filter(is_local).as_ref().and_then(local_path);
    path.map_or_else(|| public_part(&origin.url), Utf8PathBuf::into_string)
}

fn is_local(url: &Url) -> bool {
    url.host_str() == Some(FOLDER_HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reference: &str, path: Option<&str>) {
        let base = Url::parse("http://file.invalid/").unwrap();
        assert_eq!(local_path(&base.join(reference).unwrap()).as_deref(), path.map(Utf8Path::new));
    }

    #[test]
    fn a_reference_stays_below_the_folder() {
        check("video/0.m3u8?token=1", Some("video/0.m3u8"));
        check("a%20b.m3u8", Some("a b.m3u8"));
        check("../../etc/passwd", Some("etc/passwd"));
        check("..%2f..%2fetc/passwd", None);
        check("/x.m3u8", Some("x.m3u8"));
    }

    #[test]
    fn too_long_a_file_is_refused() {
        let error = limited(io::repeat(0).take(LIMIT + 5)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
