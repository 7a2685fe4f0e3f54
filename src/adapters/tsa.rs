//! A timestamp authority (RFC 3161 over HTTP, §3.4).

use super::http::{Http, Method};
use crate::evidence::{Signature, SignedTimestamp};
use crate::flow::ports::{Service, ServiceError};
use crate::image::Digest;
use crate::limits;

/// Has the authority at `url` confirm that the signature exists now.
pub async fn timestamp(
    http: &Http,
    url: &str,
    signature: &Signature,
) -> Result<SignedTimestamp, ServiceError> {
    let answer = http
        .request(Service::Tsa, Method::POST, url)?
        .body(
            "application/timestamp-query",
            query(&Digest::of(&signature.0)),
        )
        .send(limits::SERVICE_ANSWER_BYTES)
        .await?
        .success()?;
    if !is_granted(&answer.body) {
        return Err(answer.unexpected("a timestamp that was not granted"));
    }
    Ok(SignedTimestamp(answer.body))
}

/// `TimeStampReq` in DER: version 1, the SHA-256 imprint, no policy, no nonce, and the authority's certificate with the
/// answer. Its length never changes, so it is written out. No nonce: the imprint is of a signature made just now by a
/// key made just now, so an old answer cannot fit it.
fn query(imprint: &Digest) -> Vec<u8> {
    let mut der = vec![
        0x30, 0x39, // TimeStampReq
        0x02, 0x01, 0x01, // version 1
        0x30, 0x31, // messageImprint
        0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
        0x00, // SHA-256
        0x04, 0x20, // hashedMessage
    ];
    der.extend_from_slice(imprint.as_bytes());
    der.extend_from_slice(&[0x01, 0x01, 0xff]); // certReq
    der
}

/// Whether `TimeStampResp` starts with `PKIStatusInfo { status granted(0) | grantedWithMods(1) }`. Whether the token in
/// it is good is found out when the bundle is verified.
fn is_granted(response: &[u8]) -> bool {
    fn enter(der: &[u8]) -> Option<&[u8]> {
        let (&tag, rest) = der.split_first()?;
        let (&length, rest) = rest.split_first()?;
        let long_form = if length & 0x80 != 0 {
            usize::from(length & 0x7f)
        } else {
            0
        };
        (tag == 0x30).then(|| rest.get(long_form..)).flatten()
    }
    matches!(
        enter(response).and_then(enter),
        Some([0x02, 0x01, 0 | 1, ..])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_der_of_the_length_it_says() {
        let der = query(&Digest::of(b"signature"));
        assert_eq!(der.len(), usize::from(der[1]) + 2);
    }

    #[test]
    fn only_granted_responses_count() {
        assert!(is_granted(&[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00]));
        assert!(is_granted(&[
            0x30, 0x82, 0x00, 0x05, 0x30, 0x03, 0x02, 0x01, 0x01
        ]));
        assert!(!is_granted(&[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02]));
        for garbage in [
            &b""[..],
            b"<html>",
            &[0x30],
            &[0x30, 0x84],
            &[0x30, 0x80, 0x30],
        ] {
            assert!(!is_granted(garbage));
        }
    }
}
