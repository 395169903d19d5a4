//! An item's id, made from its URL when nobody chose one.

use dtg_core::ItemId;

/// A readable, stable id: the last words of the path and a short hash of the whole URL.
///
/// Equal URLs give equal ids, so that the same command line goes on with the same item; the hash keeps
/// URLs apart that differ in host or query only, and shows neither.
pub(crate) fn id_of(url: &str) -> ItemId {
    let url = url.split('#').next().unwrap_or_default();
    let path = url.split('?').next().unwrap_or_default();
    let path =
        path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let mut words: Vec<String> = stem.rsplit('/').map(slug).filter(|word| !word.is_empty()).take(2).collect();
    words.reverse();
    words.push(format!("{:08x}", fnv1a(url.as_bytes()) >> 32));
    ItemId::new(words.join("-")).expect("two words of at most 40 letters and a hash")
}

/// Letters, digits, `_` and `-`; what lies between becomes one `-`.
fn slug(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: Vec<&str> = word.split(|c| !plain(c)).filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(40).collect()
}

/// FNV-1a, 64 bits: the same on every machine and in every release.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, words: &str) {
        let id = id_of(url);
        let (start, hash) = id.as_str().rsplit_once('-').unwrap_or(("", id.as_str()));
        assert_eq!(start, words);
        assert_eq!(hash.len(), 8);
    }

    #[test]
    fn an_id_is_made_of_the_last_words_of_the_path() {
        check("https://cdn.test/shows/bipbop/master.m3u8?token=secret", "bipbop-master");
        check("https://cdn.test/p/1/index.m3u8", "1-index");
        check("https://cdn.test/ä b/../x!y.m3u8", "b-x-y");
        check("https://cdn.test", "");
        check("not a url", "not-a-url");
    }

    #[test]
    fn an_id_tells_hosts_and_queries_apart_but_not_fragments() {
        let id = id_of("https://a.test/x/m.m3u8?n=1");
        assert_ne!(id, id_of("https://b.test/x/m.m3u8?n=1"));
        assert_ne!(id, id_of("https://a.test/x/m.m3u8?n=2"));
        assert_eq!(id, id_of("https://a.test/x/m.m3u8?n=1#t=5"));
    }

    #[test]
    fn an_id_stays_the_same_from_release_to_release() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
