//! The signing services of a run: the adapters, bound to the addresses in the signing config.

use crate::adapters::http::Http;
use crate::adapters::key::EphemeralKey;
use crate::adapters::{fulcio, id_token, rekor, tsa};
use crate::ci::{IdToken, TokenSource};
use crate::evidence::{Certificate, Content, LogEntry, Signature, SignedTimestamp};
use crate::flow::ports::{self, KeyError, ServiceError, TokenError};
use crate::trust::SigningServices;

pub(super) struct Services<'a> {
    pub(super) http: &'a Http,
    pub(super) token: TokenSource,
    pub(super) addresses: SigningServices,
}

impl ports::SigningServices for Services<'_> {
    type Key = EphemeralKey;

    async fn id_token(&self) -> Result<IdToken, TokenError> {
        id_token::fetch(self.http, &self.token).await
    }

    fn new_key(&self) -> Result<EphemeralKey, KeyError> {
        EphemeralKey::generate()
    }

    async fn certificate(
        &self,
        token: &IdToken,
        public_key_pem: &str,
        proof: &Signature,
    ) -> Result<Certificate, ServiceError> {
        fulcio::certificate(
            self.http,
            &self.addresses.fulcio,
            token,
            public_key_pem,
            proof,
        )
        .await
    }

    async fn log_entry(
        &self,
        content: &Content,
        signature: &Signature,
        certificate: &Certificate,
    ) -> Result<LogEntry, ServiceError> {
        let log = (self.addresses.rekor.as_str(), self.addresses.rekor_version);
        rekor::log_entry(self.http, log, content, signature, certificate).await
    }

    async fn timestamp(
        &self,
        signature: &Signature,
    ) -> Result<Option<SignedTimestamp>, ServiceError> {
        match &self.addresses.tsa {
            Some(url) => tsa::timestamp(self.http, url, signature).await.map(Some),
            None => Ok(None),
        }
    }
}
