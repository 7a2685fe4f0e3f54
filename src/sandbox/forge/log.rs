//! Log entries, each by the log that has its kind, with a false proof where that is the flaw.

use jiff::Timestamp;
use sigstore_verify::crypto::sha256;
use sigstore_verify::types::{KindVersion, Sha256Hash};

use super::{Entry, Flaw, Forger, Signed, an_hour_before};
use crate::sandbox::error::{Error, Result};
use crate::sandbox::rekor::receipt::{Proof, Receipt};
use crate::sandbox::rekor::v2::RekorV2;
use crate::sandbox::rekor::verifier::Verifier;
use crate::sandbox::rekor::{v1, v2};

impl Forger {
    /// Has `body` logged as an entry of its kind, by the log that has this kind.
    pub(super) fn log(
        &self,
        body: Vec<u8>,
        entry: Entry,
        flaw: Option<Flaw>,
        now: Timestamp,
    ) -> Result<Receipt> {
        let mut receipt = match entry {
            Entry::HashedRekord002 => self.log_v2(body, flaw)?,
            _ => self.log_v1(body, entry.kind(), flaw, now)?,
        };
        match flaw {
            Some(Flaw::InclusionProof) => flip_first_hash(&mut receipt.proof)?,
            Some(Flaw::TimestampMissing) => receipt.promise = None,
            _ => {}
        }
        Ok(receipt)
    }

    fn log_v1(
        &self,
        body: Vec<u8>,
        kind: KindVersion,
        flaw: Option<Flaw>,
        now: Timestamp,
    ) -> Result<Receipt> {
        let log = match flaw {
            Some(Flaw::LogUntrusted) => self.trust.rekor_v1.stranger()?,
            _ => self.trust.rekor_v1.clone(),
        };
        let time = match flaw {
            Some(Flaw::IntegratedTimeOutsideCertificate) => an_hour_before(now)?,
            _ => now,
        };
        for neighbour in NEIGHBOURS {
            log.append(neighbour.to_vec(), KindVersion::DsseV001, now)?;
        }
        let mut receipt = log.append(body, kind, time)?;
        let impostor = log.signer().impostor()?;
        let proof = &mut receipt.proof;
        if flaw == Some(Flaw::CheckpointWrongKey) {
            proof.checkpoint = impostor.checkpoint(proof.tree_size, &proof.root)?;
        }
        if let (Some(Flaw::PromiseWrongKey), Some(promise)) = (flaw, &mut receipt.promise) {
            let promised = log.promise_bytes(&receipt.body, proof.index, time)?;
            promise.signed_entry_timestamp = impostor.sign(&promised)?;
        }
        Ok(receipt)
    }

    fn log_v2(&self, body: Vec<u8>, flaw: Option<Flaw>) -> Result<Receipt> {
        let log = match flaw {
            Some(Flaw::LogUntrusted) => RekorV2::new()?,
            _ => self.trust.rekor_v2.clone(),
        };
        for neighbour in NEIGHBOURS {
            log.append(neighbour.to_vec())?;
        }
        let mut receipt = log.append(body)?;
        let proof = &mut receipt.proof;
        if flaw == Some(Flaw::CheckpointWrongKey) {
            let impostor = log.signer().impostor()?;
            proof.checkpoint = impostor.checkpoint(proof.tree_size, &proof.root)?;
        }
        Ok(receipt)
    }
}

impl Signed {
    /// What the log keeps of it in an entry of this kind.
    pub(super) fn body(&self, entry: Entry) -> Result<Vec<u8>> {
        let verifier = Verifier::Certificate(self.certificate.clone());
        let digest = sha256(&self.envelope.pae());
        Ok(match entry {
            Entry::HashedRekord001 => {
                v1::body::hashedrekord_body(&digest, self.signature(), &verifier)?
            }
            Entry::HashedRekord002 => {
                v2::body::hashedrekord_body(&digest, self.signature(), &verifier)?
            }
            Entry::Dsse001 => {
                let text = serde_json::to_string(&self.envelope)?;
                v1::body::dsse_body(&text, &self.envelope, &verifier)?
            }
            Entry::Intoto002 => v1::body::intoto_body(&self.envelope, &verifier)?,
        })
    }
}

fn flip_first_hash(proof: &mut Proof) -> Result<()> {
    let Some(first) = proof.hashes.first_mut() else {
        return Err(Error::Range("a proof without hashes".to_owned()));
    };
    let mut bytes = *first.as_bytes();
    bytes[0] ^= 1;
    *first = Sha256Hash::new(bytes);
    Ok(())
}

/// Entries logged before ours, so that its inclusion proof has something to prove.
const NEIGHBOURS: [&[u8]; 3] = [b"first neighbour", b"second neighbour", b"third neighbour"];
