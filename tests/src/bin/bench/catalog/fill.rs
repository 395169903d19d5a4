//! A root of many items: one is made by the manager, the others are its files under other names.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use dtg_core::{ItemId, benching};
use dtg_testkit::Origin;

use super::{NEW, added, manager};

/// No file has more names than this: ext4 allows 65,000.
const NAMES: usize = 50_000;

/// Makes the folders of `size` items, of which [`NEW`] have no plan, and no catalog.
pub(super) fn fill(root: &Utf8Path, origin: &Origin, size: usize, parts: usize) -> Result<()> {
    let site = root.with_file_name("site");
    fs::write(site.join("model.m3u8"), playlist(parts)?)?;
    let opened = manager(root)?;
    added(&opened, &origin.url("/model.m3u8"))?;
    opened.close();
    let model = root.join("model");
    fs::rename(root.join("items/model"), &model)?;
    fs::remove_file(model.join("item"))?;
    fs::remove_file(root.join("catalog.redb"))?;
    let mut copy = model.clone();
    for n in 0..size {
        let folder = root.join(format!("items/item-{n:06}"));
        let is_new = n < NEW;
        if n % NAMES == NAMES - 1 {
            copy = root.join(format!("model-{n}"));
            spread(&model, &copy, |from, to| fs::copy(from, to).map(drop))?;
        }
        if is_new {
            fs::create_dir(&folder)?;
        } else {
            spread(&copy, &folder, |from, to| fs::hard_link(from, to))?;
        }
        let id = ItemId::new(format!("item-{n:06}"))?;
        let order = u64::try_from(n)?;
        let record = benching::item_record(&id, "https://cdn.example/master.m3u8", order, u64::from(!is_new));
        fs::write(folder.join("item"), record)?;
    }
    ensure!(fs::read_dir(root.join("items"))?.count() == size, "every item has a folder");
    Ok(())
}

fn playlist(parts: usize) -> Result<String> {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n".to_owned();
    for n in 0..parts {
        writeln!(text, "#EXTINF:4,\nsegment-{n:05}.ts")?;
    }
    Ok(text + "#EXT-X-ENDLIST\n")
}

/// Makes a folder like another one, its files by `place`.
fn spread(
    from: &Utf8Path,
    to: &Utf8PathBuf,
    place: fn(&Utf8Path, &Utf8Path) -> std::io::Result<()>,
) -> Result<()> {
    fs::create_dir(to)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            spread(entry.path(), &to, place)?;
        } else {
            place(entry.path(), &to)?;
        }
    }
    Ok(())
}
