//! Obtains the keys that a task meets, beside its transfers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use super::control::{Attempt, Control};
use crate::error::{Error, ErrorKind};
use crate::io::cancel::CancelToken;
use crate::key_loader::{Cancellation, KeyLoadError, LoaderHook, NeededKey};

/// Whose call of the loader it is: one at a time, also where a cancelled one is not over yet.
pub(super) type Turn = Arc<Mutex<()>>;

/// Ends the asking when it is dropped.
#[derive(Debug)]
pub(super) struct Asking(CancelToken);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Asks for the keys one after another on a thread of its own, which nobody waits for once it is cancelled.
pub(super) fn obtain(
    keys: Vec<NeededKey>,
    loader: LoaderHook,
    attempt: &Attempt,
    (control, turn): (&Arc<Control>, &Turn),
) -> io::Result<Asking> {
    let (number, loaded) = (attempt.number, attempt.keys_loaded);
    // Of the attempt's own: it ends with the attempt, however that ends.
    let token = attempt.token.child();
    let cancellation = Cancellation(token.clone());
    let (control, turn) = (Arc::clone(control), Arc::clone(turn));
    let asking = move || {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let obtained = keys.iter().skip(loaded).try_for_each(|key| {
            one(key, &loader, &cancellation)?;
            control.key_loaded(number);
            Ok(())
        });
        control.obtained(number, obtained);
    };
    thread::Builder::new().name("dtg-keys".into()).spawn(asking).map(|_| Asking(token))
}

fn one(key: &NeededKey, loader: &LoaderHook, cancellation: &Cancellation) -> Result<(), Error> {
    if cancellation.is_cancelled() {
        return Err(Error::new(ErrorKind::Cancelled));
    }
    let answer = catch_unwind(AssertUnwindSafe(|| loader.0.load(&key.request, cancellation)));
    let answer = answer.unwrap_or_else(|_| Err(KeyLoadError::refused("the key loader panicked")));
    answer.map_err(|cause| Error::new(ErrorKind::KeyNotLoaded { key: key.request.shown(), cause }))
}
