//! From the keys that an asset names to those that are fetched for it.

use thiserror::Error as ThisError;

use crate::demand::{KeyDemand, KeyDemands, Oddity, Place};
use crate::key_uri::KeyUri;
use crate::provider::LicenseProvider;

/// Which keys an asset needs before it plays without a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPlan {
    /// The keys that are fetched, those of session keys first. None: the asset is not protected by FairPlay.
    pub required: Vec<KeyDemand>,
    /// Keys that only session keys name, while no downloaded track uses them: they are not fetched.
    pub unused: Vec<KeyDemand>,
    /// What is not as it should be.
    pub warnings: Vec<PlanWarning>,
}

/// What is not as it should be, though the keys can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanWarning {
    /// A media playlist names a key, and no session key does: other players won't find it before they play.
    NoSessionKey(KeyUri),
    /// Session keys name keys, and no media playlist does: all of them are fetched.
    NoMediaKey,
    /// A key line is odd.
    Oddity(Oddity),
    /// The service's content identifier is the host of the key URI alone, and a path follows: it may have been cut short, as
    /// where the identifier is base64 with a `/`.
    CutContentId(KeyUri),
}

/// An asset whose key lines say FairPlay, and name no key that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("its key lines are FairPlay's and none has an `skd:` URI")]
pub struct NoKeyUri;

impl KeyPlan {
    /// Sorts out which of the demanded keys are fetched: each that a downloaded track uses, once.
    ///
    /// # Errors
    /// [`NoKeyUri`] where lines ask for FairPlay keys in vain.
    pub fn new(demands: KeyDemands) -> Result<Self, NoKeyUri> {
        let KeyDemands { demands, oddities } = demands;
        if demands.is_empty() && !oddities.is_empty() {
            return Err(NoKeyUri);
        }
        let mut warnings: Vec<PlanWarning> = oddities.into_iter().map(PlanWarning::Oddity).collect();
        let (mut required, mut unused): (Vec<_>, Vec<_>) = demands.into_iter().partition(KeyDemand::is_used);
        if required.is_empty() && !unused.is_empty() {
            std::mem::swap(&mut required, &mut unused);
            warnings.push(PlanWarning::NoMediaKey);
        }
        let in_session = |demand: &&KeyDemand| !demand.places.contains(&Place::Session);
        let missing = required.iter().filter(in_session).map(|demand| demand.key_uri.clone());
        warnings.extend(missing.map(PlanWarning::NoSessionKey));
        Ok(Self { required, unused, warnings })
    }

    /// The required keys whose content identifiers look cut short, as this service finds them.
    #[must_use]
    pub fn cut_content_ids(&self, provider: &dyn LicenseProvider) -> Vec<PlanWarning> {
        let is_cut = |uri: &&KeyUri| {
            let (host, path) = uri.before_query().split_once('/').unwrap_or_default();
            let id = provider.content_id(uri);
            !path.is_empty() && id.is_ok_and(|id| id.as_bytes() == host.as_bytes())
        };
        let uris = self.required.iter().map(|demand| &demand.key_uri);
        uris.filter(is_cut).cloned().map(PlanWarning::CutContentId).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demand::{KEY_FORMAT, KeyLine, demands};

    /// `"session skd://a"`, `"v0 skd://a"`, `"v0 -"`.
    fn plan(lines: &[&str]) -> Result<KeyPlan, NoKeyUri> {
        let line = |text: &&'static str| {
            let (place, uri) = text.split_once(' ').unwrap();
            let place = if place == "session" { Place::Session } else { Place::Media(place.to_owned()) };
            let uri = Some(uri).filter(|uri| *uri != "-");
            KeyLine { method: "SAMPLE-AES", uri, key_format: KEY_FORMAT, key_format_versions: None, place }
        };
        let lines: Vec<&'static str> =
            lines.iter().map(|text| &*Box::leak((*text).to_owned().into_boxed_str())).collect();
        KeyPlan::new(demands(lines.iter().map(line)))
    }

    fn uris(demands: &[KeyDemand]) -> Vec<&str> {
        demands.iter().map(|demand| demand.key_uri.as_str()).collect()
    }

    #[test]
    fn keys_that_no_downloaded_track_uses_are_not_fetched() {
        let plan = plan(&["session skd://uhd", "session skd://hd", "v0 skd://hd", "a0 skd://audio"]).unwrap();
        assert_eq!(uris(&plan.required), ["skd://hd", "skd://audio"]);
        assert_eq!(uris(&plan.unused), ["skd://uhd"]);
    }

    #[test]
    fn every_key_is_fetched_not_only_the_first() {
        let plan = plan(&["v0 skd://a", "v0 skd://b", "a0 skd://c", "v0 skd://a"]).unwrap();
        assert_eq!(uris(&plan.required), ["skd://a", "skd://b", "skd://c"]);
    }

    #[test]
    fn a_key_without_a_session_key_is_fetched_with_a_warning() {
        let plan = plan(&["v0 skd://a"]).unwrap();
        assert_eq!(plan.warnings, [PlanWarning::NoSessionKey(KeyUri::new("skd://a").unwrap())]);
    }

    #[test]
    fn session_keys_alone_are_fetched_with_a_warning() {
        let plan = plan(&["session skd://a"]).unwrap();
        assert_eq!((uris(&plan.required), plan.warnings), (vec!["skd://a"], vec![PlanWarning::NoMediaKey]));
    }

    #[test]
    fn lines_that_ask_for_keys_in_vain_are_an_error_and_no_lines_are_none() {
        assert_eq!(plan(&["v0 -"]), Err(NoKeyUri));
        assert_eq!(plan(&[]), Ok(KeyPlan::default()));
    }

    #[test]
    fn a_host_that_is_only_the_beginning_of_an_identifier_is_warned_of() {
        use crate::{ContentIdRule, TemplateProvider};
        let cut =
            plan(&["v0 skd://ab/cd+e==", "v0 skd://whole", "v0 skd://whole/", "v0 skd://whole:00ff?a/b"])
                .unwrap();
        let warnings = |content_id: ContentIdRule| {
            cut.cut_content_ids(&TemplateProvider { content_id, ..TemplateProvider::kaltura() })
        };
        let expected = PlanWarning::CutContentId(KeyUri::new("skd://ab/cd+e==").unwrap());
        assert_eq!(warnings(ContentIdRule::Host), [expected]);
        assert_eq!(warnings(ContentIdRule::AfterScheme), []);
    }
}
