//! The repository over HTTP: metadata below its URL, files below `targets/`.

use crate::adapters::http::{Http, Method, StatusCode};
use crate::flow::ports::{Service, ServiceError};
use futures_util::join;
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error, Repository, UpdaterConfig};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

pub(super) struct Remote {
    http: Http,
    url: String,
    is_asked: AtomicBool,
    timestamp: Mutex<Option<Answer>>,
}

type Answer = Result<Option<Vec<u8>>, Error>;

impl Remote {
    pub(super) fn new(http: Http, url: &str) -> Self {
        Self {
            http,
            url: url.to_owned(),
            is_asked: AtomicBool::new(false),
            timestamp: Mutex::new(None),
        }
    }

    async fn get(&self, path: &str, limit: u64) -> Answer {
        self.fetch(path, limit)
            .await
            .map_err(|error| Error::transport_with_source(format!("fetching {path}"), error))
    }

    async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, ServiceError> {
        let url = format!("{}/{path}", self.url);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let answer = self
            .http
            .request(Service::Tuf, Method::GET, &url)?
            .send(limit)
            .await?;
        // Object stores answer 403 for what they do not have, unless the reader may list them.
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Ok(None),
            _ => Ok(Some(answer.success()?.body)),
        }
    }

    /// The timestamp is asked for together with the first root: it does not depend on it, and saves a round trip. It
    /// is verified with whatever root is the last one.
    async fn root_and_timestamp(&self, name: &str, limit: u64) -> Answer {
        let bounds = UpdaterConfig::default();
        let timestamp = self.get(TIMESTAMP, bounds.timestamp_max_length);
        let (root, timestamp) = join!(self.get(name, limit), timestamp);
        *self.early_timestamp() = Some(timestamp);
        root
    }

    fn early_timestamp(&self) -> std::sync::MutexGuard<'_, Option<Answer>> {
        self.timestamp
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Repository for Remote {
    fn fetch_metadata<'a>(&'a self, name: &'a str, limit: u64) -> FetchFuture<'a> {
        Box::pin(async move {
            if name == TIMESTAMP {
                let early = self.early_timestamp().take();
                if let Some(early) = early {
                    return early;
                }
            }
            match self.is_asked.swap(true, Ordering::Relaxed) {
                false if name.ends_with(".root.json") => self.root_and_timestamp(name, limit).await,
                _ => self.get(name, limit).await,
            }
        })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, limit: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.get(&format!("targets/{path}"), limit).await })
    }
}

const TIMESTAMP: &str = "timestamp.json";
