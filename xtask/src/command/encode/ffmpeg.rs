//! What ffmpeg and ffprobe are asked for. Their output depends on their version only: one thread, no dates.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino::Utf8Path;
use hls_parse::{ByteRange, ParseOptions, Playlist};

/// How long every fixture is.
pub(super) const SECONDS: u32 = 24;
/// How long a segment is meant to be.
pub(super) const SEGMENT_SECONDS: u32 = 4;
/// Frames a second of every picture: one rate, so that the variants' timestamps agree.
pub(super) const FRAME_RATE: u32 = 24;

/// A moving picture: ffmpeg's second test source, which has a counter in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) kbps: u32,
    /// What H.264 calls the level, such as `1.3`.
    pub(super) level: &'static str,
}

/// A tone with a beep each second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tone {
    pub(super) hertz: u32,
    pub(super) kbps: u32,
}

/// One segment as it was encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) file: String,
    pub(super) duration: Duration,
    pub(super) bytes: ByteRange,
}

/// Fails with advice where the programs are not installed.
pub(super) fn check_installed() -> Result<()> {
    for program in ["ffmpeg", "ffprobe"] {
        let advice = "install it: `apt-get install ffmpeg`, `brew install ffmpeg`, or https://ffmpeg.org";
        run(program, &["-version".to_owned()]).with_context(|| format!("{program} is needed; {advice}"))?;
    }
    Ok(())
}

/// Segments `0.ts`, `1.ts` ... in `folder`, with a picture and, where given, a tone.
pub(super) fn transport_stream(
    picture: Picture,
    tone: Option<Tone>,
    folder: &Utf8Path,
) -> Result<Vec<Piece>> {
    let list = folder.join("list.m3u8");
    let names = folder.join("%d.ts");
    let output = words(&format!("{} -hls_segment_filename {names} {list}", hls_options()));
    match tone {
        Some(tone) => ffmpeg([source(picture), sound(tone), h264(picture), aac(tone), output])?,
        None => ffmpeg([source(picture), h264(picture), output])?,
    }
    take_list(&list)
}

/// Segments `0.aac`, `1.aac` ... in `folder`: bare ADTS frames, without the timestamp that HLS asks for.
pub(super) fn packed_audio(tone: Tone, folder: &Utf8Path) -> Result<Vec<Piece>> {
    let (list, names) = (folder.join("list.csv"), folder.join("%d.aac"));
    let segments = "-f segment -segment_format adts -segment_list_type csv";
    let output = words(&format!("{segments} -segment_time {SEGMENT_SECONDS} -segment_list {list} {names}"));
    ffmpeg([sound(tone), aac(tone), output])?;
    let text = fs::read_to_string(&list)?;
    fs::remove_file(&list)?;
    text.lines().map(|line| csv_piece(line, folder)).collect()
}

/// One fragmented MP4 file with a picture; the first value is the range of its header.
pub(super) fn video_file(picture: Picture, file: &Utf8Path) -> Result<(ByteRange, Vec<Piece>)> {
    ffmpeg([source(picture), h264(picture), single_file(file)])?;
    take_fragments(file)
}

/// One fragmented MP4 file with a tone; the first value is the range of its header.
pub(super) fn audio_file(tone: Tone, file: &Utf8Path) -> Result<(ByteRange, Vec<Piece>)> {
    ffmpeg([sound(tone), aac(tone), single_file(file)])?;
    take_fragments(file)
}

/// A still of the picture's middle.
pub(super) fn still(picture: Picture, file: &Utf8Path) -> Result<()> {
    let output = words(&format!(
        "-ss {} -frames:v 1 -pix_fmt yuvj420p -q:v 8 -fflags +bitexact -flags:v +bitexact {file}",
        SECONDS / 2
    ));
    ffmpeg([source(picture), output])
}

/// Encrypts a file with AES-128 in CBC mode with PKCS #7 padding, as HLS does.
pub(super) fn encrypt(from: &Utf8Path, to: &Utf8Path, key: &[u8; 16], iv: &[u8; 16]) -> Result<()> {
    // ffmpeg's data format carries bytes as they are, and its crypto protocol encrypts what is written.
    let secrets = format!("-encryption_key {} -encryption_iv {}", hex(key), hex(iv));
    ffmpeg([words(&format!("-f data -i {from} -map 0 -c copy -f data {secrets} crypto:{to}"))])
}

/// The presentation time of a file's first picture, in ticks of 90 kHz.
pub(super) fn first_timestamp(file: &Utf8Path) -> Result<u64> {
    let wanted = "-v error -select_streams v -show_entries stream=start_pts -of csv=p=0";
    let text = run("ffprobe", &words(&format!("{wanted} {file}")))?;
    let first = text.split_whitespace().next().context("ffprobe found no picture")?;
    first.trim_end_matches(',').parse().with_context(|| format!("ffprobe said `{text}`"))
}

/// Where the key frames of a transport stream file lie.
pub(super) fn key_frames(file: &Utf8Path) -> Result<Vec<ByteRange>> {
    let wanted = "-v error -select_streams v -show_entries packet=pos,flags -of csv=p=0";
    let text = run("ffprobe", &words(&format!("{wanted} {file}")))?;
    let mut packets = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (position, flags) = line.split_once(',').with_context(|| format!("ffprobe said `{line}`"))?;
        packets.push((position.parse::<u64>()?, flags.starts_with('K')));
    }
    packets.sort_unstable();
    let ends = packets.iter().skip(1).map(|(position, _)| *position).chain([fs::metadata(file)?.len()]);
    let ranges = packets.iter().zip(ends).filter(|((_, key), _)| *key);
    Ok(ranges.map(|((offset, _), end)| ByteRange { offset: *offset, length: end - offset }).collect())
}

/// Plays everything behind a URL, every rendition of it, and fails where ffmpeg complains.
pub(super) fn play(url: &str) -> Result<()> {
    let arguments = words(&format!(
        "-nostdin -hide_banner -v warning -xerror -strict experimental -i {url} -map 0 -c:s copy -f null -"
    ));
    run("ffmpeg", &arguments).map(drop)
}

/// How many pictures a player decodes of a playlist. Key frames taken out of a stream have gaps in its packets'
/// counters, of which ffmpeg warns.
pub(super) fn pictures(url: &str) -> Result<usize> {
    let wanted = "-v fatal -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0";
    let text = run("ffprobe", &words(&format!("{wanted} {url}")))?;
    let first = text.split_whitespace().next().unwrap_or_default();
    first.trim_end_matches(',').parse().with_context(|| format!("ffprobe said `{text}`"))
}

fn source(picture: Picture) -> Vec<String> {
    let Picture { width, height, .. } = picture;
    words(&format!("-f lavfi -i testsrc2=size={width}x{height}:rate={FRAME_RATE}:duration={SECONDS}"))
}

fn sound(tone: Tone) -> Vec<String> {
    // A little shorter than the picture: AAC's last frame must not begin a segment of its own.
    let seconds = f64::from(SECONDS) - 0.05;
    words(&format!(
        "-f lavfi -i sine=frequency={}:beep_factor=4:sample_rate=48000:duration={seconds}",
        tone.hertz
    ))
}

fn h264(picture: Picture) -> Vec<String> {
    let Picture { kbps, level, .. } = picture;
    let (peak, group) = (kbps * 11 / 10, FRAME_RATE * 2);
    words(&format!(
        "-c:v libx264 -profile:v main -level:v {level} -preset veryslow -pix_fmt yuv420p -threads 1 \
         -b:v {kbps}k -maxrate {peak}k -bufsize {kbps}k -g {group} -keyint_min {group} -sc_threshold 0 \
         -bsf:v filter_units=remove_types=6 -flags:v +bitexact"
    ))
}

fn aac(tone: Tone) -> Vec<String> {
    words(&format!("-c:a aac -b:a {}k -ac 1 -flags:a +bitexact", tone.kbps))
}

fn hls_options() -> String {
    format!(
        "-map_metadata -1 -fflags +bitexact -f hls -hls_time {SEGMENT_SECONDS} -hls_playlist_type vod -hls_list_size 0"
    )
}

fn single_file(file: &Utf8Path) -> Vec<String> {
    let list = file.with_extension("m3u8");
    words(&format!(
        "{} -hls_segment_type fmp4 -hls_flags single_file -hls_segment_filename {file} {list}",
        hls_options()
    ))
}

/// Reads ffmpeg's own playlist, which is then deleted: the fixtures' playlists say more.
fn take_list(list: &Utf8Path) -> Result<Vec<Piece>> {
    let text = fs::read(list)?;
    fs::remove_file(list)?;
    let Playlist::Media(media) = hls_parse::parse(&text, &ParseOptions::default())?.playlist else {
        bail!("ffmpeg wrote no media playlist");
    };
    let folder = list.parent().context("the list is in a folder")?;
    let piece = |segment: &hls_parse::Segment<'_>| {
        let file = segment.uri.text.clone().into_owned();
        let whole =
            || fs::metadata(folder.join(&file)).map(|data| ByteRange { offset: 0, length: data.len() });
        let bytes = segment.byte_range.map_or_else(whole, Ok)?;
        Ok(Piece { file, duration: segment.duration, bytes })
    };
    media.segments.iter().map(piece).collect()
}

fn take_fragments(file: &Utf8Path) -> Result<(ByteRange, Vec<Piece>)> {
    let pieces = take_list(&file.with_extension("m3u8"))?;
    let header = pieces.first().context("ffmpeg wrote no fragment")?.bytes.offset;
    Ok((ByteRange { offset: 0, length: header }, pieces))
}

fn csv_piece(line: &str, folder: &Utf8Path) -> Result<Piece> {
    let fields: Vec<&str> = line.split(',').collect();
    let [file, start, end] = fields.as_slice() else { bail!("ffmpeg's list has the line `{line}`") };
    let duration = Duration::try_from_secs_f64(end.parse::<f64>()? - start.parse::<f64>()?)?;
    let length = fs::metadata(folder.join(file))?.len();
    Ok(Piece { file: (*file).to_owned(), duration, bytes: ByteRange { offset: 0, length } })
}

fn ffmpeg<const N: usize>(parts: [Vec<String>; N]) -> Result<()> {
    let common = words("-nostdin -hide_banner -v error -y");
    run("ffmpeg", &[vec![common], parts.to_vec()].concat().concat()).map(drop)
}

fn run(program: &str, arguments: &[String]) -> Result<String> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| format!("can't start {program}"))?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    match output.status.success() && complaints.is_empty() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => bail!("`{program} {}`: {}\n{complaints}", arguments.join(" "), output.status),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
