//! The DSSE envelope: what is signed is not the payload but its pre-authentication encoding.

/// The payload type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The bytes to sign for a statement (DSSE v1 protocol: `DSSEv1 LEN(type) type LEN(body) body`).
pub fn pae(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {PAYLOAD_TYPE} {} ",
        PAYLOAD_TYPE.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_the_encoding_of_the_dsse_protocol() {
        assert_eq!(
            super::pae(b"{}"),
            b"DSSEv1 28 application/vnd.in-toto+json 2 {}"
        );
    }
}
