//! Answers of license servers, good and bad.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::container::CkcFault;
use crate::secret::SecretBytes;

fn ckc() -> Vec<u8> {
    let head = [[0, 0, 0, 1], [0; 4]].concat();
    [&head[..], &[0xfb; 16], &[0, 0, 0, 16], &[0xff; 16]].concat()
}

fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpResponse { status, headers, body: SecretBytes::new(body) }
}

fn kaltura() -> ReplyForm {
    ReplyForm { duration: Some("persistence_duration".to_owned()), ..ReplyForm::default() }
}

#[track_caller]
fn check(body: impl AsRef<[u8]>) {
    let reply = kaltura().parse(&answer(200, &[], body.as_ref())).unwrap();
    assert_eq!(reply.ckc.expose(), ckc());
}

#[track_caller]
fn check_refused(body: impl AsRef<[u8]>, expected: impl Into<KeyErrorKind>) {
    assert_eq!(kaltura().parse(&answer(200, &[], body.as_ref())).unwrap_err().kind(), &expected.into());
}

#[test]
fn a_license_is_found_in_every_form_that_servers_use() {
    let base64 = STANDARD.encode(ckc());
    check(ckc());
    check(&base64);
    check(format!("\r\n{base64}\n"));
    check(format!("\n<ckc>{base64}</ckc>\n"));
    check(URL_SAFE_NO_PAD.encode(ckc()));
    let (first, second) = base64.split_at(20);
    check(format!("{first}\r\n{second}"));
    check(STANDARD.encode(&base64));
    check(format!("\u{feff}{{\"ckc\": \"{base64}\", \"unknown\": [1]}}"));
    check(format!(r#"{{"CkcMessage": "{base64}"}}"#));
    check(format!(r#"{{"License": "{base64}"}}"#));
    check(format!(r#""{base64}""#));
    check(format!(r#"{{"message": "no error here", "ckc": "{base64}"}}"#));
}

#[test]
fn a_license_is_found_where_the_service_puts_it() {
    let form = ReplyForm {
        license: vec!["getFairplayLicenseResponse/ckcResponse".to_owned()],
        ..ReplyForm::default()
    };
    let body =
        format!(r#"{{"getFairplayLicenseResponse": {{"ckcResponse": "{}"}}}}"#, STANDARD.encode(ckc()));
    assert_eq!(form.parse(&answer(200, &[], body.as_bytes())).unwrap().ckc.expose(), ckc());
}

#[test]
fn an_answer_without_a_license_says_what_it_is() {
    check_refused("", ReplyFault::Empty);
    check_refused(" \n", ReplyFault::Empty);
    check_refused("<!DOCTYPE html><title>Log in</title>", ReplyFault::WebPage);
    check_refused("{}", ReplyFault::NoCkc);
    check_refused(r#"{"ckc": ""}"#, ReplyFault::NoCkc);
    check_refused(r#"{"ckc": null}"#, ReplyFault::NoCkc);
    check_refused(r#"{"ckc": 1}"#, ReplyFault::NoCkc);
    check_refused(r#"{"ckc": "#, ReplyFault::Form);
    check_refused(r#"{"ckc": "*"}"#, ReplyFault::NotBase64);
    check_refused("<ckc>*</ckc>", ReplyFault::NotBase64);
    check_refused("not found", ReplyFault::Form);
    check_refused(STANDARD.encode([0, 0, 0, 9].repeat(8)), CkcFault::Version(9));
    check_refused(STANDARD.encode("short"), CkcFault::Version(0x7368_6f72));
    check_refused(&ckc()[..43], CkcFault::Length { stated: 16, actual: 15 });
    check_refused([0xff; 40], CkcFault::Version(u32::MAX));
}

#[test]
fn a_refusal_with_status_200_is_a_refusal() {
    let check = |body: &str, code: Option<&str>, message: &str| {
        let (code, message) = (code.map(str::to_owned), message.to_owned());
        check_refused(body, KeyErrorKind::ServerRejected { code, message });
    };
    check(r#"{"message": "an error occurred", "reference": "r"}"#, None, "an error occurred");
    check(r#"{"reference": null}"#, None, "no reason given");
    check(r#"{"status_code": 500}"#, Some("500"), "no reason given");
    check(r#"{"error": {"code": "E7", "message": "not\nentitled"}}"#, Some("E7"), "not entitled");
    check(
        r#"{"code": "INVALID_SESSION", "message": "no such asset (404)."}"#,
        Some("INVALID_SESSION"),
        "no such asset (404).",
    );
}

#[test]
fn of_a_servers_words_nothing_is_repeated_that_may_be_a_secret() {
    let secrets = [
        "sk_live_4eC39HqLyjW",
        "0123456789",
        "a1B2c3D4e5",
        "eyJhbGciOi.eyJzdWIiOi.c2ln",
        "dXNlcjpwYXNzd29yZA==",
        "djJ.x.y.z",
    ];
    for secret in secrets {
        let body = format!(r#"{{"code": "{secret}", "message": "bad token '{secret}' given"}}"#);
        let shown = kaltura().parse(&answer(200, &[], body.as_bytes())).unwrap_err();
        assert!(!shown.to_string().contains(secret), "{shown}");
        let expected = KeyErrorKind::ServerRejected {
            code: Some("...".to_owned()),
            message: "bad token ... given".to_owned(),
        };
        assert_eq!(shown.kind(), &expected);
    }
}

#[test]
fn a_status_that_is_not_2xx_is_an_error_whatever_the_body_is() {
    let check = |status: u16, headers: &[(&str, &str)], retry_after: Option<u64>| {
        let error = kaltura().parse(&answer(status, headers, &ckc())).unwrap_err();
        let retry_after = retry_after.map(Duration::from_secs);
        assert_eq!(error.kind(), &KeyErrorKind::Status { status, retry_after });
    };
    check(403, &[], None);
    check(302, &[("Location", "https://x.test/")], None);
    check(429, &[("Retry-After", "17")], Some(17));
    let date = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    check(503, &[date, ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(60));
    check(503, &[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")], None);
    check(503, &[("retry-after", "soon")], None);
    check_refused(b"", ReplyFault::Empty);
}

#[test]
fn a_stated_time_is_read_as_servers_write_it() {
    let check = |stated: &str, expected: Result<Limit, &str>| {
        let body = format!(r#"{{"ckc": "{}"{stated}}}"#, STANDARD.encode(ckc()));
        let reply = kaltura().parse(&answer(200, &[], body.as_bytes())).unwrap();
        assert_eq!(
            reply.duration,
            expected.map_err(|text| ReplyFault::Duration(text.to_owned())),
            "{stated}"
        );
    };
    let within = |seconds| Ok(Limit::Within(Duration::from_secs(seconds)));
    check("", Ok(Limit::Unspecified));
    check(r#", "persistence_duration": null"#, Ok(Limit::Unspecified));
    check(r#", "persistence_duration": 86400"#, within(86400));
    check(r#", "persistence_duration": "86400""#, within(86400));
    check(r#", "persistence_duration": 86400.9"#, within(86400));
    check(r#", "persistence_duration": 4294967296"#, within(4_294_967_296));
    check(r#", "persistence_duration": 18446744073709551615"#, within(u64::MAX));
    check(r#", "persistence_duration": 0"#, Err("0"));
    check(r#", "persistence_duration": -1"#, Err("-1"));
    check(r#", "persistence_duration": 1e300"#, Err("1e+300"));
    check(r#", "persistence_duration": 18446744073709551616"#, Err("1.8446744073709552e+19"));
    check(r#", "persistence_duration": "soon""#, Err("..."));
    check(r#", "persistence_duration": true"#, Err("..."));
    check(r#", "persistence_duration": "canary-0123456789""#, Err("..."));
}

#[test]
fn zero_seconds_are_unlimited_where_the_service_means_that() {
    let form = ReplyForm { zero: ZeroDuration::Unlimited, ..kaltura() };
    let body = format!(r#"{{"ckc": "{}", "persistence_duration": 0}}"#, STANDARD.encode(ckc()));
    assert_eq!(form.parse(&answer(200, &[], body.as_bytes())).unwrap().duration, Ok(Limit::Unlimited));
}

#[test]
fn the_servers_clock_is_read() {
    let response = answer(200, &[("date", "Thu, 01 Jan 1970 00:01:00 GMT")], &ckc());
    assert_eq!(kaltura().parse(&response).unwrap().server_time, Some(Timestamp(60)));
    let response = answer(200, &[("date", "yesterday")], &ckc());
    assert_eq!(kaltura().parse(&response).unwrap().server_time, None);
}
