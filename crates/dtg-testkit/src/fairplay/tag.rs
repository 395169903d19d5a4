//! The tags of SPC and CKC payloads, and what they are called.

macro_rules! tags {
    ($($(#[$doc:meta])* $constant:ident = $tag:literal, $name:literal;)*) => {
        $($(#[$doc])* pub const $constant: u64 = $tag;)*

        /// What a tag is called; `unknown` for others, of which real containers are full.
        #[must_use]
        pub const fn name(tag: u64) -> &'static str {
            match tag {
                $($tag => $name,)*
                _ => "unknown",
            }
        }
    };
}

tags! {
    /// Session key and R1, encrypted: 112 bytes.
    SESSION_KEY_R1 = 0x3d1a_10b8_bffa_c2ec, "session key and R1";
    /// What the decrypted session key and R1 end with: 16 bytes.
    INTEGRITY = 0xb349_d480_9e91_0687, "session key and R1 integrity";
    /// The seed of the anti-replay key: 16 bytes.
    ANTI_REPLAY_SEED = 0x89c9_0f12_2041_06b2, "anti-replay seed";
    /// R2, which the derivation takes: 21 bytes.
    R2 = 0x71b5_595a_c152_1133, "R2";
    /// Tags of TLLVs that the CKC has to hold again.
    RETURN_REQUEST = 0x19f9_d4e5_ab76_09cb, "return request";
    /// The content identifier: 2 to 200 bytes.
    ASSET_ID = 0x1bf7_f53f_5d5d_5a1f, "asset id";
    /// The transaction: 8 bytes.
    TRANSACTION_ID = 0x47aa_7ad3_4405_77de, "transaction id";
    /// The protocol versions that the device knows.
    VERSIONS_SUPPORTED = 0x67b8_fb79_ecce_1a13, "protocol versions supported";
    /// The protocol version in use.
    VERSION_USED = 0x5d81_bcbc_c7f6_1703, "protocol version used";
    /// Where the media plays: on the device, or streamed on.
    STREAMING_INDICATOR = 0xabb0_256a_3184_3974, "streaming indicator";
    /// What the player is doing.
    PLAYBACK_STATE = 0xeb8e_fdf2_b25a_b3a0, "media playback state";
    /// What the device can do.
    CAPABILITIES = 0x9c02_af32_53c0_7fb2, "capabilities";
    /// What became of a stored key: seconds to expiry, or its invalidation.
    OFFLINE_SYNC = 0x7796_6de1_dc10_83ad, "offline sync";
    /// What security level the device has.
    SECURITY_LEVEL_REPORT = 0xb18e_e16e_a50f_6c02, "security level report";
    /// The kind of device and its system.
    DEVICE_INFO = 0xd43f_c6ab_c596_aae7, "device info";
    /// Who the device is.
    DEVICE_IDENTITY = 0x94c1_7cd6_76c6_9b59, "device identity";
    /// The kernel extensions denied.
    KEXT_DENY_LIST = 0x70ec_a657_3388_e329, "kext deny list";
    /// The key formats that the device knows.
    KEY_FORMATS = 0x8d8e_84fa_6cc3_5eb7, "key formats";
    /// Session key and R1 of SPC version 3.
    SESSION_KEY_R1_V3 = 0x697a_f621_3858_562f, "session key and R1, version 3";
    /// R2 of SPC version 3.
    R2_V3 = 0xdb30_b89d_cb58_34b3, "R2, version 3";
    /// The version of the session key.
    SESSION_KEY_VERSION = 0x42ca_089e_8e9f_a924, "session key version";
    /// The virtual machine that the device is.
    VM_INFO = 0x7564_40e2_4049_9f70, "virtual machine info";

    /// The content key, encrypted, after its IV: 32 bytes; only in a CKC.
    CONTENT_KEY = 0x58b3_8165_af0e_3d5a, "encrypted content key";
    /// R1 again: 44 bytes; only in a CKC.
    R1 = 0xea74_c464_5d5e_fee9, "R1";
    /// How long the content key may be used: 16 bytes; only in a CKC.
    DURATION = 0x47ac_f6a4_18cd_091a, "content key duration";
    /// How long a stored key may be kept and played: 32 or 48 bytes; only in a CKC.
    OFFLINE_KEY = 0x6375_d972_7060_218c, "offline key";
    /// What the link to a screen has to be protected by: 16 bytes; only in a CKC.
    HDCP = 0x2e52_f153_0d8d_db4a, "HDCP";
    /// The security level that the key asks for; only in a CKC.
    SECURITY_LEVEL = 0x644c_b1da_c031_3250, "required security level";
}
