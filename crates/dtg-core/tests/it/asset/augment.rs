//! More renditions for a finished asset.

use super::*;

#[test]
fn a_finished_asset_is_augmented_with_what_it_lacks_and_nothing_else_is_fetched() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let task = shelf.task(&origin);
    assert_eq!(kind_of(task.augment(&[in_language("fr")])), "not-completed");
    assert!(shelf.names().is_empty());
    task.run().unwrap();
    origin.clear_requests();
    let location = task.augment(&[in_language("fr"), in_language("de")]).unwrap();
    let more = [("audio/2.m3u8", "fr", 2), ("audio/3.m3u8", "de", 2)];
    check_plays(&location, &[&[VIDEO, ENGLISH], &more[..]].concat());
    assert_eq!(media_asked(&origin), "de-0.ts de-1.ts fr-0.ts fr-1.ts");
    assert_eq!(shelf.names(), ["film"]);
    let asset = DownloadedAsset::open(shelf.film()).unwrap().unwrap();
    assert_eq!(asset.tracks.len(), 3);

    origin.clear_requests();
    assert_eq!(shelf.task(&origin).augment(&[in_language("fr")]).unwrap(), location, "it has that");
    assert_eq!(media_asked(&origin), "");
    assert_eq!(shelf.names(), ["film"]);
}

#[test]
fn an_asset_plays_as_before_until_what_is_added_is_there() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    let before = shelf.task(&origin).run().unwrap();
    origin.fault(Rule::from(Fault::status(500)).on("/fr-1.ts").first(1));
    assert_eq!(kind_of(shelf.task(&origin).augment(&[in_language("fr")])), "status");
    check_plays(&before, &[VIDEO, ENGLISH]);
    assert_eq!(shelf.task(&origin).run().unwrap(), before, "the asset is finished");
    origin.clear_requests();
    let after = shelf.task(&origin).augment(&[in_language("fr")]).unwrap();
    check_plays(&after, &[VIDEO, ENGLISH, ("audio/2.m3u8", "fr", 2)]);
    assert_eq!(media_asked(&origin), "fr-1.ts", "the earlier call is gone on with");
}

#[test]
fn another_wish_does_not_go_on_with_what_an_earlier_one_left() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    shelf.task(&origin).run().unwrap();
    origin.fault(Rule::from(Fault::status(500)).on("/fr-1.ts").first(1));
    assert_eq!(kind_of(shelf.task(&origin).augment(&[in_language("fr")])), "status");
    let after = shelf.task(&origin).augment(&[in_language("de")]).unwrap();
    check_plays(&after, &[VIDEO, ENGLISH, ("audio/2.m3u8", "de", 2)]);
}

#[test]
fn an_asset_of_another_encode_is_not_augmented_and_stays() {
    let (shelf, first) = (Shelf::new(), origin(presentation("")));
    let before = shelf.task(&first).run().unwrap();
    let mut other = presentation("");
    add(&mut other, "v", 3, 4, "");
    let elsewhere = origin(other);
    assert_eq!(kind_of(shelf.task(&elsewhere).augment(&[in_language("fr")])), "another-encode");
    check_plays(&before, &[VIDEO, ENGLISH]);
}

#[test]
fn an_asset_that_is_augmented_without_a_title_keeps_its_own() {
    let (shelf, origin) = (Shelf::new(), origin(presentation("")));
    shelf.task(&origin).run().unwrap();
    let asset = RemoteAsset::new(id("x"), origin.url("/master.m3u8"));
    let nameless = AssetDownloadTask::builder(asset, shelf.film()).build().unwrap();
    nameless.augment(&[in_language("fr")]).unwrap();
    assert_eq!(DownloadedAsset::open(shelf.film()).unwrap().unwrap().title, "Film");
}

/// The presentation with the languages in another order.
fn reordered() -> BTreeMap<String, Vec<u8>> {
    let mut files = presentation("");
    let text = String::from_utf8(files["/master.m3u8"].clone()).unwrap();
    let (media, others): (Vec<&str>, Vec<&str>) = text.lines().partition(|it| it.starts_with("#EXT-X-MEDIA"));
    let lines = others[..1].iter().chain(media.iter().rev()).chain(&others[1..]);
    files.insert("/master.m3u8".into(), lines.map(|line| format!("{line}\n")).collect::<String>().into());
    files
}

#[test]
fn an_augmentation_that_goes_on_with_playlists_in_another_order_knows_its_tracks_afterwards() {
    let (shelf, first) = (Shelf::new(), origin(presentation("")));
    shelf.task(&first).run().unwrap();
    first.fault(Rule::from(Fault::status(500)).on("/fr-1.ts").first(1));
    assert_eq!(kind_of(shelf.task(&first).augment(&[in_language("fr")])), "status");
    let other = origin(reordered());
    shelf.task(&other).augment(&[in_language("fr")]).unwrap();
    let after = shelf.task(&other).augment(&[in_language("de")]).unwrap();
    check_plays(&after, &[VIDEO, ENGLISH, ("audio/2.m3u8", "fr", 2), ("audio/3.m3u8", "de", 2)]);
}
