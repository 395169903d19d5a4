//! The keys that a task meets.

use super::*;

const KEY: &str = "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k%C3%A9y?a=1\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"\n";

/// Tells what it is asked for, and answers what it is told to.
struct Scripted {
    asked: Sender<KeyRequest>,
    answers: Mutex<Receiver<Result<(), KeyLoadError>>>,
}

type Script = (Receiver<KeyRequest>, Sender<Result<(), KeyLoadError>>);

fn scripted() -> (Scripted, Script) {
    let ((asked, requests), (say, answers)) = (channel(), channel());
    (Scripted { asked, answers: Mutex::new(answers) }, (requests, say))
}

impl KeyLoader for Scripted {
    fn load(&self, request: &KeyRequest, _: &Cancellation) -> Result<(), KeyLoadError> {
        self.asked.send(request.clone()).unwrap();
        self.answers.lock().unwrap().recv().unwrap()
    }
}

#[test]
fn an_skd_key_without_a_loader_is_refused_before_any_media_and_says_what_to_call() {
    let (shelf, origin) = (Shelf::new(), origin(presentation(KEY)));
    let task = shelf.task(&origin);
    let error = task.run().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoKeyLoader(_)), "{error}");
    assert!(error.to_string().contains("prepare_for_download"), "{error}");
    assert!(!error.to_string().contains("a=1"), "{error}");
    assert_eq!((media_asked(&origin).as_str(), shelf.names()), ("", Vec::new()));
}

#[test]
fn a_key_is_obtained_once_during_the_download_and_nothing_is_complete_without_it() {
    let (shelf, origin) = (Shelf::new(), origin(presentation(KEY)));
    let (loader, (requests, say)) = scripted();
    let asset = RemoteAsset::new(id("x"), origin.url("/master.m3u8")).with_key_loader(loader);
    let task = Arc::new(shelf.task_of(asset));
    let running = thread::spawn({
        let task = Arc::clone(&task);
        move || task.run()
    });
    let request = requests.recv().unwrap();
    assert_eq!(request.asset, id("x"));
    assert_eq!(request.uri.as_deref(), Some("skd://k%C3%A9y?a=1"), "byte for byte");
    assert_eq!(request.key_format, "com.apple.streamingkeydelivery");
    assert_eq!(request.places, [KeyPlace::Media("video/0.m3u8".into())]);
    while task.progress().downloaded_bytes < 30_000 {
        thread::yield_now();
    }
    let progress = task.progress();
    assert_eq!((progress.loaded.len(), progress.keys, progress.keys_needed), (0, 0, 1), "{progress:?}");
    assert_eq!(shelf.names(), ["film.download"]);
    say.send(Ok(())).unwrap();
    let location = running.join().unwrap().unwrap();
    assert!(fs::read_to_string(location.folder_path().join("video/0.m3u8")).unwrap().contains(KEY));
    assert_eq!(task.progress().keys, 1);
    assert!(requests.try_recv().is_err(), "asked once");
}

#[test]
fn a_key_that_is_not_obtained_ends_the_task_and_the_next_run_asks_again() {
    let (shelf, origin) = (Shelf::new(), origin(presentation(KEY)));
    let (loader, (requests, say)) = scripted();
    let asset = RemoteAsset::new(id("x"), origin.url("/master.m3u8")).with_key_loader(loader);
    let task = shelf.task_of(asset);
    for (answer, state, remedy) in [
        (KeyLoadError::refused("not yours"), ItemState::Failed, Remedy::License),
        (KeyLoadError::unavailable("no answer"), ItemState::Interrupted, Remedy::TryAgain),
    ] {
        say.send(Err(answer)).unwrap();
        let error = task.run().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::KeyNotLoaded { .. }), "{error}");
        assert_eq!((task.state(), error.remedy()), (state, remedy));
    }
    say.send(Ok(())).unwrap();
    task.run().unwrap();
    assert_eq!(requests.try_iter().count(), 3);
}

#[test]
fn a_loader_that_never_answers_does_not_hold_up_a_cancel_and_one_that_panics_is_an_error() {
    let (shelf, origin) = (Shelf::new(), origin(presentation(KEY)));
    let (loader, (requests, _say)) = scripted();
    let asset = RemoteAsset::new(id("x"), origin.url("/master.m3u8")).with_key_loader(loader);
    let task = Arc::new(shelf.task_of(asset));
    let running = thread::spawn({
        let task = Arc::clone(&task);
        move || task.run()
    });
    requests.recv().unwrap();
    task.cancel();
    assert_eq!(kind_of(running.join().unwrap()), "cancelled");

    struct Panics;
    impl KeyLoader for Panics {
        fn load(&self, _: &KeyRequest, _: &Cancellation) -> Result<(), KeyLoadError> {
            panic!("a bug of the application")
        }
    }
    let asset = RemoteAsset::new(id("x"), origin.url("/master.m3u8")).with_key_loader(Panics);
    assert_eq!(kind_of(shelf.task_of(asset).run()), "key-not-loaded");
}

/// Tells when its calls begin, are cancelled and end. The first one ends when it was cancelled and may; the others at once.
struct Told {
    events: Sender<&'static str>,
    may_end: Mutex<Option<Receiver<()>>>,
}

impl KeyLoader for Told {
    fn load(&self, _: &KeyRequest, cancellation: &Cancellation) -> Result<(), KeyLoadError> {
        self.events.send("begins").unwrap();
        let first = self.may_end.lock().unwrap().take();
        if let Some(may_end) = &first {
            while cancellation.pause(Duration::from_secs(3600)) {}
            self.events.send("is cancelled").unwrap();
            may_end.recv().unwrap();
        }
        self.events.send("ends").unwrap();
        if first.is_some() { Err(KeyLoadError::Cancelled) } else { Ok(()) }
    }
}

#[test]
fn a_failed_download_cancels_its_loader_and_the_next_run_does_not_overlap_it() {
    let (shelf, origin) = (Shelf::new(), origin(presentation(KEY)));
    origin.fault(Rule::from(Fault::status(500)).on("/v-3.ts").first(1));
    let ((events, told), (let_end, may_end)) = (channel(), channel());
    let loader = Told { events, may_end: Mutex::new(Some(may_end)) };
    let asset = RemoteAsset::new(id("x"), origin.url("/master.m3u8")).with_key_loader(loader);
    let task = Arc::new(shelf.task_of(asset));
    assert_eq!(kind_of(task.run()), "status");
    let next = || told.recv_timeout(Duration::from_secs(60)).expect("the loader goes on");
    assert_eq!((next(), next()), ("begins", "is cancelled"));
    let running = thread::spawn({
        let task = Arc::clone(&task);
        move || task.run()
    });
    while task.progress().downloaded_bytes < 30_000 {
        thread::yield_now();
    }
    let_end.send(()).unwrap();
    running.join().unwrap().unwrap();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["ends", "begins", "ends"]);
}

#[test]
fn a_key_that_is_there_stays_there_through_a_suspension() {
    let (shelf, origin) = (Shelf::new(), origin(presentation(KEY)));
    let (loader, (requests, say)) = scripted();
    let asset = RemoteAsset::new(id("x"), origin.url("/master.m3u8")).with_key_loader(loader);
    let hold = origin.hold(|it| it.target.starts_with("/v-2.ts"));
    let task = Arc::new(shelf.task_of(asset));
    let events = task.subscribe();
    say.send(Ok(())).unwrap();
    let running = thread::spawn({
        let task = Arc::clone(&task);
        move || task.run()
    });
    hold.wait_for(1);
    while task.progress().keys == 0 {
        thread::yield_now();
    }
    task.suspend();
    let rests =
        |event: &dtg_core::Event| matches!(event, dtg_core::Event::State { state: ItemState::Paused, .. });
    while !events.recv().as_ref().is_some_and(rests) {}
    let before = task.progress();
    assert_eq!(before.keys, 1);
    hold.release();
    let hold = origin.hold(|it| it.target.starts_with("/v-2.ts"));
    task.resume();
    hold.wait_for(1);
    let after = task.progress();
    assert_eq!((after.keys, after.keys_needed), (1, 1));
    assert!(after.loaded.len() >= before.loaded.len() && after.downloaded_bytes >= before.downloaded_bytes);
    hold.release();
    running.join().unwrap().unwrap();
    assert_eq!(requests.try_iter().count(), 1, "once a run");
}
