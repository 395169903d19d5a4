//! What the workspace's integration tests and programs share.

mod fixtures; // what is downloaded
mod shelf; // what is served
mod playback; // what a player sees of it
mod protected; // the same under FairPlay

pub use fixtures::{Fixture, media_folder};
pub use playback::{Played, play};
pub use protected::{ClearMedia, Decrypted, GRANT, Protected, decrypt};
pub use shelf::Shelf;
