//! Golden requests of the license services.

use super::*;
use crate::asset::AssetId;
use crate::key_error::KeyErrorKind;
use crate::provider::{LicenseUrl, Purpose};
use crate::secret::Token;

const SPC: [u8; 5] = [0xfb, 0xef, 0xff, 0x00, 0x01];

/// The request for this key at this address with the token `t0ken`, as text: method, address, headers, body.
fn golden(provider: &TemplateProvider, url: &str, key_uri: &str) -> String {
    let key_uri = KeyUri::new(key_uri).unwrap();
    let request = build(provider, url, &key_uri, Some(&Token::new("t0ken"))).unwrap();
    let headers: Vec<String> =
        request.headers().iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let body = request.body().expose();
    let body = std::str::from_utf8(body).map_or_else(|_| format!("{body:02x?}"), str::to_owned);
    format!("{:?} {}\n{}\n\n{body}", request.method(), request.url(), headers.join("\n"))
}

fn build(
    provider: &TemplateProvider,
    url: &str,
    key_uri: &KeyUri,
    token: Option<&Token>,
) -> Result<HttpRequest, KeyError> {
    let content_id = provider.content_id(key_uri)?;
    let context = LicenseContext {
        license_url: &LicenseUrl::new(url),
        key_uri,
        content_id: &content_id,
        asset: &AssetId::new("asset-1").unwrap(),
        token,
        purpose: Purpose::Acquire,
    };
    provider.request(&Spc::new(SPC), &context)
}

#[test]
fn kaltura_is_asked_with_base64_as_octets() {
    let url = "https://udrm.test/fps/license?custom_data=eyJhIjoxfQ%3D%3D&signature=a%2Bb";
    assert_eq!(
        golden(&TemplateProvider::kaltura(), url, "skd://entry-1"),
        format!("Post {url}\nContent-Type: application/octet-stream\n\n++//AAE=")
    );
}

#[test]
fn the_generic_services_are_asked_with_bytes_base64_a_form_or_json() {
    let check = |provider: TemplateProvider, content_type: &str, body: &str| {
        let expected = format!("Post https://l.test/?x\nContent-Type: {content_type}\n\n{body}");
        assert_eq!(golden(&provider, "https://l.test/?x#fragment", "skd://ab"), expected);
    };
    check(TemplateProvider::raw(), "application/octet-stream", "[fb, ef, ff, 00, 01]");
    check(TemplateProvider::base64(), "application/octet-stream", "++//AAE=");
    check(TemplateProvider::form(), "application/x-www-form-urlencoded", "spc=%2B%2B%2F%2FAAE%3D");
    check(TemplateProvider::json(), "application/json", r#"{"spc":"++//AAE="}"#);
}

#[test]
fn castlabs_is_asked_with_a_form_that_the_key_uris_query_ends() {
    assert_eq!(
        golden(
            &TemplateProvider::castlabs(),
            "https://l.test/",
            "skd://drmtoday?assetId=a&variantId=v&keyId=k"
        ),
        "Post https://l.test/\nContent-Type: application/x-www-form-urlencoded\nx-dt-auth-token: t0ken\n\n\
         spc=%2B%2B%2F%2FAAE%3D&assetId=a&variantId=v&keyId=k"
    );
}

#[test]
fn axinom_is_asked_with_bytes_and_its_message() {
    let provider = TemplateProvider::axinom();
    assert_eq!(
        golden(&provider, "https://l.test/AcquireLicense", "skd://4f2b-11:00112233"),
        "Post https://l.test/AcquireLicense\nContent-Type: application/octet-stream\nX-AxDRM-Message: t0ken\n\n\
         [fb, ef, ff, 00, 01]"
    );
    let uri = KeyUri::new("skd://4f2b-11:00112233").unwrap();
    assert_eq!(provider.content_id(&uri).unwrap().as_bytes(), b"4f2b-11:00112233");
}

#[test]
fn other_services_are_templates_that_a_user_fills_in() {
    let text = |text: &str| text.to_owned();
    let ezdrm = TemplateProvider {
        content_id: ContentIdRule::AfterLastSemicolon,
        address: Address::Filled(vec![(text("^assetId^"), Value::ContentId)]),
        ..TemplateProvider::raw()
    };
    let request = golden(&ezdrm, "https://fps.test/licenses/^assetId^", "skd://fps.test/;a;4f/2b");
    assert!(request.starts_with("Post https://fps.test/licenses/4f%2F2b\n"), "{request}");

    let comcast = TemplateProvider {
        body: Body::Json(vec![
            (text("getFairplayLicense/releasePid"), Value::AssetId),
            (text("getFairplayLicense/spcMessage"), Value::Spc),
        ]),
        query: vec![(text("token"), Value::Token), (text("form"), Value::Text(text("json")))],
        ..TemplateProvider::raw()
    };
    assert_eq!(
        golden(&comcast, "https://l.test/", "skd://ab"),
        "Post https://l.test/?token=t0ken&form=json\nContent-Type: application/json\n\n\
         {\"getFairplayLicense\":{\"releasePid\":\"asset-1\",\"spcMessage\":\"++//AAE=\"}}"
    );

    let uplynk = TemplateProvider { address: of_key_uri(), ..TemplateProvider::json() };
    let request = golden(&uplynk, "https://unused.test/", "skd://content.test/ck?a=1");
    assert!(request.starts_with("Post https://content.test/ck?a=1\n"), "{request}");

    let irdeto = TemplateProvider {
        content_id: ContentIdRule::WholeUri,
        query: vec![(text("contentId"), Value::QueryItem(text("contentId")))],
        ..TemplateProvider::raw()
    };
    let request = golden(&irdeto, "https://l.test/?app=1", "skd://h?keyId=2&contentId=c-3");
    assert!(request.starts_with("Post https://l.test/?app=1&contentId=c-3\n"), "{request}");
}

#[test]
fn a_service_that_wants_a_token_is_not_asked_without() {
    let uri = KeyUri::new("skd://ab").unwrap();
    let error = build(&TemplateProvider::axinom(), "https://l.test/", &uri, None).unwrap_err();
    assert_eq!(error.to_string(), "no token: the service wants one");
}

#[test]
fn a_token_with_a_line_break_is_not_sent() {
    let uri = KeyUri::new("skd://ab").unwrap();
    let token = Token::new("canary\r\nX-Other: 1");
    let error = build(&TemplateProvider::axinom(), "https://l.test/", &uri, Some(&token)).unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn of_key_uri() -> Address {
    Address::OfKeyUri { hosts: vec![text("content.test")] }
}

#[test]
fn a_token_goes_to_no_host_that_a_playlist_has_chosen() {
    let headers = vec![(text("Authorization"), Value::Token)];
    let content_id = ContentIdRule::WholeUri;
    let provider =
        TemplateProvider { address: of_key_uri(), headers, content_id, ..TemplateProvider::json() };
    let asked = |uri: &str| {
        let token = Token::new("canary");
        build(&provider, "https://unused.test/", &KeyUri::new(uri).unwrap(), Some(&token))
    };
    for uri in ["skd://content.test/ck", "SKD://CONTENT.test:8443/ck", "skd://content.test?a=1"] {
        assert!(asked(uri).is_ok(), "{uri}");
    }
    let elsewhere = [
        "skd://evil.test/ck",
        "skd://content.test.evil.test/ck",
        "skd://content.test@evil.test/ck",
        "skd://content.test:x@evil.test/ck",
        "skd://evil.test\\@content.test/ck",
        "skd://evil.test#@content.test/",
        "skd:///content.test/ck",
        "skd://",
    ];
    for uri in elsewhere {
        let error = asked(uri).unwrap_err();
        assert!(matches!(error.kind(), KeyErrorKind::Request(RequestFault::Host(_))), "{uri}: {error}");
    }
}

#[test]
fn no_text_that_an_application_puts_into_a_request_is_printed() {
    let headers = vec![(text("X-Api-Key"), Value::Text(text("canary")))];
    let shown = format!("{:?}", TemplateProvider { headers, ..TemplateProvider::json() });
    assert!(shown.contains("X-Api-Key") && !shown.contains("canary"), "{shown}");
}
