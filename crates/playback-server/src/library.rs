//! What the server plays, seen from the outside.

use camino::{Utf8Path, Utf8PathBuf};

use crate::media_type::media_type;

/// What may be played. The server asks it anew at each request, from threads of its own.
pub trait Library: Send + Sync + 'static {
    /// The presentation of an id; `None` for an unknown one, and for one that is not whole.
    fn open(&self, id: &str) -> Option<Presentation>;

    /// The ids of all that can be opened.
    fn ids(&self) -> Vec<String>;
}

/// A folder that may be served, and where playing starts in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentation {
    /// The folder. Every file below it whose extension is a medium's may be served.
    pub folder: Utf8PathBuf,
    /// The file that a player opens, relative to `folder`.
    pub master: Utf8PathBuf,
}

/// A file that may be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: Utf8PathBuf,
    pub(crate) media_type: &'static str,
}

impl Presentation {
    /// The file that `names` lead to from the folder, if it may be served.
    ///
    /// Symbolic links are followed as long as they stay inside the folder.
    pub(crate) fn find(&self, names: &[String]) -> Option<Found> {
        let media_type = media_type(names.last()?)?;
        if !names.iter().all(|name| is_plain(name)) {
            return None;
        }
        let folder = self.folder.canonicalize_utf8().ok()?;
        let path = names.iter().fold(folder.clone(), |path: Utf8PathBuf, name| path.join(name));
        let path = path.canonicalize_utf8().ok()?;
        (path.starts_with(&folder) && path.is_file() && has_type(&path, media_type))
            .then_some(Found { path, media_type })
    }
}

/// A link may not lend its extension to another kind of file.
fn has_type(path: &Utf8Path, expected: &str) -> bool {
    path.file_name().and_then(media_type) == Some(expected)
}

/// A name of a file or folder that means nothing else on any platform, and is not hidden.
fn is_plain(name: &str) -> bool {
    let special = |at: char| matches!(at, '/' | '\\' | ':') || at.is_control();
    !name.is_empty() && !name.starts_with('.') && !name.contains(special)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn shelf() -> (camino_tempfile::Utf8TempDir, Presentation) {
        let root = camino_tempfile::tempdir().unwrap();
        let folder = root.path().join("media");
        for (path, text) in [
            ("media/master.m3u8", "#EXTM3U\n"),
            ("media/video/0/000001.ts", "ts"),
            ("media/.hidden.ts", "x"),
            ("media/.git/a.ts", "x"),
            ("media/plan", "x"),
            ("media/plan.bincode", "x"),
            ("secret.ts", "secret"),
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir(folder.join("folder.ts")).unwrap();
        (root, Presentation { folder, master: "master.m3u8".into() })
    }

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let (_root, presentation) = shelf();
        let names: Vec<_> = path.split('|').map(str::to_owned).collect();
        let found = presentation.find(&names);
        assert_eq!(found.map(|found| found.media_type), expected, "{path}");
    }

    #[test]
    fn files_of_a_known_kind_are_found() {
        check("master.m3u8", Some("application/vnd.apple.mpegurl"));
        check("video|0|000001.ts", Some("video/mp2t"));
    }

    #[test]
    fn nothing_else_is() {
        for path in [
            "",
            "none.ts",
            "plan",
            "plan.bincode",
            ".hidden.ts",
            ".git|a.ts",
            "folder.ts",
            "video",
            "video|0|",
        ] {
            check(path, None);
        }
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for path in
            ["..|secret.ts", "../secret.ts", "video|..|..|secret.ts", "..\\secret.ts", "video/0/000001.ts"]
        {
            check(path, None);
        }
        let (root, presentation) = shelf();
        let absolute = root.path().join("secret.ts").into_string();
        assert_eq!(presentation.find(&[absolute]), None);
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_out_of_the_folder_or_to_another_kind_of_file() {
        use std::os::unix::fs::symlink;
        let (root, presentation) = shelf();
        symlink(root.path().join("secret.ts"), presentation.folder.join("out.ts")).unwrap();
        symlink(root.path(), presentation.folder.join("up")).unwrap();
        symlink(presentation.folder.join("plan"), presentation.folder.join("plan.ts")).unwrap();
        symlink("video/0/000001.ts", presentation.folder.join("in.ts")).unwrap();
        let find = |path: &str| presentation.find(&path.split('/').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!([find("out.ts"), find("up/secret.ts"), find("plan.ts")], [None, None, None]);
        assert!(find("in.ts").is_some());
    }
}
