//! A folder, an origin with a small presentation, and the program.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use assert_cmd::assert::{Assert, OutputAssertExt as _};
use camino::Utf8PathBuf;
use camino_tempfile::Utf8TempDir;
use dtg_testkit::{Memory, Origin};
use serde_json::Value;

pub(crate) const MASTER: &str = r#"#EXTM3U
#EXT-X-VERSION:4
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/en.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Français",LANGUAGE="fr",AUTOSELECT=YES,CHANNELS="2",URI="audio/fr.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",LANGUAGE="en",URI="text/en.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1500000,AVERAGE-BANDWIDTH=1200000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="aac",SUBTITLES="subs"
720p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=400000,AVERAGE-BANDWIDTH=350000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="aac",SUBTITLES="subs"
360p.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,CODECS="avc1.42c01e",RESOLUTION=640x360,URI="iframes.m3u8"
"#;

/// A media playlist of two segments of four seconds.
pub(crate) fn media(extension: &str) -> String {
    format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n\
         #EXTINF:4.0,\n0.{extension}\n#EXTINF:3.52,\n1.{extension}\n#EXT-X-ENDLIST\n"
    )
}

/// Files by path: a presentation below `/show`, and things that are none.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut put = |path: &str, body: Vec<u8>| files.insert(path.to_owned(), body);
    put("/show/master.m3u8", MASTER.into());
    for name in ["360p", "720p"] {
        put(
            &format!("/show/{name}.m3u8"),
            media("ts")
                .replace("\n0.", &format!("\n{name}/0."))
                .replace("\n1.", &format!("\n{name}/1."))
                .into(),
        );
        put(&format!("/show/{name}/0.ts"), vec![1; 3000]);
        put(&format!("/show/{name}/1.ts"), vec![2; 2000]);
    }
    for language in ["en", "fr"] {
        put(
            &format!("/show/audio/{language}.m3u8"),
            media("aac")
                .replace("\n0.", &format!("\n{language}-0."))
                .replace("\n1.", &format!("\n{language}-1."))
                .into(),
        );
        put(&format!("/show/audio/{language}-0.aac"), vec![3; 700]);
        put(&format!("/show/audio/{language}-1.aac"), vec![4; 600]);
    }
    put("/show/text/en.m3u8", media("vtt").into());
    put("/show/text/0.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n".into());
    put("/show/text/1.vtt", b"WEBVTT\n".into());
    put("/page.m3u8", b"<!DOCTYPE html><html><body>Sign in</body></html>".into());
    put(
        "/live.m3u8",
        media("ts").replace("#EXT-X-ENDLIST\n", "").replace("#EXT-X-PLAYLIST-TYPE:VOD\n", "").into(),
    );
    put("/gone.m3u8", media("ts").replace("\n0.ts", "\nnot-there.ts").into());
    put("/1.ts", vec![5; 100]);
    files
}

pub(crate) struct World {
    pub(crate) folder: Utf8TempDir,
    pub(crate) origin: Origin,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            folder: camino_tempfile::tempdir().unwrap(),
            origin: Origin::start(Memory::new(files())).unwrap(),
        }
    }

    pub(crate) fn show(&self) -> String {
        self.origin.url("/show/master.m3u8")
    }

    pub(crate) fn store(&self) -> Utf8PathBuf {
        self.folder.path().join("store")
    }

    /// The program with these words, on this world's store.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dtg"));
        command.args(words).env("DTG_DIR", self.store()).env("NO_PROXY", "*").current_dir(self.folder.path());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        Ran(self.command(words).assert())
    }

    /// Runs a command that must succeed, and answers with its one JSON document.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let words = [words, &["--json"]].concat();
        serde_json::from_str(&self.run(&words).exits(0).stdout()).unwrap()
    }

    /// Downloads the show as item `show`.
    pub(crate) fn download(&self) {
        self.run(&["download", &self.show(), "--id", "show", "--quiet"]).exits(0);
    }

    pub(crate) fn spawn(&self, words: &[&str]) -> Running {
        let child = self
            .command(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running(Some(child))
    }

    /// Text in which this world's port and folder have fixed names.
    pub(crate) fn redacted(&self, text: &str) -> String {
        text.replace(&format!("127.0.0.1:{}", self.origin.port()), "ORIGIN")
            .replace(self.folder.path().as_str(), "DIR")
    }
}

/// A program that has ended.
pub(crate) struct Ran(Assert);

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        Self(self.0.code(code))
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.get_output().stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.get_output().stderr.clone()).unwrap()
    }

    /// The one line on stderr.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        let stderr = self.stderr();
        let lines: Vec<&str> = stderr.lines().filter(|line| line.starts_with("dtg: ")).collect();
        assert_eq!(lines.len(), 1, "{stderr}");
        lines[0].to_owned()
    }
}

/// A program that runs, and does not outlive its test.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    /// What Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&mut self) {
        let pid = rustix::process::Pid::from_child(self.child());
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    pub(crate) fn end(mut self) -> Ran {
        Ran(self.0.take().unwrap().wait_with_output().unwrap().assert())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port on which nobody listens.
pub(crate) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
