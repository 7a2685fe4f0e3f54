//! Every bound on what comes from outside, each with the attack or the need it stands for.

/// Largest manifest or index read or written, in bytes. The distribution spec recommends that registries
/// refuse more than 4 MiB; without a cap a hostile registry feeds us until memory ends (CVE-2023-46737).
pub const MANIFEST_BYTES: usize = 4 * 1024 * 1024;

/// Largest bundle read, in bytes. A bundle with an SBOM in it can be large; a blob announced as a bundle can be
/// endless (CVE-2024-29902).
pub const BUNDLE_BYTES: usize = 16 * 1024 * 1024;

/// Most bytes of bundles read for one image, all together: each within its own bound, hundreds of them would still
/// fill the memory (CVE-2024-29903).
pub const EVIDENCE_BYTES: usize = 64 * 1024 * 1024;

/// Most referrers of one image whose manifests are read. More than this is refused, not truncated: a signature
/// hidden behind hostile referrers must not look absent (CVE-2024-29903).
pub const REFERRERS: usize = 500;

/// Most pages of one referrers list that are followed.
pub const REFERRERS_PAGES: usize = 20;

/// Most requests to one registry in flight for one image.
pub const PARALLEL_FETCHES: usize = 16;

/// Most layers of one `.sig` or `.att` manifest of cosign v2: as many as cosign itself writes. More are refused, not
/// truncated (CVE-2024-29903).
pub const LEGACY_LAYERS: usize = 1000;

/// Largest payload of a cosign v2 signature, in bytes. Real ones have 250.
pub const LEGACY_PAYLOAD_BYTES: usize = 64 * 1024;

/// Largest answer of Fulcio, Rekor, a timestamp authority or a token endpoint, in bytes.
pub const SERVICE_ANSWER_BYTES: usize = 1024 * 1024;

/// Largest ID token, in bytes. Real ones have 1 to 4 KB.
pub const ID_TOKEN_BYTES: usize = 64 * 1024;

/// Largest trusted root or signing config read from a file, in bytes.
pub const TRUST_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Largest public key read from a file, in bytes. RSA with 16,384 bits has 3 KB.
pub const PUBLIC_KEY_BYTES: u64 = 64 * 1024;

/// Largest statement signed, in bytes: in base64, and with its proofs, it still fits into a bundle that is read.
pub const STATEMENT_BYTES: u64 = 8 * 1024 * 1024;

/// Largest file held in memory, in bytes: only signatures by Ed25519 keys need it, all others are verified in passing.
pub const WHOLE_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// Longest piece of remote text shown to a user, in characters.
pub const SHOWN_TEXT: usize = 300;

/// Longest piece of remote text in a report for scripts, in characters.
pub const REPORTED_TEXT: usize = 4096;

/// Tolerated difference between our clock and the clock of an ID token's issuer, in seconds.
pub const CLOCK_SKEW_SECONDS: i64 = 60;

/// Most log entries, and most signed timestamps, in one bundle (CVE-2024-45395: unbounded lists of them).
pub const PROOFS_PER_BUNDLE: usize = 32;

/// Largest file that TUF delivers and that we read, in bytes; real ones have 7 to 35 KB.
pub const TUF_TARGET_BYTES: u64 = 4 * 1024 * 1024;

/// Most new TUF roots followed in one refresh: an endless chain of them would never end (TUF spec 5.3.2).
pub const TUF_ROOT_ROTATIONS: u32 = 64;

/// Largest cache of TUF metadata and targets that is read, in bytes.
pub const TRUST_CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// Longest refresh of trust material, in seconds. A slow repository must not hold up a deployment for long when there
/// is older material that verifies.
pub const TRUST_REFRESH_SECONDS: u64 = 20;

/// Days that cached trust material may be used after its TUF metadata expired, if there is no answer. An attacker who
/// blocks the repository can freeze us in the past for this long and no longer.
pub const TRUST_GRACE_DAYS: i64 = 30;

/// Days after which the age of trust material is worth a warning, even if nobody asked for newer.
pub const TRUST_WARN_DAYS: i64 = 90;
