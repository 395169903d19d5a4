//! Between Foundation's objects and the values of fairplay-keys.

use std::ptr::NonNull;
use std::sync::mpsc;
use std::time::Duration;

use block2::RcBlock;
use fairplay_keys::{KeyError, KeyUri, SystemFault};
use objc2::rc::Retained;
use objc2::runtime::AnyObject;
use objc2_foundation::{NSData, NSError, NSInteger, NSString, NSURL, ns_string};

/// What a completion handler brings.
pub(crate) type Completed = Result<Vec<u8>, SystemFault>;

/// Identifiers are documented as the URL of the key, and come as strings where they went in as strings.
pub(crate) fn identifier(object: &AnyObject) -> Option<String> {
    let text = object.downcast_ref::<NSString>().map(ToString::to_string);
    let url = || object.downcast_ref::<NSURL>()?.absoluteString().map(|text| text.to_string());
    text.or_else(url)
}

pub(crate) fn key_uri(object: &AnyObject) -> Option<KeyUri> {
    identifier(object).and_then(|text| KeyUri::new(text).ok())
}

pub(crate) fn fault(error: &NSError) -> SystemFault {
    let code = i64::try_from(error.code()).unwrap_or(i64::MIN);
    SystemFault::from_code(code, &error.localizedDescription().to_string())
}

/// The error that a request is failed with: AVFoundation hands it on to the player.
pub(crate) fn ns_error(error: &KeyError) -> Retained<NSError> {
    // Its text stays here: a player's log is not ours.
    let code: NSInteger = if error.is_retryable() { 1 } else { 2 };
    NSError::new(code, ns_string!("fairplay-keys"))
}

/// A block that AVFoundation calls with data or an error.
pub(crate) type Handler = RcBlock<dyn Fn(*mut NSData, *mut NSError)>;

/// A completion handler, and where what it brings arrives.
pub(crate) fn completion() -> (Handler, mpsc::Receiver<Completed>) {
    let (sender, receiver) = mpsc::channel();
    let handler = RcBlock::new(move |data: *mut NSData, error: *mut NSError| {
        // Nobody waits any more after a timeout.
        drop(sender.send(completed(data, error)));
    });
    (handler, receiver)
}

fn completed(data: *mut NSData, error: *mut NSError) -> Completed {
    // SAFETY: a completion handler's arguments are null or objects that live until it returns.
    let (data, error) =
        unsafe { (NonNull::new(data).map(|it| it.as_ref()), NonNull::new(error).map(|it| it.as_ref())) };
    match (data, error) {
        (Some(data), _) => Ok(data.to_vec()),
        (None, Some(error)) => Err(fault(error)),
        (None, None) => Err(SystemFault::Other { code: 0, message: "neither data nor an error".to_owned() }),
    }
}

/// Waits for a callback; AVFoundation promises none, and a request has to be answered all the same.
pub(crate) fn wait<T>(receiver: &mpsc::Receiver<T>, timeout: Duration) -> Result<T, SystemFault> {
    let late =
        |_| SystemFault::Other { code: 0, message: "AVFoundation did not call back in time".to_owned() };
    receiver.recv_timeout(timeout).map_err(late)
}
