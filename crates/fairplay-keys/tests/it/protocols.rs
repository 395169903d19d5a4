//! Each license service that there is a template for, asked as it wants to be asked.

use std::sync::Arc;

use dtg_testkit::fairplay::{ContentKey, Flaw, KeyServer, Policy, Protocol, TestCdm, TestClock};
use fairplay_keys::{
    AssetId, Body, Cancel, Certificate, ContentIdRule, ContentKeySystem, Engine, EngineParts, EnginePolicy,
    FormPart, Intent, KeyDemand, KeyPlan, KeyUri, LicenseSource, LicenseUrl, MemoryStore, Place, ReplyForm,
    TemplateProvider, Token, TokenError, TokenNeed, TokenSource, Value,
};

use crate::transport::Plain;

/// Base64 of `{"userId":"u","sessionId":"s","merchant":"m"}`: a token like any other, and custom data.
const TOKEN: &str = "eyJ1c2VySWQiOiJ1Iiwic2Vzc2lvbklkIjoicyIsIm1lcmNoYW50IjoibSJ9";

#[derive(Debug)]
struct OneToken;

impl TokenSource for OneToken {
    fn token(&self, _: TokenNeed<'_>, _: &Cancel) -> Result<Option<Token>, TokenError> {
        Ok(Some(Token::new(TOKEN)))
    }
}

/// Obtains a key in this protocol, and plays by it; `id` is the content identifier that the service has to see.
#[track_caller]
fn check(protocol: &Protocol, provider: TemplateProvider, key_uri: &str, id: &str, policy: Policy) {
    let server = KeyServer::start(3).unwrap();
    let content_key = ContentKey::derived(id.as_bytes());
    server.add_content(id, content_key);
    server.set_policy(policy);
    if provider.headers.iter().any(|(_, value)| *value == Value::Token) {
        server.allow_tokens([TOKEN]);
    }
    let device = TestCdm::new(4, Arc::new(TestClock::at(1_800_000_000)));
    let engine = Engine::new(EngineParts {
        system: Arc::new(device.clone()),
        store: Arc::new(MemoryStore::new()),
        transport: Arc::new(Plain::new()),
        clock: Arc::new(TestClock::at(1_800_000_000)),
        policy: EnginePolicy::default(),
    });
    let source = LicenseSource {
        url: LicenseUrl::new(server.license_url(protocol)),
        certificate: Certificate::from_bytes(server.certificate()).unwrap(),
        provider: Arc::new(provider),
        tokens: Arc::new(OneToken),
    };
    let key_uri = KeyUri::new(key_uri).unwrap();
    let demand =
        KeyDemand { key_uri: key_uri.clone(), key_format_versions: None, places: vec![Place::Session] };
    let plan = KeyPlan { required: vec![demand], ..KeyPlan::default() };
    let keys = engine.acquire(&AssetId::new("a").unwrap(), &plan, &source, &Cancel::new()).unwrap();
    assert!(keys.is_ready(), "{}: {:?}", protocol.name, keys.first_error());
    engine.answer(device.open(&key_uri, Intent::Play).unwrap()).unwrap();
    assert!(device.content_key(&key_uri).unwrap().key == content_key.key, "{}", protocol.name);
}

fn form(parts: &[&str]) -> Body {
    let item = |name: &&str| {
        FormPart::Item((*name).to_owned(), if *name == "spc" { Value::Spc } else { Value::ContentId })
    };
    Body::Form(parts.iter().map(item).collect())
}

fn json(path: &str) -> Body {
    Body::Json(vec![(path.to_owned(), Value::Spc)])
}

fn header(name: &str) -> Vec<(String, Value)> {
    vec![(name.to_owned(), Value::Token)]
}

#[test]
fn every_service_with_a_function_gives_a_key_that_plays() {
    let good = Policy::default;
    check(&Protocol::KALTURA, TemplateProvider::kaltura(), "skd://entry-1", "entry-1", good());
    for protocol in [Protocol::RAW, Protocol::RAW_TO_BASE64, Protocol::RAW_TO_TAG] {
        check(&protocol, TemplateProvider::raw(), "skd://entry-1", "entry-1", good());
    }
    check(&Protocol::BASE64, TemplateProvider::base64(), "skd://entry-1", "entry-1", good());
    check(&Protocol::FORM, TemplateProvider::form(), "skd://entry-1", "entry-1", good());
    check(&Protocol::JSON, TemplateProvider::json(), "skd://entry-1", "entry-1", good());
    check(&Protocol::AXINOM, TemplateProvider::axinom(), "skd://4f2b-11:0011", "4f2b-11:0011", good());
    let id = "assetId=a&variantId=v";
    check(&Protocol::DRMTODAY, TemplateProvider::castlabs(), &format!("skd://drmtoday?{id}"), id, good());
}

#[test]
fn services_that_a_user_fills_in_give_a_key_that_plays() {
    let good = Policy::default;
    let raw = TemplateProvider::raw;
    let keyos = TemplateProvider {
        content_id: ContentIdRule::AfterScheme,
        body: form(&["spc", "assetId"]),
        headers: header("x-keyos-authorization"),
        ..raw()
    };
    check(&Protocol::KEYOS, keyos, "skd://asset-1", "asset-1", good());
    let ezdrm = TemplateProvider { content_id: ContentIdRule::AfterLastSemicolon, ..raw() };
    check(&Protocol::EZDRM, ezdrm, "skd://fps.test/;4f2b", "4f2b", good());
    let vudrm = TemplateProvider {
        content_id: ContentIdRule::LastSegment,
        body: json("payload"),
        headers: header("x-vudrm-token"),
        ..raw()
    };
    check(&Protocol::VUDRM, vudrm, "skd://h/a/asset-1", "asset-1", good());
    let custom_data =
        TemplateProvider { headers: header("x-dt-custom-data"), ..TemplateProvider::castlabs() };
    let id = "assetId=a&variantId=v";
    check(&Protocol::DRMTODAY_CUSTOM_DATA, custom_data, &format!("skd://drmtoday?{id}"), id, good());
    let doverunner = TemplateProvider {
        content_id: ContentIdRule::AfterScheme,
        headers: header("pallycon-customdata-v2"),
        ..TemplateProvider::form()
    };
    check(&Protocol::DOVERUNNER, doverunner, "skd://site/asset-1", "site/asset-1", good());
    let verimatrix = TemplateProvider { content_id: ContentIdRule::BeforeQuery, ..TemplateProvider::json() };
    check(&Protocol::VERIMATRIX, verimatrix, "skd://asset-1?x", "asset-1", good());
    let nagra = TemplateProvider {
        content_id: ContentIdRule::Base64Of(Box::new(ContentIdRule::BeforeQuery)),
        headers: header("nv-authorizations"),
        ..raw()
    };
    check(&Protocol::NAGRA, nagra, "skd://YXNzZXQtMQ==?x", "asset-1", good());
    let reply = ReplyForm {
        license: vec!["getFairplayLicenseResponse/ckcResponse".to_owned()],
        ..ReplyForm::default()
    };
    let comcast = TemplateProvider {
        body: json("getFairplayLicense/spcMessage"),
        query: vec![("token".to_owned(), Value::Token)],
        reply,
        ..raw()
    };
    check(&Protocol::COMCAST, comcast, "skd://asset-1", "asset-1", good());
    let brightcove = TemplateProvider { body: json("server_playback_context"), ..raw() };
    check(&Protocol::BRIGHTCOVE, brightcove, "skd://asset-1", "asset-1", good());
}

#[test]
fn what_servers_do_to_base64_and_json_is_read_all_the_same() {
    let flaws = [Flaw::NewerServer, Flaw::DoubleBase64, Flaw::Lines, Flaw::UrlBase64, Flaw::ByteOrderMark];
    for flaw in flaws {
        check(
            &Protocol::KALTURA,
            TemplateProvider::kaltura(),
            "skd://entry-1",
            "entry-1",
            Policy::with_flaw(flaw),
        );
    }
}
