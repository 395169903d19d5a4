//! Addresses as they may be shown.

/// The address without query, fragment and user information: those may hold secrets.
pub(crate) fn shown(url: &str) -> String {
    let address = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_where_but_not_the_token() {
        assert_eq!(shown("https://u:p@h.test:8/a/b@c.ts?ks=1#f"), "https://h.test:8/a/b@c.ts");
        assert_eq!(shown("https://h.test#f"), "https://h.test");
        assert_eq!(shown("a/b.m3u8?x"), "a/b.m3u8");
    }
}
