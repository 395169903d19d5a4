//! Which document it is, and the version of its shape.

use schemars::JsonSchema;
use serde::Serialize;

macro_rules! markers {
    ($($name:ident = $text:literal),* $(,)?) => {$(
        /// A fixed word; a document's `schema` is the command's name and the version of the shape.
        #[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
        pub(crate) enum $name {
            #[default]
            #[serde(rename = $text)]
            V1,
        }
    )*};
}

markers! {
    Accepted = "accepted",
    Refused = "refused",
    Media = "media",
    Multivariant = "multivariant",
    Download = "dtg.download/1",
    Error = "dtg.error/1",
    Info = "dtg.info/1",
    Inspect = "dtg.inspect/1",
    Keep = "dtg.keep/1",
    List = "dtg.list/1",
    Plan = "dtg.plan/1",
    Quota = "dtg.quota/1",
    Remove = "dtg.remove/1",
    Repair = "dtg.repair/1",
    Resume = "dtg.resume/1",
    Serve = "dtg.serve/1",
    Storage = "dtg.storage/1",
    Verify = "dtg.verify/1",
}
