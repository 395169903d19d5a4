//! What an application answers when an item's address has run out.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::item::ItemId;

/// An item whose address the server refuses (401, 403 or 410), so that a fresh one is asked for.
///
/// `Debug` shows the address without its query.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FreshUrl {
    /// The item.
    pub id: ItemId,
    /// The address that it has; may hold a token.
    pub url: String,
    /// What the server answered, in words.
    pub reason: String,
}

/// Knows fresh addresses: a signed one that has run out can be asked for again.
///
/// Asked on a thread of its own, with no lock held; it may take its time. Once asked, it is asked again only
/// after the item got further. What it gives must be the same encode: parts are matched by rendition, media
/// sequence and byte range, and the item goes on where it was; else it fails with
/// [`ErrorKind::AnotherEncode`](crate::ErrorKind::AnotherEncode).
pub trait UrlRefresh: Send + Sync {
    /// The item's address as it is now; `None` where there is no other.
    ///
    /// # Errors
    /// The item fails with [`ErrorKind::Callback`](crate::ErrorKind::Callback), as it does when this panics.
    fn fresh_url(&self, ask: &FreshUrl) -> Result<Option<String>, Box<dyn StdError + Send + Sync>>;
}

impl<F> UrlRefresh for F
where
    F: Fn(&FreshUrl) -> Result<Option<String>, Box<dyn StdError + Send + Sync>> + Send + Sync,
{
    fn fresh_url(&self, ask: &FreshUrl) -> Result<Option<String>, Box<dyn StdError + Send + Sync>> {
        self(ask)
    }
}

impl FreshUrl {
    pub(crate) fn new(id: &ItemId, url: &str, error: &Error) -> Self {
        Self { id: id.clone(), url: url.to_owned(), reason: error.to_string() }
    }
}

impl fmt::Debug for FreshUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshUrl")
            .field("id", &self.id)
            .field("url", &crate::error::public_part(&self.url))
            .field("reason", &self.reason)
            .finish()
    }
}

/// The application's [`UrlRefresh`], in settings that are shown and cloned.
#[derive(Clone)]
pub(crate) struct RefreshHook(pub(crate) Arc<dyn UrlRefresh>);

impl fmt::Debug for RefreshHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshHook")
    }
}
