//! What is odd in a playlist: the rule that is broken, where, and how bad that is.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::line::Span;

/// One oddity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Diagnostic {
    /// The line's number, counted from 1; 0: the playlist as a whole.
    pub line: u32,
    /// Where exactly.
    pub span: Span,
    /// What is wrong.
    pub rule: Rule,
}

/// `line 7: EXTINF has no readable duration (RFC 8216 4.3.2.1)`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        write!(f, "{} ({})", self.rule.message(), self.rule.section())
    }
}

/// How bad a broken rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Both readings accept it.
    Warning,
    /// The strict reading refuses it.
    Violation,
    /// Both readings refuse it: there is no safe way to read on.
    Fatal,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $severity:ident $code:literal $section:literal $message:literal)*) => {
        /// A rule of RFC 8216 or draft-pantos-hls-rfc8216bis that a playlist can break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $message] #[doc = concat!("(", $section, ").")] $name,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// A short, stable code: `map-iv`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How bad it is to break it.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// The section that states it: `RFC 8216 4.3.2.5`, or `rfc8216bis` for the draft.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self { $(Self::$name => $section,)* }
            }

            /// What is wrong when it is broken.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

rules! {
    // the text
    ByteOrderMark Violation "byte-order-mark" "RFC 8216 4.1" "a byte order mark begins the text"
    ControlCharacter Violation "control-character" "RFC 8216 4.1" "a control character stands in the text"
    NotUtf8 Violation "not-utf8" "RFC 8216 4.1" "bytes that are not UTF-8 stand in the text"
    Blanks Violation "blanks" "RFC 8216 4.1" "blanks stand at an end of the line"
    FirstLine Violation "first-line" "RFC 8216 4.3.1.1" "the first line is not exactly #EXTM3U"
    ControlInUri Fatal "control-in-uri" "RFC 8216 4.1" "a control character stands in a URI"
    // attribute lists
    ListSyntax Violation "list-syntax" "RFC 8216 4.2" "attribute list has blanks, empty places or names without values"
    AfterQuote Violation "after-quote" "RFC 8216 4.2" "attribute list has text behind a closing quote"
    NoList Violation "no-list" "RFC 8216 4.2" "tag has no attribute list"
    DuplicateAttribute Violation "duplicate-attribute" "RFC 8216 4.2" "attribute occurs twice; the last one is taken"
    Quoting Violation "quoting" "RFC 8216 4.2" "attribute has quotes that its type does not have, or lacks them"
    AttributeValue Violation "attribute-value" "RFC 8216 4.2" "attribute's value is not of its type"
    AttributeName Violation "attribute-name" "RFC 8216 4.2" "an attribute's name has other characters than A-Z, 0-9 and -"
    IdCharacters Violation "id-characters" "rfc8216bis 4.4.6" "a stable or pathway id is empty or has other characters than it may have"
    MissingAttribute Violation "missing-attribute" "RFC 8216 4.3" "a required attribute is missing"
    MissingUri Fatal "missing-uri" "RFC 8216 4.3" "the required URI attribute is missing or empty"
    NoTagUri Violation "no-tag-uri" "RFC 8216 4.3" "the required URI attribute of a tag that nothing has to be fetched for is missing or empty; the tag is ignored"
    UnreadableAttribute Violation "unreadable-attribute" "rfc8216bis 4.3" "an attribute has an undefined variable, or a control character in its URI; it is ignored"
    HexTooLong Fatal "hex" "RFC 8216 4.2" "IV is not hexadecimal, or larger than 128 bits"
    IvSyntax Violation "iv-syntax" "RFC 8216 4.2" "IV has no 0x before it, or more than 32 digits that begin with zeros"
    NumberTooLarge Fatal "number-too-large" "RFC 8216 4.2" "a number is larger than 2^64-1"
    // both kinds
    Mixed Fatal "mixed" "RFC 8216 4" "both EXT-X-STREAM-INF and EXTINF occur"
    Misplaced Violation "misplaced" "RFC 8216 4.3" "a tag of the other kind of playlist"
    RepeatedTag Violation "repeated-tag" "RFC 8216 4.3" "a tag that may occur once occurs again"
    TagValue Violation "tag-value" "RFC 8216 4.3" "tag has no readable value"
    Version Violation "version" "rfc8216bis 8" "EXT-X-VERSION is lower than what the playlist uses, or missing"
    FutureVersion Warning "future-version" "rfc8216bis 7" "EXT-X-VERSION is higher than 13, the newest whose rules are known"
    DefineSyntax Fatal "define" "rfc8216bis 4.4.2.3" "EXT-X-DEFINE has not exactly one of NAME with VALUE, IMPORT, QUERYPARAM"
    DefineName Fatal "define-name" "rfc8216bis 4.4.2.3" "a variable's name has other characters than letters, digits, - and _"
    DefineTwice Fatal "define-twice" "rfc8216bis 4.4.2.3" "a variable is defined twice"
    ImportInMultivariant Fatal "import-in-multivariant" "rfc8216bis 4.4.2.3" "EXT-X-DEFINE with IMPORT in a multivariant playlist"
    ImportUndefined Fatal "import-undefined" "rfc8216bis 4.4.2.3" "the imported variable is not defined by a multivariant playlist"
    QueryParameter Fatal "query-parameter" "rfc8216bis 4.4.2.3" "the playlist's URL has no such query parameter, or a value that cannot stand in quotes"
    // media playlists
    NoTargetDuration Violation "no-target-duration" "RFC 8216 4.3.3.1" "EXT-X-TARGETDURATION is missing"
    TargetDuration Violation "target-duration" "RFC 8216 4.3.3.1" "EXT-X-TARGETDURATION is not a whole number of seconds"
    LongerThanTarget Violation "longer-than-target" "RFC 8216 4.3.3.1" "segment is longer than the target duration; others may be too"
    LateTag Violation "late-tag" "RFC 8216 4.3.3" "tag must come before the first segment; it is ignored"
    SequenceNumber Violation "sequence-number" "RFC 8216 4.3.3.2" "sequence number is not a whole number; its first digits are taken, or 0"
    SequenceOverflow Fatal "sequence-overflow" "RFC 8216 4.3.3.2" "a segment's sequence number is larger than 2^64-1"
    PlaylistType Violation "playlist-type" "RFC 8216 4.3.3.5" "EXT-X-PLAYLIST-TYPE is neither VOD nor EVENT"
    Duration Violation "duration" "RFC 8216 4.3.2.1" "EXTINF has no readable duration"
    DurationSyntax Violation "duration-syntax" "RFC 8216 4.3.2.1" "EXTINF's duration is followed by something other than a comma"
    NoComma Warning "no-comma" "RFC 8216 4.3.2.1" "EXTINF has no comma"
    NoDuration Violation "no-duration" "RFC 8216 4.3.2.1" "a URI without EXTINF is no segment; it is ignored"
    NoSegmentUri Violation "no-segment-uri" "RFC 8216 4.3.2" "EXTINF without a URI is no segment; it is ignored"
    ByteRangeSyntax Fatal "byte-range" "RFC 8216 4.3.2.2" "byte range is not LENGTH or LENGTH@OFFSET"
    ByteRangeOverflow Fatal "byte-range-overflow" "RFC 8216 4.3.2.2" "byte range ends behind 2^64-1"
    ByteRangeBase Fatal "byte-range-base" "RFC 8216 4.3.2.2" "byte range without offset, and the segment before is no range of the same resource"
    SkippedRangeBase Warning "skipped-range-base" "rfc8216bis 4.4.5.2" "byte range continues a segment that the delta update leaves out; 0 is taken"
    EmptyByteRange Warning "empty-byte-range" "RFC 8216 4.3.2.2" "byte range has no bytes"
    KeyMethod Fatal "key-method" "RFC 8216 4.3.2.4" "the required METHOD attribute is missing"
    NoneWithAttributes Violation "none-with-attributes" "RFC 8216 4.3.2.4" "a key with METHOD=NONE has other attributes"
    KeyFormatVersions Violation "key-format-versions" "RFC 8216 4.3.2.4" "KEYFORMATVERSIONS is not whole numbers with / between"
    CtrIv Violation "ctr-iv" "rfc8216bis 4.4.4.4" "a key with METHOD=SAMPLE-AES-CTR has an IV"
    MapIv Violation "map-iv" "RFC 8216 4.3.2.5" "initialization section under AES-128 whose key has no IV"
    MapRange Violation "map-range" "RFC 8216 4.3.2.5" "initialization section's byte range has no offset; 0 is taken"
    DateTime Violation "date-time" "RFC 8216 4.3.2.6" "date is not ISO 8601"
    Bitrate Warning "bitrate" "rfc8216bis 4.4.4.8" "EXT-X-BITRATE is not a whole number"
    EndOnNext Violation "end-on-next" "RFC 8216 4.3.2.7" "END-ON-NEXT without CLASS, with DURATION or END-DATE, or other than YES"
    DateRangeEnd Violation "date-range-end" "RFC 8216 4.3.2.7" "date range ends before it starts"
    DateRangeStart Violation "date-range-start" "RFC 8216 4.3.2.7" "no line of this date range has a START-DATE so far"
    DateRangeDuration Violation "date-range-duration" "RFC 8216 4.3.2.7" "END-DATE is not START-DATE plus DURATION"
    DateRangeConflict Violation "date-range-conflict" "RFC 8216 4.3.2.7" "an earlier line of this date range says otherwise"
    DateRangeWithoutDateTime Violation "date-range-without-date-time" "RFC 8216 4.3.2.7" "date ranges without any EXT-X-PROGRAM-DATE-TIME"
    Cue Violation "cue" "rfc8216bis 4.4.5.1" "CUE has both PRE and POST"
    Interstitial Violation "interstitial" "rfc8216bis D.2" "an interstitial has not exactly one of X-ASSET-URI and X-ASSET-LIST"
    AfterEnd Warning "after-end" "RFC 8216 4.3.3.4" "a segment stands behind EXT-X-ENDLIST"
    // low latency
    NoPartInf Violation "no-part-inf" "rfc8216bis 4.4.3.7" "EXT-X-PART without EXT-X-PART-INF"
    LongerThanPartTarget Violation "longer-than-part-target" "rfc8216bis 4.4.3.7" "part is longer than the part target duration"
    PartRangeBase Violation "part-range-base" "rfc8216bis 4.4.4.9" "part's byte range without offset, and the part before is no range of the same resource; 0 is taken"
    HoldBack Violation "hold-back" "rfc8216bis 4.4.3.8" "HOLD-BACK is less than three target durations"
    PartHoldBack Violation "part-hold-back" "rfc8216bis 4.4.3.8" "PART-HOLD-BACK is less than two part target durations"
    NoPartHoldBack Violation "no-part-hold-back" "rfc8216bis 4.4.3.8" "EXT-X-PART-INF without PART-HOLD-BACK"
    SkipBoundary Violation "can-skip-until" "rfc8216bis 4.4.3.8" "CAN-SKIP-UNTIL is less than six target durations"
    SkipDateRanges Violation "can-skip-dateranges" "rfc8216bis 4.4.3.8" "CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL"
    HintTwice Violation "hint-twice" "rfc8216bis 4.4.5.3" "two preload hints of one TYPE"
    ReportUri Violation "report-uri" "rfc8216bis 4.4.5.4" "a rendition report's URI is not relative"
    // multivariant playlists
    NoBandwidth Violation "no-bandwidth" "RFC 8216 4.3.4.2" "BANDWIDTH is missing"
    AverageAbovePeak Warning "average-above-peak" "RFC 8216 4.3.4.2" "AVERAGE-BANDWIDTH is larger than BANDWIDTH"
    Resolution Violation "resolution" "RFC 8216 4.3.4.2" "RESOLUTION is not WIDTHxHEIGHT, or zero"
    NoVariantUri Violation "no-variant-uri" "RFC 8216 4.3.4.2" "EXT-X-STREAM-INF without a URI line is no variant; it is ignored"
    NoIFrameUri Violation "no-i-frame-uri" "RFC 8216 4.3.4.3" "EXT-X-I-FRAME-STREAM-INF without URI is no variant; it is ignored"
    CaptionsNone Violation "captions-none" "RFC 8216 4.3.4.2" "CLOSED-CAPTIONS=NONE on some variants only"
    StrayUri Violation "stray-uri" "RFC 8216 4.3.4.2" "a URI without EXT-X-STREAM-INF is no variant; it is ignored"
    MissingGroup Violation "missing-group" "RFC 8216 4.3.4.2" "variant names a group that no rendition is in"
    RenditionType Violation "rendition-type" "RFC 8216 4.3.4.1" "rendition's TYPE is missing or unknown; it is ignored"
    RenditionUri Violation "rendition-uri" "RFC 8216 4.3.4.1" "subtitles without URI, or closed captions with one"
    InstreamId Violation "instream-id" "RFC 8216 4.3.4.1" "INSTREAM-ID is missing from closed captions"
    InstreamIdValue Violation "instream-id-value" "RFC 8216 4.3.4.1" "INSTREAM-ID of closed captions is neither CC1 to CC4 nor SERVICE1 to SERVICE63"
    NotAudio Violation "not-audio" "rfc8216bis 4.4.6.1" "BIT-DEPTH or SAMPLE-RATE on something other than audio"
    DefaultNotAutoselect Violation "default-not-autoselect" "RFC 8216 4.3.4.1" "DEFAULT=YES with AUTOSELECT=NO"
    ForcedNotSubtitles Violation "forced-not-subtitles" "RFC 8216 4.3.4.1" "FORCED on something other than subtitles"
    RenditionName Violation "rendition-name" "RFC 8216 4.3.4.1.1" "two renditions of a group have the same NAME"
    TwoDefaults Violation "two-defaults" "RFC 8216 4.3.4.1.1" "two renditions of a group have DEFAULT=YES"
    SessionData Violation "session-data" "RFC 8216 4.3.4.4" "session data has not exactly one of VALUE and URI"
    SessionDataTwice Violation "session-data-twice" "RFC 8216 4.3.4.4" "session data with the same DATA-ID and LANGUAGE occurs twice"
    SessionKeyNone Violation "session-key-none" "RFC 8216 4.3.4.5" "EXT-X-SESSION-KEY with METHOD=NONE; it is ignored"
    SessionKeyUnreadable Violation "session-key-unreadable" "RFC 8216 4.3.4.5" "EXT-X-SESSION-KEY without METHOD, or with an IV that cannot be read; it is ignored"
    SessionKeyTwice Violation "session-key-twice" "RFC 8216 4.3.4.5" "the same session key occurs twice"
}

/// As its code.
impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
