//! Language tags, compared as a user means them (BCP 47 over ISO 639).

use serde::Serialize;

mod iso_639;

/// A language, normalized: two letters where ISO 639-1 has them, region and script kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Language {
    primary: String,
    script: Option<String>,
    region: Option<String>,
}

impl Language {
    /// Reads `fr`, `fre`, `fra`, `FR`, `fr-CA`, `zh_Hant_TW`; `None` for nothing, `und`, `mis`, `mul`, `zxx`.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let lower = tag.trim().to_ascii_lowercase();
        let mut subtags = lower.split(['-', '_']);
        let primary = subtags.next().unwrap_or_default();
        if matches!(primary, "" | "und" | "mis" | "mul" | "zxx") {
            return None;
        }
        let mut language =
            Self { primary: iso_639::shortest(primary).to_owned(), script: None, region: None };
        for subtag in subtags.take_while(|it| it.len() > 1) {
            let letters = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
            let digits = subtag.bytes().all(|byte| byte.is_ascii_digit());
            match subtag.len() {
                4 if letters => language.script = Some(subtag.to_owned()),
                2 if letters => language.region = Some(subtag.to_owned()),
                3 if digits => language.region = Some(subtag.to_owned()),
                _ => {}
            }
        }
        Some(language)
    }

    /// The primary subtag: two letters if there are any, in lower case.
    #[must_use]
    pub fn primary(&self) -> &str {
        &self.primary
    }

    /// Whether a user who asks for one means the other: the same language, and no two different regions or scripts.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        let agree = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        self.primary == other.primary
            && agree(&self.script, &other.script)
            && agree(&self.region, &other.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: &str, offered: &str, expected: bool) {
        let matches = |a: &str, b: &str| Language::parse(a).unwrap().matches(&Language::parse(b).unwrap());
        assert_eq!(matches(asked, offered), expected, "{asked} {offered}");
        assert_eq!(matches(offered, asked), expected, "{offered} {asked}");
    }

    #[test]
    fn both_three_letter_codes_and_the_two_letter_code_are_one_language() {
        for code in ["fre", "fra", "fr", "FR", "fr-CA", "fra-CA"] {
            check("fr", code, true);
        }
        check("ger", "deu", true);
        check("eng", "en-US", true);
        check("chi", "zh-Hant-TW", true);
        check("iw", "heb", true);
        check("nl", "dut", true);
    }

    #[test]
    fn different_languages_regions_and_scripts_are_not_mixed_up() {
        check("fr", "de", false);
        check("fr-CA", "fr-FR", false);
        check("pt-BR", "pt", true);
        check("zh-Hans", "zh-Hant", false);
        check("es-419", "es-ES", false);
    }

    #[test]
    fn a_code_without_two_letters_stays() {
        check("gsw", "GSW", true);
        check("gsw", "de", false);
    }

    #[test]
    fn no_language_is_none() {
        for tag in ["", " ", "und", "UND", "mul", "zxx"] {
            assert_eq!(Language::parse(tag), None, "{tag:?}");
        }
    }

    #[test]
    fn private_subtags_are_no_regions() {
        check("en-x-de", "en-US", true);
        check("en-x-de", "en", true);
    }
}
