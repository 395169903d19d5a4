//! What is where an asset is to be, and where it is downloaded.

use super::*;

#[test]
fn what_is_not_the_tasks_own_is_not_touched() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let put = |path: &Utf8Path| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    };
    for (path, taken) in
        [("film", "film"), ("film/notes.txt", "film"), ("film.download/notes.txt", "film.download/notes.txt")]
    {
        let path = shelf.0.path().join("shelf").join(path);
        put(&path);
        let error = shelf.task(&origin).run().unwrap_err();
        let expected = shelf.0.path().join("shelf").join(taken);
        assert!(matches!(error.kind(), ErrorKind::DestinationTaken(it) if *it == expected), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        fs::remove_dir_all(shelf.0.path().join("shelf")).unwrap();
    }
    shelf.task(&origin).run().unwrap();
    let other = shelf.task_of(RemoteAsset::new(id("y"), origin.url("/master.m3u8")));
    assert_eq!(kind_of(other.run()), "destination-taken", "another asset's");
    let root = AssetDownloadTask::builder(RemoteAsset::new(id("x"), origin.url("/a.m3u8")), "/").build();
    assert_eq!(kind_of(root), "setting");
}

#[test]
fn what_is_discarded_is_gone_and_a_finished_asset_stays() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    origin.fault(Rule::from(Fault::status(500)).on("/v-3.ts").first(1));
    let task = shelf.task(&origin);
    assert_eq!(kind_of(task.run()), "status");
    let of_another = shelf.task_of(RemoteAsset::new(id("y"), origin.url("/master.m3u8")));
    assert!(of_another.discard().is_err(), "what another asset left is left alone");
    assert_eq!(shelf.names(), ["film.download"]);
    task.discard().unwrap();
    assert!(shelf.names().is_empty());
    let task = shelf.task(&origin);
    task.run().unwrap();
    task.discard().unwrap();
    assert_eq!(shelf.names(), ["film"]);
}

/// `path` on the shelf, with somebody's own words in it.
fn put(shelf: &Shelf, path: &str) -> Utf8PathBuf {
    let path = shelf.0.path().join("shelf").join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "mine").unwrap();
    path
}

#[track_caller]
fn check_taken<T: std::fmt::Debug>(answer: Result<T, Error>, expected: &Utf8Path) {
    let error = answer.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::DestinationTaken(it) if it == expected), "{error}");
    if let Ok(words) = fs::read_to_string(expected) {
        assert_eq!(words, "mine");
    }
}

#[test]
fn an_empty_folder_at_the_destination_is_not_replaced() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    fs::create_dir_all(shelf.film()).unwrap();
    check_taken(shelf.task(&origin).run(), &shelf.film());
    assert_eq!(shelf.names(), ["film"]);
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed_nor_replaced() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let elsewhere = shelf.0.path().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::create_dir(shelf.0.path().join("shelf")).unwrap();
    for name in ["film", "film.download"] {
        let link = shelf.0.path().join("shelf").join(name);
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        check_taken(shelf.task(&origin).run(), &link);
        check_taken(shelf.task(&origin).discard(), &link);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(elsewhere.read_dir_utf8().unwrap().count(), 0);
        fs::remove_file(link).unwrap();
    }
}

#[test]
fn what_somebody_put_beside_a_half_asset_is_not_deleted_with_it() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    origin.fault(Rule::from(Fault::status(500)).on("/v-3.ts").first(1));
    assert_eq!(kind_of(shelf.task(&origin).run()), "status");
    for name in ["notes.txt", "media/notes.txt", "media/video/0/notes.txt", "origin/notes.txt"] {
        let notes = put(&shelf, &format!("film.download/{name}"));
        check_taken(shelf.task(&origin).run(), &notes);
        check_taken(shelf.task(&origin).discard(), &notes);
        fs::remove_file(notes).unwrap();
    }
    check_plays(&shelf.task(&origin).run().unwrap(), &[VIDEO, ENGLISH]);
}

/// Runs a task, and puts something at its destination while it waits for this part.
fn check_put_meanwhile(name: &str, part: &str, files: BTreeMap<String, Vec<u8>>, is_folder: bool) {
    let (shelf, origin) = (Shelf::new(), origin(files));
    let asset = || RemoteAsset::new(id("x"), origin.url(name));
    let part = part.to_owned();
    let hold = origin.hold_body(1, move |request| request.path() == part);
    let task = shelf.task_of(asset());
    let running = thread::spawn(move || task.run());
    hold.wait_for(1);
    let there = if is_folder {
        fs::create_dir(shelf.film()).unwrap();
        shelf.film()
    } else {
        put(&shelf, "film")
    };
    hold.release();
    check_taken(running.join().unwrap(), &there);
    if is_folder {
        fs::remove_dir(there).unwrap()
    } else {
        fs::remove_file(there).unwrap()
    }
    origin.clear_requests();
    shelf.task_of(asset()).run().unwrap();
    assert_eq!(shelf.names(), ["film"]);
    assert_eq!(origin.requests().len(), 0, "all of it was there");
}

#[test]
fn what_is_put_at_the_destination_during_a_download_stays() {
    for is_folder in [true, false] {
        check_put_meanwhile("/master.m3u8", "/v-3.ts", presentation(""), is_folder);
        let film = BTreeMap::from([("/film.mp4".to_owned(), segment("film", 0))]);
        check_put_meanwhile("/film.mp4", "/film.mp4", film, is_folder);
    }
}

#[test]
fn what_somebody_put_into_a_finished_asset_is_not_replaced_with_it() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    shelf.task(&origin).run().unwrap();
    let poster = put(&shelf, "film/poster.jpg");
    check_taken(shelf.task(&origin).augment(&[in_language("fr")]), &poster);
    fs::remove_file(poster).unwrap();
    shelf.task(&origin).augment(&[in_language("fr")]).unwrap();
}

/// As a process leaves it that was ended before its last step.
fn finished_but_not_in_place(origin: &Origin) -> Shelf {
    let shelf = Shelf::new();
    shelf.task(origin).run().unwrap();
    fs::rename(shelf.film(), shelf.film().with_file_name("film.download")).unwrap();
    shelf
}

#[test]
fn to_discard_a_finished_asset_that_is_not_in_its_place_puts_it_there() {
    let origin = origin(presentation(""));
    let shelf = finished_but_not_in_place(&origin);
    let task = shelf.task(&origin);
    task.discard().unwrap();
    assert_eq!(shelf.names(), ["film"]);
    assert_eq!(DownloadedAsset::open(shelf.film()).unwrap().unwrap().title, "Film");
}

#[test]
fn an_asset_that_is_not_in_its_place_yet_is_augmented_all_the_same() {
    let origin = origin(presentation(""));
    let shelf = finished_but_not_in_place(&origin);
    let location = shelf.task(&origin).augment(&[in_language("fr")]).unwrap();
    check_plays(&location, &[VIDEO, ENGLISH, ("audio/2.m3u8", "fr", 2)]);
    assert_eq!(shelf.names(), ["film"]);
}

#[test]
fn a_single_media_file_cannot_be_augmented_and_that_is_said() {
    let (shelf, origin) = (Shelf::new(), origin(BTreeMap::from([("/film.mp4".into(), segment("film", 0))])));
    let task = || shelf.task_of(RemoteAsset::new(id("x"), origin.url("/film.mp4")));
    assert_eq!(kind_of(task().augment(&[in_language("fr")])), "not-completed");
    task().run().unwrap();
    assert_eq!(kind_of(task().augment(&[in_language("fr")])), "not-augmentable");
    assert_eq!(shelf.names(), ["film"]);
}

#[test]
fn a_removed_asset_is_gone_finished_or_not_and_can_be_downloaded_again() {
    let mut files = presentation("");
    files.insert("/film.mp4".into(), segment("film", 0));
    for name in ["/master.m3u8", "/film.mp4"] {
        let (shelf, origin) = (Shelf::new(), origin(files.clone()));
        let task = || shelf.task_of(RemoteAsset::new(id("x"), origin.url(name)));
        let part = if name == "/film.mp4" { name } else { "/v-3.ts" };
        origin.fault(Rule::from(Fault::status(500)).on(part).first(1));
        assert_eq!(kind_of(task().run()), "status");
        task().remove().unwrap();
        assert!(shelf.names().is_empty(), "{name}, unfinished");
        let finished = task();
        finished.run().unwrap();
        finished.remove().unwrap();
        finished.remove().unwrap();
        assert!(shelf.names().is_empty(), "{name}, finished");
        assert_eq!(kind_of(finished.run()), "cancelled", "it was ended for good");
        task().run().unwrap();
    }
}

#[test]
fn what_is_another_assets_or_somebodys_is_not_removed() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    shelf.task(&origin).run().unwrap();
    let other = shelf.task_of(RemoteAsset::new(id("y"), origin.url("/master.m3u8")));
    check_taken(other.remove(), &shelf.film());
    let poster = put(&shelf, "film/poster.jpg");
    check_taken(shelf.task(&origin).remove(), &poster);
    fs::remove_file(poster).unwrap();
    shelf.task(&origin).remove().unwrap();
    let file = put(&shelf, "film");
    check_taken(shelf.task(&origin).remove(), &file);
}
