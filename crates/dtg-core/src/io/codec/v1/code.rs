//! The fixed numbers of closed lists in schema 1: never changed, and none used twice.

use crate::estimate::Basis;
use crate::io::codec::CodecError;
use crate::item::{SidecarRole, TrackKind};
use crate::options::{AudioCodec, InefficientCodecs, VideoCodec};
use crate::plan::{Extension, Extent, Master, Role};
use crate::state::ItemState;

/// A closed list whose values have fixed numbers.
pub(super) trait Coded: Sized {
    fn code(self) -> u8;
    fn of(code: u8) -> Result<Self, CodecError>;
}

macro_rules! codes {
    ($type:ty, $name:literal: $($variant:ident = $code:literal),+ $(,)?) => {
        impl Coded for $type {
            fn code(self) -> u8 {
                match self { $(Self::$variant => $code),+ }
            }

            fn of(code: u8) -> Result<Self, CodecError> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err(CodecError::Value($name)),
                }
            }
        }
    };
}

codes!(SidecarRole, "a sidecar's role": Subtitle = 0, Thumbnail = 1);
codes!(TrackKind, "a track's kind": Video = 0, Audio = 1, Text = 2);
codes!(ItemState, "a state": New = 0, MetadataLoaded = 1, InProgress = 2, Paused = 3, Interrupted = 4, Completed = 5, Failed = 6);
codes!(VideoCodec, "a video codec": Avc = 0, Hevc = 1, DolbyVision = 2, Av1 = 3, Vp9 = 4);
codes!(AudioCodec, "an audio codec": Aac = 0, Ac3 = 1, Eac3 = 2, Ac4 = 3, Opus = 4, Flac = 5, Mp3 = 6);
codes!(InefficientCodecs, "an option": Refuse = 0, Allow = 1);
codes!(Role, "a resource's role": Segment = 0, Map = 1, Key = 2, SessionData = 3, Subtitle = 4, Thumbnail = 5, File = 6);
codes!(
    Extension, "an extension":
    Ts = 0, Mp4 = 1, M4s = 2, M4a = 3, M4v = 4, Aac = 5, Ac3 = 6, Ec3 = 7, Mp3 = 8, Vtt = 9, Srt = 10, Ttml = 11,
    Key = 12, Json = 13, Jpg = 14, Png = 15, Webp = 16, Gif = 17, Bin = 18,
    Webm = 19, Mkv = 20, Ogg = 21, Flac = 22, Wav = 23,
);
codes!(Extent, "a fetch's extent": Whole = 0, Range = 1);
codes!(Master, "the master": Multivariant = 0, Media = 1, File = 2);
codes!(Basis, "an estimate's basis": Unknown = 0, BitRates = 1, Segments = 2, File = 3);
