//! Kaltura's play-manifest addresses, completed before each request for a playlist.

use std::error::Error;

use dtg_core::{RequestAdapter, RequestParts, RequestRole};
use media_entry::{PlayManifest, RequestParams};

/// Adds `playSessionId`, `clientTag`, `referrer` and `playbackType=offline` to the addresses of Kaltura's play-manifest
/// service, for [`HttpSettings::adapters`](dtg_core::HttpSettings); requests for anything else stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayManifestAdapter(pub PlayManifest);

impl RequestAdapter for PlayManifestAdapter {
    fn adapt(&self, request: &mut RequestParts) -> Result<(), Box<dyn Error + Send + Sync>> {
        if request.role == RequestRole::Playlist {
            request.url = self.0.adapt(RequestParams::new(request.url.as_str())).url;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dtg_core::Role;

    #[track_caller]
    fn check(role: RequestRole, url: &str, expected: &str) {
        let (session_id, client_tag) = ("s".to_owned(), "dtg".to_owned());
        let adapter =
            PlayManifestAdapter(PlayManifest { session_id, client_tag, referrer: "app".to_owned() });
        let mut request = RequestParts { role, url: url.to_owned(), headers: Vec::new() };
        adapter.adapt(&mut request).unwrap();
        assert_eq!(request.url, expected);
    }

    #[test]
    fn only_requests_for_playlists_at_the_play_manifest_service_are_completed() {
        let playlist = RequestRole::Playlist;
        let added = "playSessionId=s&clientTag=dtg&referrer=YXBw&playbackType=offline";
        let manifest = "https://k.test/playManifest/entryId/1/a.m3u8";
        check(playlist, manifest, &format!("{manifest}?{added}"));
        check(RequestRole::Chunk(Role::Segment), manifest, manifest);
        check(playlist, "https://cdn.test/a.m3u8", "https://cdn.test/a.m3u8");
    }
}
