//! From the application's secret to the key of one SPC. Ours, not Apple's: that derivation is not public.

use std::fmt;
use std::sync::Arc;

use super::cipher::{Key, first_block, hmac_sha256};

/// The application's secret key, which key server and device share here.
///
/// With FairPlay Streaming it comes with the deployment package; a test makes its own. `Debug` says nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask(pub [u8; 16]);

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ask(16 bytes)")
    }
}

/// How the application's secret and an SPC's R2 become the key of its session key and R1 (DASk).
///
/// FairPlay's own derivation is confidential, and nothing like it is here. Whoever has a deployment package can put
/// theirs behind this trait; both sides of a test have to use the same.
pub trait AskDerivation: Send + Sync + fmt::Debug {
    /// The derived key.
    fn derive(&self, ask: &Ask, r2: &[u8]) -> Key;
}

/// The derivation of tests: HMAC-SHA-256 of R2 under the secret, its first 16 bytes. **Not Apple's.**
#[derive(Debug, Clone, Copy, Default)]
pub struct TestDerivation;

impl AskDerivation for TestDerivation {
    fn derive(&self, ask: &Ask, r2: &[u8]) -> Key {
        Key(first_block(&hmac_sha256(&ask.0, &[b"dtg-testkit DASk, not Apple's", r2])))
    }
}

/// One key, whatever the secret and R2: what development credentials are said to come with.
#[derive(Debug, Clone, Copy)]
pub struct FixedDask(pub Key);

impl AskDerivation for FixedDask {
    fn derive(&self, _: &Ask, _: &[u8]) -> Key {
        self.0
    }
}

/// What comes with a deployment package: key server and devices of one application have the same.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The application's secret.
    pub ask: Ask,
    /// What becomes of it.
    pub derivation: Arc<dyn AskDerivation>,
}

impl Deployment {
    /// The testkit's own, known to everybody.
    #[must_use]
    pub fn test() -> Self {
        Self { ask: Ask(*b"dtg-testkit ASk."), derivation: Arc::new(TestDerivation) }
    }

    pub(super) fn dask(&self, r2: &[u8]) -> Key {
        self.derivation.derive(&self.ask, r2)
    }
}
