//! On input that m3u8-rs reads right, both readers agree, and a playlist survives the way there and back.

use super::*;
use crate::parse::{ParseOptions, parse};

const MEDIA: &str = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-PLAYLIST-TYPE:VOD\n\
    #EXT-X-KEY:METHOD=AES-128,URI=\"k1\",IV=0x0000000000000000000000000000000f\n#EXT-X-MAP:URI=\"m\",BYTERANGE=\"10@0\"\n\
    #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.678Z\n#EXTINF:9.5,first\n#EXT-X-BYTERANGE:100@10\na.mp4\n\
    #EXT-X-DATERANGE:ID=\"d\",START-DATE=\"2026-01-02T03:04:05Z\",DURATION=1.5,X-A=\"b\"\n\
    #EXTINF:9.5,\n#EXT-X-BYTERANGE:100@110\na.mp4\n#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\",KEYFORMAT=\"f\",KEYFORMATVERSIONS=\"1\"\n\
    #EXTINF:3,\nb.mp4\n#EXT-X-ENDLIST\n";

const MASTER: &str = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",LANGUAGE=\"fr\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"au\"\n\
    #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"c\",NAME=\"n\",INSTREAM-ID=\"SERVICE3\"\n\
    #EXT-X-STREAM-INF:BANDWIDTH=800,AVERAGE-BANDWIDTH=700,CODECS=\"avc1.4d401e\",RESOLUTION=640x360,FRAME-RATE=25,HDCP-LEVEL=NONE,\
    AUDIO=\"g\",CLOSED-CAPTIONS=\"c\",VIDEO-RANGE=SDR,NAME=\"low\"\nv.m3u8\n\
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100,URI=\"i.m3u8\"\n#EXT-X-SESSION-DATA:DATA-ID=\"d\",VALUE=\"v\"\n\
    #EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-START:TIME-OFFSET=1.5,PRECISE=YES\n";

fn converted(text: &str) -> theirs::Playlist {
    (&parse(text.as_bytes(), &ParseOptions::default()).unwrap().playlist).into()
}

#[test]
fn a_media_playlist_converts_to_what_their_reader_makes_of_it() {
    let ours = converted(MEDIA);
    let Ok(theirs::Playlist::MediaPlaylist(theirs)) = theirs::parse_playlist_res(MEDIA.as_bytes()) else {
        panic!("their reader refuses it")
    };
    let theirs::Playlist::MediaPlaylist(ours) = ours else { panic!("not media") };
    assert_eq!(
        ours.segments.iter().map(|it| it.uri.as_str()).collect::<Vec<_>>(),
        ["a.mp4", "a.mp4", "b.mp4"]
    );
    for (ours, theirs) in ours.segments.iter().zip(&theirs.segments) {
        assert_eq!((ours.duration, &ours.byte_range), (theirs.duration, &theirs.byte_range));
        assert_eq!((&ours.key, &ours.map), (&theirs.key, &theirs.map));
        assert_eq!((&ours.daterange, ours.program_date_time), (&theirs.daterange, theirs.program_date_time));
        assert_eq!(ours.discontinuity, theirs.discontinuity);
    }
    let whole = |it: &theirs::MediaPlaylist| theirs::MediaPlaylist { segments: Vec::new(), ..it.clone() };
    assert_eq!(whole(&ours), whole(&theirs));
}

#[test]
fn a_multivariant_playlist_converts_to_what_their_reader_makes_of_it() {
    let Ok(theirs::Playlist::MasterPlaylist(theirs)) = theirs::parse_playlist_res(MASTER.as_bytes()) else {
        panic!("their reader refuses it")
    };
    let theirs::Playlist::MasterPlaylist(ours) = converted(MASTER) else { panic!("not a master") };
    assert_eq!(ours.variants, theirs.variants);
    assert_eq!(ours.alternatives, theirs.alternatives);
    assert_eq!((&ours.session_data, &ours.session_key), (&theirs.session_data, &theirs.session_key));
    assert_eq!((ours.version, ours.start, ours.independent_segments), (theirs.version, theirs.start, true));
}

#[test]
fn what_they_can_carry_survives_there_and_back() {
    for text in [MEDIA, MASTER] {
        let there = converted(text);
        let back = text_of(&there).unwrap();
        assert_eq!(converted(str::from_utf8(&back).unwrap()), there);
    }
}

#[test]
fn the_end_of_encryption_is_written_out() {
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:1,\na\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:1,\nb\n";
    let theirs::Playlist::MediaPlaylist(playlist) = converted(text) else { panic!("not media") };
    let methods: Vec<_> =
        playlist.segments.iter().map(|it| it.key.as_ref().map(|key| key.method.clone())).collect();
    assert_eq!(methods, [Some(theirs::KeyMethod::AES128), Some(theirs::KeyMethod::None)]);
}
