//! The signing services of a run: the adapters, bound to the addresses in the signing config.

use super::trust_source::TrustSource;
use crate::adapters::http::Http;
use crate::adapters::key::EphemeralKey;
use crate::adapters::{fulcio, id_token, rekor, tsa};
use crate::ci::{IdToken, TokenSource};
use crate::evidence::{Certificate, Content, LogEntry, Signature, SignedTimestamp};
use crate::flow::ports::{self, Fault, KeyError, Service, ServiceError, TokenError};
use crate::trust::SigningServices;

pub(super) struct Services<'a> {
    pub(super) http: &'a Http,
    pub(super) token: TokenSource,
    /// Names the services. The story has asked it for the trusted root before it asks for a signature.
    pub(super) trust: &'a TrustSource,
}

impl Services<'_> {
    async fn addresses(&self, service: Service) -> Result<&SigningServices, ServiceError> {
        self.trust.services().await.map_err(|error| ServiceError {
            service,
            url: String::new(),
            fault: Fault::Unexpected(error.to_string()),
        })
    }
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
        let addresses = self.addresses(Service::Fulcio).await?;
        fulcio::certificate(self.http, &addresses.fulcio, token, public_key_pem, proof).await
    }

    async fn log_entry(
        &self,
        content: &Content,
        signature: &Signature,
        certificate: &Certificate,
    ) -> Result<LogEntry, ServiceError> {
        let addresses = self.addresses(Service::Rekor).await?;
        let log = (addresses.rekor.as_str(), addresses.rekor_version);
        rekor::log_entry(self.http, log, content, signature, certificate).await
    }

    async fn timestamp(
        &self,
        signature: &Signature,
    ) -> Result<Option<SignedTimestamp>, ServiceError> {
        match &self.addresses(Service::Tsa).await?.tsa {
            Some(url) => tsa::timestamp(self.http, url, signature).await.map(Some),
            None => Ok(None),
        }
    }
}
