//! The services on their way from a port to a running server.
//!
//! Ports are taken first, because a token names its issuer's address and a log its own; then everybody who needs an
//! address is made; then the servers open.

use std::sync::Arc;

use axum::Router;

use crate::sandbox::error::Result;
use crate::sandbox::fulcio::Fulcio;
use crate::sandbox::oidc::Issuer;
use crate::sandbox::options::Options;
use crate::sandbox::registry::Registry;
use crate::sandbox::serve::clock::Clock;
use crate::sandbox::serve::{Fault, Faults};
use crate::sandbox::serve::{Listener, Service, bind};
use crate::sandbox::serve::{RequestLog, ServiceName};
use crate::sandbox::trust::{Addresses, Trust};
use crate::sandbox::tuf::TufRepository;

/// Every service before it opens.
pub(in crate::sandbox) struct Stands {
    pub(in crate::sandbox) oidc: Stand,
    pub(in crate::sandbox) fulcio: Stand,
    pub(in crate::sandbox) rekor_v1: Stand,
    pub(in crate::sandbox) rekor_v2: Stand,
    pub(in crate::sandbox) tsa: Stand,
    pub(in crate::sandbox) registry: Stand,
    pub(in crate::sandbox) tuf: Stand,
}

impl Stands {
    /// Takes a port for every service and sets up its faults.
    pub(in crate::sandbox) async fn set_up(options: &Options) -> Result<Self> {
        Ok(Self {
            oidc: Stand::new(ServiceName::Oidc, options).await?,
            fulcio: Stand::new(ServiceName::Fulcio, options).await?,
            rekor_v1: Stand::new(ServiceName::RekorV1, options).await?,
            rekor_v2: Stand::new(ServiceName::RekorV2, options).await?,
            tsa: Stand::new(ServiceName::Tsa, options).await?,
            registry: Stand::new(ServiceName::Registry, options).await?,
            tuf: Stand::new(ServiceName::Tuf, options).await?,
        })
    }

    /// Where everybody will be.
    pub(in crate::sandbox) fn addresses(&self) -> Addresses {
        Addresses {
            oidc: self.oidc.url().to_owned(),
            fulcio: self.fulcio.url().to_owned(),
            rekor_v1: self.rekor_v1.url().to_owned(),
            rekor_v2: self.rekor_v2.url().to_owned(),
            tsa: self.tsa.url().to_owned(),
        }
    }

    /// Opens every service.
    pub(in crate::sandbox) fn open(
        self,
        issuer: &Issuer,
        trust: &Trust,
        (registry, tuf): (&Registry, &TufRepository),
        log: &RequestLog,
    ) -> Services {
        let fulcio = Fulcio {
            authority: Arc::clone(&trust.ca),
            issuer: issuer.clone(),
            clock: self.fulcio.clock(),
        };
        let registry = registry.clone().router(self.registry.url());
        Services {
            oidc: self.oidc.open(issuer.router(), log),
            fulcio: self.fulcio.open(fulcio.router(), log),
            rekor_v1: self.rekor_v1.open(trust.rekor_v1.clone().router(), log),
            rekor_v2: self.rekor_v2.open(trust.rekor_v2.clone().router(), log),
            tsa: self.tsa.open(trust.tsa.clone().router(), log),
            registry: self.registry.open(registry, log),
            tuf: self.tuf.open(tuf.clone().router(), log),
        }
    }
}

/// Every service, running.
pub(in crate::sandbox) struct Services {
    pub(in crate::sandbox) oidc: Service,
    pub(in crate::sandbox) fulcio: Service,
    pub(in crate::sandbox) rekor_v1: Service,
    pub(in crate::sandbox) rekor_v2: Service,
    pub(in crate::sandbox) tsa: Service,
    pub(in crate::sandbox) registry: Service,
    pub(in crate::sandbox) tuf: Service,
}

/// A service before it opens: it has its address, its faults and its clock, but no router yet, because routers are
/// told addresses.
pub(in crate::sandbox) struct Stand {
    name: ServiceName,
    listener: Listener,
    faults: Faults,
}

impl Stand {
    async fn new(name: ServiceName, options: &Options) -> Result<Self> {
        let faults = Faults::new();
        if !options.latency.is_zero() {
            faults.add(Fault::Latency(options.latency));
        }
        for fault in options.faults.iter().filter(|fault| fault.service == name) {
            faults.apply(fault.change.clone());
        }
        Ok(Self {
            name,
            listener: bind().await?,
            faults,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub(in crate::sandbox) fn url(&self) -> &str {
        self.listener.url()
    }

    /// The clock that this service goes by.
    pub(in crate::sandbox) fn clock(&self) -> Clock {
        let faults = self.faults.clone();
        Clock::new(move || faults.now())
    }

    fn open(self, router: Router, log: &RequestLog) -> Service {
        Service::start(self.name, self.listener, router, self.faults, log.clone())
    }
}
