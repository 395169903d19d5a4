//! Bytes taken for an answer of a license service, a certificate, a stored key of Kaltura's player and a key URI.
#![no_main]

use fairplay_keys::{
    Certificate, Ckc, ContentIdRule, HttpResponse, KeyUri, LicenseProvider, SecretBytes, TemplateProvider,
    read_fpskey,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let response = HttpResponse { status: 200, headers: Vec::new(), body: SecretBytes::new(input) };
    for provider in [TemplateProvider::kaltura(), TemplateProvider::raw()] {
        match provider.parse(&response) {
            Ok(reply) => assert!(Ckc::new(reply.ckc.expose()).is_ok(), "a license with a broken header"),
            Err(error) => {
                assert!(!error.is_retryable(), "a refusal is never tried again: {error}");
                assert!(error.to_string().len() < 4096, "an error holds an excerpt, not the answer");
            }
        }
    }
    if let Ok(certificate) = Certificate::from_bytes(input) {
        let again = Certificate::from_bytes(certificate.as_der());
        assert!(again.is_ok_and(|again| again == certificate));
    }
    if let Ok(key) = read_fpskey("movie-1.fpskey", input) {
        assert_eq!(key.key_uri.as_str(), "skd://movie-1");
    }
    let Ok(uri) = std::str::from_utf8(input).map(KeyUri::new) else { return };
    let Ok(uri) = uri else { return };
    let rules = [
        ContentIdRule::Host,
        ContentIdRule::AfterScheme,
        ContentIdRule::Query,
        ContentIdRule::QueryItem("id".to_owned()),
        ContentIdRule::AfterLastSemicolon,
        ContentIdRule::LastSegment,
        ContentIdRule::WholeUri,
        ContentIdRule::Base64Of(Box::new(ContentIdRule::AfterScheme)),
    ];
    for rule in rules {
        match rule.apply(&uri) {
            Ok(id) => assert!((2..=200).contains(&id.as_bytes().len())),
            Err(error) => assert!(error.to_string().len() < 1024),
        }
    }
});
