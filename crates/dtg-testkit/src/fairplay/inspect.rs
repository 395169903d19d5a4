//! What is in a container, field by field, as far as it can be opened.

use super::bytes::{Bytes, hex};
use super::cipher::{Block, anti_replay_key};
use super::credentials::PrivateKey;
use super::spc::tags;
use super::terms::{Duration, OfflineKey, OfflineSync};
use super::{
    CkcContainer, CkcFields, Key, Malformed, Reading, SessionKeyR1, SpcContainer, SpcFields, Tllvs, tag,
};

/// What containers are opened with; nothing of it is needed.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Opens an SPC's payload.
    pub private_key: Option<PrivateKey>,
    /// The derived key of this SPC, for its session key and R1.
    pub dask: Option<Key>,
    /// The SPC that a CKC answers: with both keys it opens the CKC's payload.
    pub spc: Option<Vec<u8>>,
}

/// A container as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// `SPC` or `CKC`.
    pub kind: &'static str,
    /// The outer fields, by name.
    pub fields: Vec<(&'static str, String)>,
    /// What the payload holds; empty where it could not be opened.
    pub tllvs: Vec<InspectedTllv>,
    /// What breaks a rule, or could not be opened and why.
    pub remarks: Vec<String>,
}

/// One TLLV as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedTllv {
    /// Where it begins in the payload.
    pub at: usize,
    /// Its tag.
    pub tag: u64,
    /// What the tag is called.
    pub name: &'static str,
    /// The bytes of its block: value and padding.
    pub block: usize,
    /// The bytes of its value.
    pub length: usize,
    /// The value in hexadecimal.
    pub value: String,
    /// What the value says, by name.
    pub fields: Vec<(&'static str, String)>,
}

/// Reads an SPC or a CKC, whichever it is; the lengths that it says tell them apart.
///
/// # Errors
/// What is wrong with the outer fields. What is wrong inside is among the remarks.
pub fn inspect(container: &[u8], keys: &Keys) -> Result<Inspection, Malformed> {
    match (CkcContainer::read(container), SpcContainer::read(container)) {
        (Ok(ckc), _) => Ok(ckc_inspection(&ckc, keys)),
        (Err(_), Ok(spc)) => Ok(spc_inspection(&spc, keys)),
        // The other kind's lengths do not fit either: whichever is followed by less is meant.
        (Err(Malformed::Trailing(more)), other) => cut(container, more, other.err(), keys),
        (Err(error), Err(Malformed::Trailing(more))) => cut(container, more, Some(error), keys),
        // What is too short for any SPC is more likely a broken CKC.
        (Err(error), Err(Malformed::Ends { .. })) if container.len() < 176 => Err(error),
        (Err(_), Err(error)) => Err(error),
    }
}

/// Inspects what has more bytes behind it than it states.
fn cut(
    container: &[u8],
    more: usize,
    other: Option<Malformed>,
    keys: &Keys,
) -> Result<Inspection, Malformed> {
    let less = match other {
        Some(Malformed::Trailing(less)) => less.min(more),
        Some(_) | None => more,
    };
    let kept = container.get(..container.len().saturating_sub(less)).unwrap_or_default();
    let mut inspection = inspect(kept, keys)?;
    inspection.remarks.push(Malformed::Trailing(less).to_string());
    Ok(inspection)
}

fn spc_inspection(spc: &SpcContainer, keys: &Keys) -> Inspection {
    let mut fields = vec![
        ("version", spc.version.number().to_string()),
        ("reserved", format!("{:#010x}", spc.reserved)),
        ("iv", hex(&spc.iv)),
        ("wrapped key", format!("{} bytes", spc.wrapped_key.len())),
        ("certificate hash", hex(&spc.certificate_hash)),
        ("payload", format!("{} bytes", spc.payload.len())),
    ];
    fields.extend(spc.v3.iter().map(|(_, tag)| ("authentication tag", hex(tag))));
    let mut inspection = Inspection { kind: "SPC", fields, tllvs: Vec::new(), remarks: Vec::new() };
    let Some(key) = &keys.private_key else {
        inspection.remarks.push("the payload stays closed: no private key was given".to_owned());
        return inspection;
    };
    match spc.open(key, Reading::Lenient) {
        Err(Malformed::Version(3)) => {
            inspection.remarks.push("the payload stays closed: of version 3 it is opaque here".to_owned());
        }
        Ok(tllvs) => {
            inspection
                .remarks
                .extend(spc.open(key, Reading::Strict).err().map(|error| format!("not strict: {error}")));
            inspection.remarks.extend(SpcFields::read(&tllvs).err().map(|error| error.to_string()));
            inspection.tllvs = inspected(&tllvs);
            inspection.add_session_key(&tllvs, keys);
        }
        Err(error) => inspection.remarks.push(format!("the payload stays closed: {error}")),
    }
    inspection
}

fn ckc_inspection(ckc: &CkcContainer, keys: &Keys) -> Inspection {
    let fields = vec![
        ("version", ckc.version.to_string()),
        ("reserved", format!("{:#010x}", ckc.reserved)),
        ("iv", hex(&ckc.iv)),
        ("payload", format!("{} bytes", ckc.payload.len())),
    ];
    let mut inspection = Inspection { kind: "CKC", fields, tllvs: Vec::new(), remarks: Vec::new() };
    match opened_ckc(ckc, keys) {
        None => inspection.remarks.push(
            "the payload stays closed: it takes the SPC that was answered, its private key and its DASk"
                .to_owned(),
        ),
        Some(Err(error)) => inspection.remarks.push(format!("the payload stays closed: {error}")),
        Some(Ok((session, tllvs))) => {
            let strict = Tllvs::read(&tllvs.to_bytes(), Reading::Strict).err();
            inspection.remarks.extend(strict.map(|error| format!("not strict: {error}")));
            match CkcFields::read(&tllvs) {
                Ok(fields) if fields.r1 != session.r1 => {
                    inspection.remarks.push("R1 is not the SPC's".to_owned())
                }
                Ok(_) => inspection.remarks.push("R1 is the SPC's".to_owned()),
                Err(error) => inspection.remarks.push(error.to_string()),
            }
            inspection.remarks.extend(not_returned(keys, &tllvs));
            inspection.tllvs = inspected(&tllvs);
            inspection.add_content_key(&session, &tllvs);
        }
    }
    inspection
}

/// What the SPC asked back and the CKC has not, or has changed.
fn not_returned(keys: &Keys, ckc: &Tllvs) -> Vec<String> {
    let opened = || {
        let spc = SpcContainer::read(keys.spc.as_ref()?).ok()?;
        spc.open(keys.private_key.as_ref()?, Reading::Lenient).ok()
    };
    let Some(spc) = opened() else { return Vec::new() };
    let asked = spc.find(tag::RETURN_REQUEST).and_then(|tllv| tags(&tllv.value).ok()).unwrap_or_default();
    let is_missing =
        |tag: &u64| spc.find(*tag).map(|tllv| &tllv.value) != ckc.find(*tag).map(|tllv| &tllv.value);
    let missing = asked.into_iter().filter(is_missing);
    missing.map(|tag| format!("the SPC asks {tag:016x} back, and it is not there as it was")).collect()
}

/// The payload of a CKC, and what of the SPC opened it.
fn opened_ckc(ckc: &CkcContainer, keys: &Keys) -> Option<Result<(SessionKeyR1, Tllvs), Malformed>> {
    let (private_key, dask, spc) = (keys.private_key.as_ref()?, keys.dask?, keys.spc.as_ref()?);
    let opened = || {
        let fields = SpcFields::read(&SpcContainer::read(spc)?.open(private_key, Reading::Lenient)?)?;
        let session = SessionKeyR1::open(&fields, dask)?;
        let tllvs = ckc.open(anti_replay_key(&session.r1, fields.seed), Reading::Lenient)?;
        Ok((session, tllvs))
    };
    Some(opened())
}

impl Inspection {
    /// What the derived key opens.
    fn add_session_key(&mut self, tllvs: &Tllvs, keys: &Keys) {
        let (Some(dask), Ok(fields)) = (keys.dask, SpcFields::read(tllvs)) else { return };
        let sealed = self.tllvs.iter_mut().find(|tllv| tllv.tag == tag::SESSION_KEY_R1);
        match (SessionKeyR1::open(&fields, dask), sealed) {
            (Ok(opened), Some(tllv)) => tllv.fields.extend([
                ("session key", hex(&opened.session_key.0)),
                ("device", hex(&opened.device)),
                ("R1", hex(&opened.r1)),
                ("integrity", "as the SPC says".to_owned()),
            ]),
            (Ok(_), None) => {}
            (Err(error), _) => self.remarks.push(error.to_string()),
        }
    }
}

impl Inspection {
    /// What the session key opens.
    fn add_content_key(&mut self, session: &SessionKeyR1, tllvs: &Tllvs) {
        let Ok(fields) = CkcFields::read(tllvs) else { return };
        let key = session.session_key.decrypt_block(fields.encrypted_key);
        let sealed = self.tllvs.iter_mut().filter(|tllv| tllv.tag == tag::CONTENT_KEY).take(1);
        sealed.for_each(|tllv| tllv.fields.push(("content key", hex(&key))));
    }
}

fn inspected(tllvs: &Tllvs) -> Vec<InspectedTllv> {
    let mut at = 0;
    tllvs
        .all
        .iter()
        .map(|tllv| {
            let block = tllv.value.len() + tllv.padding.len();
            let inspected = InspectedTllv {
                at,
                tag: tllv.tag,
                name: tag::name(tllv.tag),
                block,
                length: tllv.value.len(),
                value: hex(&tllv.value),
                fields: decoded(tllv.tag, &tllv.value),
            };
            at += 16 + block;
            inspected
        })
        .collect()
}

/// What a value says. Nothing for values of another form than their tag's, and for tags without fields.
fn decoded(tag: u64, value: &[u8]) -> Vec<(&'static str, String)> {
    let named = |name, text: String| vec![(name, text)];
    match tag {
        tag::ASSET_ID => named("text", value.escape_ascii().to_string()),
        tag::RETURN_REQUEST => {
            tags(value).map(|tags| tags.into_iter().map(requested).collect()).unwrap_or_default()
        }
        tag::VERSIONS_SUPPORTED | tag::VERSION_USED => numbers(value),
        tag::STREAMING_INDICATOR => {
            u64_of(value).map(|to| named("plays", streaming(to).to_owned())).unwrap_or_default()
        }
        tag::PLAYBACK_STATE => playback_state(value).unwrap_or_default(),
        tag::CAPABILITIES => capabilities(value).unwrap_or_default(),
        tag::OFFLINE_SYNC => OfflineSync::read(value).map(offline_sync).unwrap_or_default(),
        tag::DEVICE_INFO => {
            u64_of(value).map(|kind| named("device", device(kind).to_owned())).unwrap_or_default()
        }
        tag::DURATION => Duration::read(value).map(duration).unwrap_or_default(),
        tag::OFFLINE_KEY => OfflineKey::read(value).map(offline_key).unwrap_or_default(),
        tag::HDCP => u64_of(value).map(|asked| named("asks for", hdcp(asked).to_owned())).unwrap_or_default(),
        tag::CONTENT_KEY => content_key(value).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn requested(tag: u64) -> (&'static str, String) {
    ("asks back", format!("{tag:016x} ({})", tag::name(tag)))
}

fn u64_of(value: &[u8]) -> Option<u64> {
    Bytes::new(value).u64().ok()
}

fn numbers(value: &[u8]) -> Vec<(&'static str, String)> {
    let mut bytes = Bytes::new(value);
    std::iter::from_fn(|| bytes.u32().ok()).map(|version| ("version", version.to_string())).collect()
}

const fn streaming(to: u64) -> &'static str {
    match to {
        0xabb0_256a_3184_3974 => "over AirPlay",
        0x5f9c_8132_b59f_2fde => "through an AV adapter",
        _ => "on the device",
    }
}

const fn device(kind: u64) -> &'static str {
    match kind {
        0x8551_fd5e_31f4_79b3 => "iOS",
        0x358c_41b1_ec78_f599 => "Mac",
        0xc150_0767_c86c_1fae => "TV",
        0x5da8_6ac0_c571_55dc => "Watch",
        _ => "unknown",
    }
}

const fn hdcp(asked: u64) -> &'static str {
    match asked {
        0xef72_894c_a789_5b78 => "nothing",
        0x4079_1ac7_8bd5_c571 => "type 0",
        0x285a_0863_bba8_e1d3 => "type 1",
        _ => "unknown",
    }
}

fn playback_state(value: &[u8]) -> Result<Vec<(&'static str, String)>, Malformed> {
    let mut bytes = Bytes::new(value);
    let (created, state, session) = (bytes.u32()?, bytes.u32()?, bytes.u64()?);
    let said = match state {
        0xf4de_e5a2 => "ready to start, needs a key",
        0xa5d6_739e => "playing, needs no key",
        0x4f83_4330 => "playing, its lease is about to expire",
        _ => "unknown",
    };
    Ok(vec![
        ("created", created.to_string()),
        ("state", format!("{state:08x} ({said})")),
        ("session", format!("{session:016x}")),
    ])
}

fn capabilities(value: &[u8]) -> Result<Vec<(&'static str, String)>, Malformed> {
    const NAMES: [&str; 6] =
        ["HDCP type 1", "dual expiry", "check-in", "offline key version 2", "baseline", "main"];
    let mut bytes = Bytes::new(value);
    bytes.u64()?;
    let bits = bytes.u64()?;
    let known = NAMES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    Ok(known.map(|(_, name)| ("can", (*name).to_owned())).collect())
}

fn offline_sync(sync: Option<OfflineSync>) -> Vec<(&'static str, String)> {
    match sync {
        None => vec![("version", "0 (nothing to say)".to_owned())],
        Some(OfflineSync::Remaining { content, seconds }) => vec![
            ("version", "1".to_owned()),
            ("content", hex(&content)),
            ("seconds to expiry", seconds.to_string()),
        ],
        Some(OfflineSync::Report { challenge, flags, title, seconds, contents }) => {
            let mut fields = vec![
                ("version", "2".to_owned()),
                ("challenge", hex(&challenge)),
                ("flags", format!("{flags:#x}")),
                ("title", hex(&title)),
                ("seconds to expiry", seconds.to_string()),
            ];
            fields.extend(contents.iter().map(|content| ("content", hex(content))));
            fields
        }
    }
}

fn duration(duration: Duration) -> Vec<(&'static str, String)> {
    let lease = match duration.lease {
        u32::MAX => "none".to_owned(),
        seconds => format!("{seconds} s"),
    };
    let kind = format!("{:08x} ({:?})", duration.kind.value(), duration.kind);
    vec![("lease", lease), ("rental", format!("{} s", duration.rental)), ("kind", kind)]
}

fn offline_key(key: OfflineKey) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("content", hex(&key.content)),
        ("storage", format!("{} s", key.storage)),
        ("playback", format!("{} s", key.playback)),
    ];
    fields.extend(key.title.iter().map(|title| ("title", hex(title))));
    fields
}

fn content_key(value: &[u8]) -> Result<Vec<(&'static str, String)>, Malformed> {
    let mut bytes = Bytes::new(value);
    let (iv, key): (Block, Block) = (bytes.array()?, bytes.array()?);
    Ok(vec![("content IV", hex(&iv)), ("encrypted key", hex(&key))])
}
