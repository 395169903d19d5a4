//! Canaries in everything that is secret; no error, log or `Debug` output may sing.

use std::sync::Arc;

use dtg_testkit::Fault;
use dtg_testkit::fairplay::{Flaw, Policy, Protocol, Step};
use fairplay_keys::{
    Cancel, KeyUri, LicenseUrl, PersistableKey, SystemFault, TemplateProvider, Token, TokenError, TokenNeed,
    TokenSource,
};
use local_assets::{FairPlaySetup, LocalAssetsManager};
use media_entry::{DrmParams, MediaSource, Platform};

use crate::world::*;

const CANARY: &str = "c4n4ry";

#[derive(Debug)]
struct Canary;

impl TokenSource for Canary {
    fn token(&self, _: TokenNeed<'_>, _: &Cancel) -> Result<Option<Token>, TokenError> {
        Ok(Some(Token::new(CANARY)))
    }
}

/// The texts that a failure leaves behind.
#[derive(Default)]
struct Cage(Vec<String>);

impl Cage {
    fn catch(&mut self, thing: &(impl std::fmt::Debug + ?Sized)) {
        self.0.push(format!("{thing:?} {thing:#?}"));
    }

    fn catch_error(&mut self, error: &(dyn std::error::Error + 'static)) {
        self.0.push(format!("{error:?} {error}"));
        let mut cause = error.source();
        while let Some(error) = cause {
            self.0.push(format!("{error:?} {error}"));
            cause = error.source();
        }
    }

    #[track_caller]
    fn check(&self, world: &World) {
        let certificate: String =
            world.server.certificate()[..16].iter().map(|byte| format!("{byte}, ")).collect();
        for text in &self.0 {
            assert!(!text.contains(CANARY), "{text}");
            assert!(!text.contains(&certificate), "{text}");
            // No run of bytes as `Debug` prints them, and no long base64.
            assert!(!text.contains("[0, 0, 0, 1, 0,"), "{text}");
            assert!(text.split(|it: char| !it.is_ascii_alphanumeric()).all(|word| word.len() < 90), "{text}");
        }
    }
}

fn setup(world: &World) -> FairPlaySetup {
    let provider = TemplateProvider::axinom();
    FairPlaySetup { provider: Arc::new(provider), tokens: Arc::new(Canary), ..world.setup(world.folder()) }
}

#[test]
fn no_error_or_debug_output_shows_a_token_spc_ckc_key_or_certificate() {
    let flaws =
        [Flaw::OtherR1, Flaw::Cut, Flaw::Version, Flaw::LastByte, Flaw::NothingReturned, Flaw::EmptyBody];
    let mut policies: Vec<Policy> = flaws.into_iter().map(Policy::with_flaw).collect();
    policies.push(Policy::denying(200, &format!("the token {CANARY}{} is not known", "x".repeat(40))));
    policies.push(Policy::default());
    for policy in policies {
        let world = World::new();
        world.server.set_policy(policy);
        let mut cage = Cage::default();
        let setup = setup(&world);
        cage.catch(&setup);
        let assets = LocalAssetsManager::new(Platform::desktop()).with_fair_play(setup).unwrap();
        let content = world.content();
        let location = world.download(&content, "1_abc", &movie());
        let url = format!("{}?custom_data={CANARY}#{CANARY}", world.server.license_url(&Protocol::AXINOM));
        let drm = DrmParams::fair_play(url.clone(), world.server.certificate());
        let source = MediaSource { drm: vec![drm], ..MediaSource::new("hls", "https://h.test/a.m3u8") };
        cage.catch(&source);
        match assets.register_downloaded_asset(&location, &source) {
            Ok(registration) => cage.catch(&registration),
            Err(error) => cage.catch_error(&error),
        }
        world.server.origin().fault(Fault::Redirect { status: 302, location: format!("/x?{CANARY}") });
        let failed = assets.renew_downloaded_asset(&location, &source, &Cancel::new());
        failed.map_or_else(|error| cage.catch_error(&error), |_| ());
        world.device.fail_next(Step::AnswerStored, SystemFault::KeyInvalid);
        if let Err(error) = world.plays(&assets, "movie-1") {
            cage.catch_error(&error);
        }
        cage.catch(&assets);
        cage.catch(&assets.keys());
        cage.catch(&LicenseUrl::new(url));
        cage.catch(&Token::new(CANARY));
        cage.catch(&PersistableKey::new(CANARY));
        cage.catch(&KeyUri::new("skd://movie-1").unwrap());
        cage.catch(&assets.unregister_downloaded_asset(&location.id).unwrap());
        cage.catch(&assets.keys().unwrap().pending_releases().unwrap());
        cage.check(&world);
    }
}
