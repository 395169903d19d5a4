//! EXT-X-DEFINE and what it defines.

use super::*;

const QUERY: Rule = Rule::QueryParameter;

/// The first segment's URI.
fn uri(lines: &str, options: &ParseOptions<'_>) -> Result<String, Error> {
    let text = media_text(lines);
    let parsed = parse(text.as_bytes(), options)?;
    Ok(parsed.playlist.as_media().unwrap().segments[0].uri.text.to_string())
}

#[test]
fn a_defined_variable_is_substituted_in_uris_and_quoted_attributes_only() {
    let text = media_text(
        "#EXT-X-DEFINE:NAME=\"v\",VALUE=\"x\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"{$v}/k\",IV=0x{$n}\n#EXTINF:1,{$v}\n{$v}/1.ts",
    )
    .replace("#EXT-X-KEY", "#EXT-X-DEFINE:NAME=\"n\",VALUE=\"ff\"\n#EXT-X-KEY");
    check_clean(&text);
    let playlist = media(&text);
    let segment = &playlist.segments[0];
    assert_eq!((&*segment.uri.text, segment.title), ("x/1.ts", Some("{$v}")));
    assert_eq!(segment.uri.span.of(text.as_bytes()), b"{$v}/1.ts");
    let key = &playlist.keys_of(segment)[0];
    assert_eq!((key.uri.as_ref().map(|it| &*it.text), key.iv), (Some("x/k"), Some(255_u128.to_be_bytes())));
    assert_eq!(playlist.variables.get("v"), Some("x"));
}

#[test]
fn a_variable_used_before_or_without_its_definition_is_refused() {
    let message = "line 4: `{$v}/1.ts`: variable `v` is not defined";
    check_error(media_text("#EXTINF:1,\n{$v}/1.ts").as_bytes(), message);
    check_error(
        media_text("#EXTINF:1,\n{$v}/1.ts\n#EXT-X-DEFINE:NAME=\"v\",VALUE=\"x\"").as_bytes(),
        message,
    );
}

#[test]
fn a_definition_that_is_none_is_refused() {
    check_refused(
        &media_text("#EXT-X-DEFINE:NAME=\"v\",VALUE=\"1\"\n#EXT-X-DEFINE:NAME=\"v\",VALUE=\"1\""),
        Rule::DefineTwice,
    );
    for list in ["NAME=\"v\"", "VALUE=\"v\"", "NAME=\"v\",VALUE=\"1\",IMPORT=\"w\"", "X=1"] {
        check_refused(&media_text(&format!("#EXT-X-DEFINE:{list}")), Rule::DefineSyntax);
    }
    for name in ["", "a b", "ä", "a.b"] {
        check_refused(&media_text(&format!("#EXT-X-DEFINE:NAME=\"{name}\",VALUE=\"1\"")), Rule::DefineName);
    }
}

#[test]
fn a_value_that_climbs_or_refers_is_substituted_once() {
    let lines = "#EXT-X-DEFINE:NAME=\"v\",VALUE=\"../../..\"\n#EXT-X-DEFINE:NAME=\"w\",VALUE=\"{$v}\"\n#EXTINF:1,\n{$v}/{$w}";
    assert_eq!(uri(lines, &ParseOptions::default()).unwrap(), "../../../{$v}");
}

#[test]
fn a_variable_is_imported_from_the_multivariant_playlist() {
    let master = multivariant(
        "#EXTM3U\n#EXT-X-DEFINE:NAME=\"h\",VALUE=\"cdn\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{$h}/v.m3u8\n",
    );
    assert_eq!(&*master.variants[0].uri.text, "cdn/v.m3u8");
    let options = ParseOptions { imports: Some(&master.variables), ..ParseOptions::default() };
    let lines = "#EXT-X-DEFINE:IMPORT=\"h\"\n#EXTINF:1,\n{$h}/1.ts";
    assert_eq!(uri(lines, &options).unwrap(), "cdn/1.ts");
    check_refused(&media_text(lines), Rule::ImportUndefined);
    let missing = uri("#EXT-X-DEFINE:IMPORT=\"x\"", &options).unwrap_err();
    assert_eq!(*missing.kind(), ErrorKind::Rule(Rule::ImportUndefined));
}

#[test]
fn a_multivariant_playlist_imports_nothing() {
    check_refused(
        "#EXTM3U\n#EXT-X-DEFINE:IMPORT=\"h\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv",
        Rule::ImportInMultivariant,
    );
}

#[test]
fn a_query_parameter_is_percent_decoded() {
    let read = |url| {
        let options = ParseOptions { url, ..ParseOptions::default() };
        let lines = "#EXT-X-DEFINE:QUERYPARAM=\"t\"\n#EXTINF:1,\n1.ts?t={$t}";
        uri(lines, &options).map_err(|error| error.kind().clone())
    };
    assert_eq!(read(Some("https://h/m.m3u8?a=1&t=x%20y+z#t=0")), Ok("1.ts?t=x y+z".to_owned()));
    let refused = Err(ErrorKind::Rule(QUERY));
    let urls = [
        "https://h/m.m3u8",
        "https://h/?a=t",
        "https://h/?t",
        "https://h/?t=",
        "https://h/?t=%22",
        "https://h/?t=%0a",
        "https://h/#?t=1",
    ];
    for url in urls {
        assert_eq!(read(Some(url)), refused, "{url}");
    }
    assert_eq!(read(None), refused);
}

#[test]
fn a_few_bytes_cannot_stand_for_gigabytes() {
    let lines = format!(
        "#EXT-X-DEFINE:NAME=\"v\",VALUE=\"{}\"\n{}",
        "x".repeat(1000),
        format!("#EXTINF:1,\n{}\n", "{$v}".repeat(20)).repeat(10)
    );
    let limits = Limits { bytes: 50_000, ..Limits::default() };
    let error = uri(&lines, &ParseOptions { limits, ..ParseOptions::default() }).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Limit { what: "bytes of variables", limit: 50_000 });
}

/// What reading under a small limit says of these lines, which a variable `v` of 1,000 bytes is defined before.
fn under_a_limit(limit: u32, lines: &str) -> Option<ErrorKind> {
    let text = format!("#EXT-X-DEFINE:NAME=\"v\",VALUE=\"{}\"\n{lines}", "x".repeat(1000));
    let limits = Limits { bytes: limit, ..Limits::default() };
    let options = ParseOptions { limits, ..ParseOptions::default() };
    parse(media_text(&text).as_bytes(), &options).err().map(|error| error.kind().clone())
}

#[test]
fn each_set_of_keys_counts_what_variables_stand_for_in_it() {
    let rotation: String =
        (0..40).map(|n| format!("#EXT-X-KEY:METHOD=AES-128,URI=\"k{n}\"\n#EXTINF:1,\n{n}.ts\n")).collect();
    let drm = "#EXT-X-KEY:METHOD=SAMPLE-AES,KEYFORMAT=\"d\",URI=\"{$v}\"\n";
    assert_eq!(under_a_limit(50_000, &rotation), None);
    assert_eq!(under_a_limit(50_000, &format!("{drm}{rotation}")), None);
    let limit = ErrorKind::Limit { what: "bytes of variables", limit: 20_000 };
    assert_eq!(under_a_limit(20_000, &format!("{drm}{rotation}")), Some(limit));
}

#[test]
fn the_id_of_a_date_range_is_kept_once_whatever_it_says() {
    let list: String = (0..100).map(|n| format!(",X-A{n}={n}")).collect();
    let lines = format!("#EXT-X-DATERANGE:ID=\"{{$v}}\",START-DATE=\"2026-01-01T00:00:00Z\"{list}\n");
    assert_eq!(under_a_limit(6_000, &lines), None);
    let limit = ErrorKind::Limit { what: "bytes of variables", limit: 6_000 };
    let four: String = (0..4).map(|n| lines.replace("{$v}", &format!("{{$v}}{n}"))).collect();
    assert_eq!(under_a_limit(6_000, &four), Some(limit), "each of four is kept, and looked up");
}

#[test]
fn a_uri_that_nothing_is_made_of_counts_too() {
    let limit = ErrorKind::Limit { what: "bytes of variables", limit: 5_000 };
    assert_eq!(under_a_limit(5_000, &"{$v}".repeat(4)), None);
    assert_eq!(under_a_limit(5_000, &"{$v}".repeat(10)), Some(limit));
    assert_eq!(under_a_limit(5_000, "{$w}"), None, "it is not needed");
}
