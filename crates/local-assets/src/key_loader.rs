//! The keys that a download meets, obtained by the engine.

use std::time::Duration;

use dtg_core::{Cancellation, KeyLoadError, KeyLoader, KeyRequest};
use fairplay_keys::{Cancel, Engine, KEY_FORMAT, KeyError, KeyErrorKind, KeyUri, LicenseSource};

use crate::fair_play::asset_of;

/// Obtains the FairPlay keys that a download meets, and keeps them under the asset's id.
#[derive(Debug, Clone)]
pub(crate) struct FairPlayKeyLoader {
    pub(crate) engine: Engine,
    pub(crate) license: LicenseSource,
}

/// How often a cancelled download is noticed.
const LOOK: Duration = Duration::from_millis(20);

impl KeyLoader for FairPlayKeyLoader {
    fn load(&self, request: &KeyRequest, cancellation: &Cancellation) -> Result<(), KeyLoadError> {
        let uri = request.uri.as_deref().and_then(|uri| KeyUri::new(uri).ok());
        let Some(key_uri) = uri else {
            let what = if request.key_format == KEY_FORMAT {
                "its URI is not `skd:`"
            } else {
                "it is not FairPlay's"
            };
            return Err(KeyLoadError::refused(what));
        };
        let (cancel, done) = (Cancel::new(), Cancel::new());
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.is_cancelled() {
                    if !cancellation.pause(LOOK) {
                        cancel.cancel();
                        return;
                    }
                }
            });
            let _done = Done(&done);
            self.engine.acquire_more(&asset_of(&request.asset), &key_uri, &self.license, &cancel)
        });
        outcome.and_then(|outcome| outcome.result).map(drop).map_err(refused)
    }
}

/// Ends the watch, also when the application's part panics.
struct Done<'a>(&'a Cancel);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn refused(error: KeyError) -> KeyLoadError {
    let is_cancel = *error.kind() == KeyErrorKind::Cancelled;
    match (is_cancel, error.is_retryable()) {
        (true, _) => KeyLoadError::Cancelled,
        (false, true) => KeyLoadError::unavailable(error),
        (false, false) => KeyLoadError::refused(error),
    }
}
