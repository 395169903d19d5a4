//! What an origin serves: any function, a folder, or a map in memory.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use twox_hash::XxHash3_128;

use super::{Body, Request, Response};
use crate::{Error, ErrorKind};

/// What answers requests. Every `Fn(&Request) -> Response` is a site.
pub trait Site: Send + Sync + 'static {
    /// The answer, as if for a plain GET of the whole: ranges, HEAD and conditions are the origin's work.
    fn respond(&self, request: &Request) -> Response;
}

impl<F: Fn(&Request) -> Response + Send + Sync + 'static> Site for F {
    fn respond(&self, request: &Request) -> Response {
        self(request)
    }
}

/// A folder as a site: media type by extension, strong ETag, nothing outside the folder.
///
/// Names that start with a dot are not served, nor what a symbolic link leads to outside the folder. The ETag
/// of a file of at most 16 MiB is a hash of its content, made at its first request and again when its length
/// or time has changed. That of a longer one is its length and time of change, so that its first request is as
/// fast as any.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    tags: Mutex<HashMap<PathBuf, Tag>>,
}

/// The hash of a file's content, while the file looks the same.
#[derive(Debug, Clone)]
struct Tag {
    length: u64,
    modified: Option<SystemTime>,
    etag: String,
}

const HASHED: u64 = 16 * 1024 * 1024;

impl Files {
    /// Serves the files below `folder`.
    ///
    /// # Errors
    /// [`ErrorKind::Folder`] when it is not a folder.
    pub fn new(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let path = folder.as_ref();
        let failed = |source| ErrorKind::Folder { path: path.to_owned(), source };
        let root = path.canonicalize().map_err(failed)?;
        match root.is_dir() {
            true => Ok(Self { root, tags: Mutex::default() }),
            false => Err(failed(io::ErrorKind::NotADirectory.into()).into()),
        }
    }

    fn find(&self, request: &Request) -> Option<PathBuf> {
        let relative = request.path().strip_prefix('/')?;
        let mut path = self.root.clone();
        for segment in relative.split('/') {
            let name = percent_decoded(segment)?;
            if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':', '\0']) {
                return None;
            }
            path.push(name);
        }
        let path = path.canonicalize().ok()?;
        (path.starts_with(&self.root) && path.is_file()).then_some(path)
    }

    fn etag(&self, path: &Path) -> io::Result<String> {
        let metadata = fs::metadata(path)?;
        let (length, modified) = (metadata.len(), metadata.modified().ok());
        if length > HASHED
            && let Some(since) = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        {
            return Ok(format!("{length:x}-{:x}", since.as_nanos()));
        }
        let known = self.tags.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(tag) = known.filter(|tag| tag.length == length && tag.modified == modified) {
            return Ok(tag.etag);
        }
        let etag = hash_of(&mut File::open(path)?)?;
        let tag = Tag { length, modified, etag: etag.clone() };
        self.tags.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), tag);
        Ok(etag)
    }

    fn serve(&self, path: PathBuf) -> io::Result<Response> {
        let etag = self.etag(&path)?;
        let media_type = media_type(&path.to_string_lossy());
        Ok(Response::ok(Body::file(path)?).content_type(media_type).etag(&etag))
    }
}

impl Site for Files {
    fn respond(&self, request: &Request) -> Response {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Response::status(405).header("Allow", "GET, HEAD");
        }
        match self.find(request) {
            Some(path) => self.serve(path).unwrap_or_else(|_| Response::status(500)),
            None => Response::status(404),
        }
    }
}

/// A map from targets to bytes as a site: media type by extension, strong ETag from the content.
///
/// A key is a path with its leading slash (`/a/seg-1.ts`), as written on the wire or decoded; a key with a
/// query (`/seg.ts?n=2`) is found first.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<String, Held>,
}

#[derive(Debug, Clone)]
struct Held {
    bytes: Arc<[u8]>,
    etag: String,
}

impl Memory {
    /// Serves these.
    #[must_use]
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        files.into_iter().collect()
    }

    fn find(&self, request: &Request) -> Option<(&str, &Held)> {
        let path = request.path();
        let decoded = percent_decoded(path).unwrap_or_default();
        let keys = [request.target.as_str(), path, &decoded];
        let found = keys.into_iter().find_map(|key| self.files.get_key_value(key));
        found.map(|(key, file)| (key.as_str(), file))
    }
}

impl<K: Into<String>, V: Into<Vec<u8>>> FromIterator<(K, V)> for Memory {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(files: I) -> Self {
        let files = files.into_iter().map(|(target, bytes)| {
            let bytes: Arc<[u8]> = bytes.into().into();
            let etag = etag_of(&bytes);
            (target.into(), Held { bytes, etag })
        });
        Self { files: files.collect() }
    }
}

impl Site for Memory {
    fn respond(&self, request: &Request) -> Response {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Response::status(405).header("Allow", "GET, HEAD");
        }
        let Some((key, file)) = self.find(request) else { return Response::status(404) };
        let path = key.split('?').next().unwrap_or_default();
        Response::ok(Arc::clone(&file.bytes)).content_type(media_type(path)).etag(&file.etag)
    }
}

/// The media type that a path's extension stands for; `application/octet-stream` for others.
#[must_use]
pub fn media_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "m3u8" | "m3u" => "application/vnd.apple.mpegurl",
        "mpd" => "application/dash+xml",
        "ts" => "video/mp2t",
        "mp4" | "m4s" | "m4v" | "cmfv" => "video/mp4",
        "m4a" | "cmfa" => "audio/mp4",
        "aac" => "audio/aac",
        "mp3" => "audio/mpeg",
        "ac3" => "audio/ac3",
        "ec3" => "audio/eac3",
        "vtt" | "webvtt" => "text/vtt",
        "srt" => "application/x-subrip",
        "ttml" | "xml" => "application/ttml+xml",
        "json" => "application/json",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "html" => "text/html",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}

pub(super) fn etag_of(bytes: &[u8]) -> String {
    format!("{:032x}", XxHash3_128::oneshot(bytes))
}

fn hash_of(file: &mut File) -> io::Result<String> {
    let mut hasher = XxHash3_128::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(format!("{:032x}", hasher.finish_128()));
        }
        hasher.write(buffer.get(..read).unwrap_or_default());
    }
}

/// `None` for a broken escape or for what is not UTF-8 once decoded.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
