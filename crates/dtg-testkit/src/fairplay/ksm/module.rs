//! The key security module: an SPC goes in, a CKC or a report comes out. No HTTP.

use std::collections::{BTreeMap, BTreeSet};

use rsa::rand_core::CryptoRngCore;

use super::policy::{Flaw, Grant, Hdcp, Policy};
use crate::fairplay::cipher::{anti_replay_key, first_block, hmac_sha256};
use crate::fairplay::payload::{random, scattered};
use crate::fairplay::{
    Block, CkcContainer, ContentKey, Credentials, Deployment, Duration, KeyKind, Malformed, OfflineKey,
    OfflineSync, Reading, SessionKeyR1, SpcContainer, SpcFields, Tllv, Tllvs, tag,
};

/// Opens SPCs and makes CKCs.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) deployment: Deployment,
    pub(super) credentials: Vec<Credentials>,
    pub(super) contents: BTreeMap<Vec<u8>, ContentKey>,
    /// Seeds of SPCs that were answered: each is good for one CKC.
    answered: BTreeSet<Block>,
    earlier: Option<Vec<u8>>,
}

/// An SPC that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSpc {
    /// Its version.
    pub version: u32,
    /// The content identifier.
    pub asset_id: Vec<u8>,
    /// The transaction.
    pub transaction: [u8; 8],
    /// The device, anonymous.
    pub device: [u8; 20],
    /// What became of a stored key; `None` where a key is asked for.
    pub sync: Option<OfflineSync>,
    fields: SpcFields,
    session: SessionKeyR1,
    returned: Vec<Tllv>,
}

/// Why an SPC is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It cannot be read or opened.
    #[error("bad SPC: {0}")]
    Spc(Malformed),
    /// It was made for a certificate that this server has no private key for.
    #[error("no private key for this certificate")]
    Certificate,
    /// It was answered before.
    #[error("this SPC was answered before")]
    Replayed,
    /// The server has no such content.
    #[error("no such content")]
    Content,
    /// The report does not repeat the server's challenge.
    #[error("the report does not repeat the challenge")]
    Challenge,
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::Spc(malformed)
    }
}

impl Module {
    pub(super) fn new(deployment: Deployment, credentials: Vec<Credentials>) -> Self {
        let (contents, answered) = (BTreeMap::new(), BTreeSet::new());
        Self { deployment, credentials, contents, answered, earlier: None }
    }

    /// Opens an SPC, and checks all that can be checked of it.
    pub(super) fn open(&mut self, spc: &[u8]) -> Result<OpenedSpc, Refusal> {
        let container = SpcContainer::read(spc)?;
        let is_for = |it: &&Credentials| {
            crate::fairplay::cipher::sha1(&it.certificate)[..] == container.certificate_hash[..]
        };
        let credentials = self.credentials.iter().find(is_for).ok_or(Refusal::Certificate)?;
        let tllvs = container.open(&credentials.private_key, Reading::Strict)?;
        let fields = SpcFields::read(&tllvs)?;
        let session = SessionKeyR1::open(&fields, self.deployment.dask(&fields.r2))?;
        let returned = returned(&tllvs, &fields)?;
        if !self.answered.insert(fields.seed) {
            return Err(Refusal::Replayed);
        }
        Ok(OpenedSpc {
            version: container.version.number(),
            asset_id: fields.asset_id.clone(),
            transaction: fields.transaction,
            device: session.device,
            sync: fields.offline_sync.clone(),
            fields,
            session,
            returned,
        })
    }

    /// Makes the CKC.
    pub(super) fn ckc(
        &mut self,
        spc: &OpenedSpc,
        policy: &Policy,
        rng: &mut impl CryptoRngCore,
    ) -> Result<Vec<u8>, Refusal> {
        let content = self.contents.get(&spc.asset_id).ok_or(Refusal::Content)?;
        let tllvs = scattered(tllvs(spc, content, policy), rng);
        let key = anti_replay_key(&spc.session.r1, spc.fields.seed);
        let mut ckc = CkcContainer::seal(&tllvs, key, random(rng))?;
        if policy.flaw == Some(Flaw::NewerServer) {
            (ckc.version, ckc.reserved) = (2, 0x0001_0203);
        }
        let mut ckc = ckc.to_bytes();
        let earlier = self.earlier.replace(ckc.clone());
        match policy.flaw {
            Some(Flaw::EarlierExchange) => ckc = earlier.unwrap_or(ckc),
            Some(Flaw::Cut) => ckc.truncate(ckc.len().saturating_sub(16)),
            Some(Flaw::Version) => ckc.iter_mut().skip(3).take(1).for_each(|byte| *byte = 3),
            Some(Flaw::LastByte) => ckc.iter_mut().rev().take(1).for_each(|byte| *byte ^= 0xff),
            _ => {}
        }
        Ok(ckc)
    }
}

/// The TLLVs that the SPC wants back, verbatim.
fn returned(tllvs: &Tllvs, fields: &SpcFields) -> Result<Vec<Tllv>, Malformed> {
    let find = |tag: &u64| {
        let missing = Malformed::Missing { tag: *tag, name: tag::name(*tag) };
        tllvs.find(*tag).cloned().ok_or(missing)
    };
    fields.return_request.iter().map(find).collect()
}

fn tllvs(spc: &OpenedSpc, content: &ContentKey, policy: &Policy) -> Vec<Tllv> {
    let encrypted = spc.session.session_key.encrypt_block(content.key.0);
    let mut r1 = spc.session.r1;
    if policy.flaw == Some(Flaw::OtherR1) {
        r1.iter_mut().take(1).for_each(|byte| *byte ^= 1);
    }
    let mut all = vec![Tllv::new(tag::CONTENT_KEY, [content.iv, encrypted].concat()), Tllv::new(tag::R1, r1)];
    if policy.flaw != Some(Flaw::NothingReturned) {
        all.extend(spc.returned.iter().cloned());
    }
    // Only where the device has said what it is doing.
    let duration = duration(policy.grant).filter(|_| spc.fields.playback_state.is_some());
    all.extend(duration.map(|duration| Tllv::new(tag::DURATION, duration.to_bytes())));
    if let Grant::Dual { storage, playback } = policy.grant {
        let key = OfflineKey { content: offline_id(&spc.asset_id), storage, playback, title: None };
        all.push(Tllv::new(tag::OFFLINE_KEY, key.to_bytes()));
    }
    all.extend(policy.hdcp.map(|hdcp| Tllv::new(tag::HDCP, [hdcp.value().to_be_bytes(), [0; 8]].concat())));
    all
}

/// What a content is called in offline keys: 16 bytes for an identifier of any length.
pub(super) fn offline_id(asset_id: &[u8]) -> Block {
    first_block(&hmac_sha256(b"dtg-testkit offline id", &[asset_id]))
}

const fn duration(grant: Grant) -> Option<Duration> {
    let never = u32::MAX;
    Some(match grant {
        Grant::Unlimited => return None,
        Grant::Lease(seconds) => Duration { lease: seconds, rental: 0, kind: KeyKind::Lease },
        Grant::Rental(seconds) => Duration { lease: never, rental: seconds, kind: KeyKind::Rental },
        Grant::Persist => Duration { lease: never, rental: 0, kind: KeyKind::Persist },
        Grant::PersistFor(seconds) => {
            Duration { lease: never, rental: seconds, kind: KeyKind::PersistLimited }
        }
        Grant::Dual { storage, .. } => {
            Duration { lease: never, rental: storage, kind: KeyKind::PersistLimited }
        }
    })
}

impl Hdcp {
    const fn value(self) -> u64 {
        match self {
            Self::None => 0xef72_894c_a789_5b78,
            Self::Type0 => 0x4079_1ac7_8bd5_c571,
            Self::Type1 => 0x285a_0863_bba8_e1d3,
        }
    }
}
