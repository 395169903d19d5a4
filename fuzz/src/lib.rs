//! What the fuzz targets share.

mod facts;
mod input;
mod time;

pub use facts::facts;
pub use input::{parts, playlist, words};
pub use time::check_growth;
