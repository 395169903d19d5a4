//! The secret in every playback URL.

use std::fmt;
use std::hint::black_box;

/// 128 random bits in hex.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in a time that depends on the length alone.
    pub(crate) fn is(&self, other: &str) -> bool {
        let pairs = self.0.bytes().zip(other.bytes());
        let difference = pairs.fold(0, |difference, (own, given)| black_box(difference | (own ^ given)));
        difference == 0 && self.0.len() == other.len()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_is_new_and_only_itself() {
        let (token, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(token.as_str().len(), 32);
        assert!(token.is(token.as_str()));
        let short = token.as_str().get(..31).unwrap();
        for wrong in [other.as_str(), short, "", &format!("{}0", token.as_str())] {
            assert!(!token.is(wrong));
        }
    }

    #[test]
    fn debug_does_not_tell_it() {
        assert_eq!(format!("{:?}", Token::random().unwrap()), "Token(..)");
    }
}
