//! A device's half of an exchange: it makes an SPC, and opens the CKC that answers it.

use rsa::rand_core::CryptoRngCore;

use super::cipher::{Block, anti_replay_key};
use super::payload::{filler, random, scattered};
use super::{
    CkcContainer, CkcFields, ContentKey, Deployment, Duration, Key, Malformed, OfflineKey, OfflineSync,
    Reading, SessionKeyR1, SpcContainer, Tllv, tag,
};

/// What an SPC is to say.
#[derive(Debug, Clone)]
pub struct SpcContent<'a> {
    /// The content identifier: 2 to 200 bytes.
    pub asset_id: &'a [u8],
    /// The device, anonymous.
    pub device: [u8; 20],
    /// The device's clock, in seconds since 1970.
    pub created: u32,
    /// What became of a stored key; `None` where a key is asked for.
    pub sync: Option<OfflineSync>,
}

/// What a device keeps of an SPC until the CKC is there. `Debug` says nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Exchange {
    session: SessionKeyR1,
    seed: Block,
    returned: Vec<(u64, Vec<u8>)>,
}

/// What a CKC gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    /// The content key and its IV; a CKC does not say how media calls it, so that is zeros.
    pub content_key: ContentKey,
    /// How long the key may be used.
    pub duration: Option<Duration>,
    /// How long it may be stored and played.
    pub offline: Option<OfflineKey>,
}

/// Ready to start: a key is needed.
const NEEDS_KEY: u32 = 0xf4de_e5a2;
/// Anything but a link to another screen.
const ON_DEVICE: u64 = 0;
/// Dual expiry, offline key version 2, baseline.
const CAPABILITIES: u64 = 0b01_1010;

impl Exchange {
    /// Makes an SPC for a certificate: version 1 for one of 1024 bits, 2 for one of 2048.
    ///
    /// # Errors
    /// [`Malformed::Key`] for a certificate that is none, [`Malformed::Form`] for a content identifier of another length.
    pub fn begin(
        content: &SpcContent<'_>,
        certificate: &[u8],
        deployment: &Deployment,
        rng: &mut impl CryptoRngCore,
    ) -> Result<(Vec<u8>, Self), Malformed> {
        if !(2..=200).contains(&content.asset_id.len()) {
            return Err(super::tllv::form(tag::ASSET_ID, content.asset_id));
        }
        let session = SessionKeyR1 {
            session_key: Key(random(rng)),
            device: content.device,
            r1: random(rng),
            integrity: random(rng),
        };
        let (seed, r2): (Block, [u8; 21]) = (random(rng), random(rng));
        let (transaction, extra): ([u8; 8], Tllv) = (random(rng), filler(rng));
        let returned = vec![(tag::TRANSACTION_ID, transaction.to_vec()), (extra.tag, extra.value.clone())];
        let asked: Vec<u8> = returned.iter().flat_map(|(tag, _)| tag.to_be_bytes()).collect();
        let playing: [u8; 8] = random(rng);
        let state = [&content.created.to_be_bytes()[..], &NEEDS_KEY.to_be_bytes(), &playing].concat();
        let all = vec![
            Tllv::new(tag::SESSION_KEY_R1, session.seal(deployment.dask(&r2), random(rng))?),
            Tllv::new(tag::INTEGRITY, session.integrity),
            Tllv::new(tag::ANTI_REPLAY_SEED, seed),
            Tllv::new(tag::R2, r2),
            Tllv::new(tag::RETURN_REQUEST, asked),
            Tllv::new(tag::ASSET_ID, content.asset_id),
            Tllv::new(tag::TRANSACTION_ID, transaction),
            Tllv::new(tag::VERSIONS_SUPPORTED, 1_u32.to_be_bytes()),
            Tllv::new(tag::VERSION_USED, 1_u32.to_be_bytes()),
            Tllv::new(tag::STREAMING_INDICATOR, ON_DEVICE.to_be_bytes()),
            Tllv::new(tag::PLAYBACK_STATE, state),
            Tllv::new(tag::CAPABILITIES, [[0; 8], CAPABILITIES.to_be_bytes()].concat()),
            Tllv::new(tag::OFFLINE_SYNC, content.sync.as_ref().map_or(vec![0; 28], OfflineSync::to_bytes)),
            extra,
        ];
        let spc = SpcContainer::seal(&scattered(all, rng), certificate, rng)?;
        Ok((spc.to_bytes(), Self { session, seed, returned }))
    }

    /// Opens the CKC that answers this SPC.
    ///
    /// # Errors
    /// What is wrong with it: nearly always something for the CKC of another exchange; [`Malformed::Mismatch`] where R1, or
    /// what the SPC asked back, is not there as it was sent.
    pub fn open(&self, ckc: &[u8]) -> Result<License, Malformed> {
        let container = CkcContainer::read(ckc)?;
        let tllvs = container.open(anti_replay_key(&self.session.r1, self.seed), Reading::Strict)?;
        let fields = CkcFields::read(&tllvs)?;
        if fields.r1 != self.session.r1 {
            return Err(Malformed::Mismatch("R1"));
        }
        let is_there =
            |(tag, value): &(u64, Vec<u8>)| tllvs.find(*tag).is_some_and(|tllv| tllv.value == *value);
        if !self.returned.iter().all(is_there) {
            return Err(Malformed::Mismatch("what the SPC asked back"));
        }
        let key = Key(self.session.session_key.decrypt_block(fields.encrypted_key));
        let content_key = ContentKey { key, iv: fields.content_iv, key_id: [0; 16] };
        Ok(License { content_key, duration: fields.duration, offline: fields.offline })
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exchange(a session key, R1 and a seed)")
    }
}
