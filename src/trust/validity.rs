//! How long a certificate authority is believed.
//!
//! The Sigstore crates take every certificate of an authority's chain as an anchor, and nobody checks the validity of an
//! anchor: a certificate under an expired intermediate would pass (CVE-2026-24122 of cosign). So an authority is believed
//! no longer than each of its certificates is valid.

use jiff::Timestamp;
use sigstore_verify::trust_root::CertificateAuthority;
use sigstore_verify::types::{DerCertificate, TimeRange};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Narrows the time in which `authority` is believed to that of its certificates; false if nothing is left of it, or a
/// certificate cannot be read.
pub(super) fn narrow(authority: &mut CertificateAuthority) -> bool {
    let mut window = authority.valid_for;
    for certificate in &authority.cert_chain.certificates {
        let Some(valid) = validity(&certificate.raw_bytes) else {
            return false;
        };
        window = Some(window.map_or(valid, |window| intersection(window, valid)));
    }
    authority.valid_for = window;
    window.is_some_and(|window| window.end.is_none_or(|end| window.start <= end))
}

fn validity(certificate: &DerCertificate) -> Option<TimeRange> {
    let certificate = Certificate::from_der(certificate.as_bytes()).ok()?;
    let validity = certificate.tbs_certificate.validity;
    let time = |time: x509_cert::time::Time| Timestamp::try_from(time.to_system_time()).ok();
    Some(TimeRange::new(
        time(validity.not_before)?,
        Some(time(validity.not_after)?),
    ))
}

fn intersection(a: TimeRange, b: TimeRange) -> TimeRange {
    let end = match (a.end, b.end) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    TimeRange::new(a.start.max(b.start), end)
}
