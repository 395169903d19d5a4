//! Where a plan's resources are fetched from.

use hls_parse::{ParseOptions, Playlist, Variables};
use url::Url;

use super::inputs::base_of;
use super::{Origin, OriginSet, Plan, PlanError};
use crate::error::public_part;
use crate::item::Sidecar;
use crate::resource::UriRef;

/// The URLs of a plan's resources: the plan itself only points into the origin's playlists.
#[derive(Debug)]
pub struct Locator {
    origins: Vec<Located>,
    sidecars: Vec<Sidecar>,
}

/// A playlist, ready to resolve its URIs.
#[derive(Debug)]
struct Located {
    text: Vec<u8>,
    base: Url,
    /// Only where the playlist defines any.
    variables: Option<Variables>,
}

impl Locator {
    /// Reads what is needed to resolve URIs: final URLs, and variables where there are any.
    ///
    /// # Errors
    /// [`PlanError`] when a playlist's URL or its definitions can't be read.
    pub fn new(origins: OriginSet, sidecars: Vec<Sidecar>) -> Result<Self, PlanError> {
        let entry = Located::new(origins.entry, None)?;
        let imports = entry.variables.clone();
        let media = origins.media.into_iter().map(|origin| Located::new(origin, imports.as_ref()));
        let origins = std::iter::once(Ok(entry)).chain(media).collect::<Result<_, _>>()?;
        Ok(Self { origins, sidecars })
    }

    /// Where a resource of `plan` is fetched from: http, https or data.
    ///
    /// # Errors
    /// [`PlanError::InvalidUri`] when the playlists are not those that the plan was made from.
    pub fn url_of(&self, plan: &Plan, resource: u32) -> Result<Url, PlanError> {
        let found = usize::try_from(resource).ok().and_then(|at| plan.resources.get(at));
        let missing = || PlanError::InvalidUri { playlist: String::new(), line: 0 };
        match found.ok_or_else(missing)?.uri {
            UriRef::Playlist { origin, span } => {
                let origin = usize::try_from(origin).ok().and_then(|at| self.origins.get(at));
                origin.ok_or_else(missing)?.resolve(span)
            }
            UriRef::Entry => Ok(self.origins.first().ok_or_else(missing)?.url()),
            UriRef::Sidecar(index) => {
                let sidecar = usize::try_from(index).ok().and_then(|at| self.sidecars.get(at));
                let url = &sidecar.ok_or_else(missing)?.url;
                Url::parse(url).map_err(|_| PlanError::InvalidUri { playlist: public_part(url), line: 0 })
            }
        }
    }
}

impl Located {
    fn new(origin: Origin, imports: Option<&Variables>) -> Result<Self, PlanError> {
        let variables = if defines(&origin.text) { Some(variables_of(&origin, imports)?) } else { None };
        Ok(Self { base: base_of(&origin)?, text: origin.text, variables })
    }

    fn url(&self) -> Url {
        let mut url = self.base.clone();
        url.set_fragment(None);
        url
    }

    fn resolve(&self, span: hls_parse::Span) -> Result<Url, PlanError> {
        let invalid = || PlanError::InvalidUri { playlist: public_part(self.base.as_str()), line: 0 };
        let written = str::from_utf8(span.of(&self.text)).map_err(|_| invalid())?;
        let reference = match &self.variables {
            Some(variables) => variables.substitute(written).map_err(|_| invalid())?,
            None => written.into(),
        };
        let mut url = hls_parse::resolve(&self.base, &reference).map_err(|_| invalid())?;
        url.set_fragment(None);
        Ok(url)
    }
}

fn defines(text: &[u8]) -> bool {
    let tag = b"#EXT-X-DEFINE";
    text.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(tag))
}

fn variables_of(origin: &Origin, imports: Option<&Variables>) -> Result<Variables, PlanError> {
    let options = ParseOptions { url: Some(&origin.url), imports, ..ParseOptions::default() };
    let invalid = |_| PlanError::InvalidUri { playlist: public_part(&origin.url), line: 0 };
    let parsed = hls_parse::parse(&origin.text, &options).map_err(invalid)?;
    Ok(match parsed.playlist {
        Playlist::Multivariant(multivariant) => multivariant.variables,
        Playlist::Media(media) => media.variables,
    })
}
