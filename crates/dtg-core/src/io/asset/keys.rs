//! Obtains the keys that a task meets, beside its transfers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::{io, thread};

use super::control::{Attempt, Control};
use crate::error::{Error, ErrorKind};
use crate::key_loader::{Cancellation, KeyLoadError, LoaderHook, NeededKey};

/// Asks for the keys one after another on a thread of its own, which nobody waits for once it is cancelled.
pub(super) fn obtain(
    keys: Vec<NeededKey>,
    loader: LoaderHook,
    attempt: &Attempt,
    control: &Arc<Control>,
) -> io::Result<()> {
    let (number, cancellation) = (attempt.number, Cancellation(attempt.token.clone()));
    let control = Arc::clone(control);
    let asking = move || {
        let obtained = keys.iter().try_for_each(|key| {
            one(key, &loader, &cancellation)?;
            control.key_loaded(number);
            Ok(())
        });
        control.obtained(number, obtained);
    };
    thread::Builder::new().name("dtg-keys".into()).spawn(asking).map(drop)
}

fn one(key: &NeededKey, loader: &LoaderHook, cancellation: &Cancellation) -> Result<(), Error> {
    if cancellation.is_cancelled() {
        return Err(Error::new(ErrorKind::Cancelled));
    }
    let answer = catch_unwind(AssertUnwindSafe(|| loader.0.load(&key.request, cancellation)));
    let answer = answer.unwrap_or_else(|_| Err(KeyLoadError::refused("the key loader panicked")));
    answer.map_err(|cause| Error::new(ErrorKind::KeyNotLoaded { key: key.request.shown(), cause }))
}
