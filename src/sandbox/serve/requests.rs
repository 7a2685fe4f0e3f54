//! What the sandbox was asked, by whom it was answered, and when.
//!
//! Every service writes to one [`RequestLog`], so a test or a benchmark can tell how many requests a command cost,
//! how many of them had to wait for another, and which were asked twice. It holds no headers and no bodies: tokens
//! and keys travel there.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

/// The services of the sandbox, written in kebab case: `oidc`, `fulcio`, `rekor-v1`, `rekor-v2`, `tsa`, `registry`, `tuf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceName {
    /// The issuers of identity tokens.
    Oidc,
    /// The certificate authority.
    Fulcio,
    /// The transparency log with signed entry timestamps.
    RekorV1,
    /// The transparency log without them.
    RekorV2,
    /// The RFC 3161 timestamp authority.
    Tsa,
    /// The OCI registry.
    Registry,
    /// The TUF repository.
    Tuf,
}

impl ServiceName {
    /// Every service, in the order in which a signature needs them.
    pub const ALL: [Self; 7] = [
        Self::Oidc,
        Self::Fulcio,
        Self::RekorV1,
        Self::RekorV2,
        Self::Tsa,
        Self::Registry,
        Self::Tuf,
    ];

    /// The name in kebab case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Fulcio => "fulcio",
            Self::RekorV1 => "rekor-v1",
            Self::RekorV2 => "rekor-v2",
            Self::Tsa => "tsa",
            Self::Registry => "registry",
            Self::Tuf => "tuf",
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ServiceName {
    type Err = UnknownService;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|service| service.as_str() == name)
            .ok_or_else(|| UnknownService(name.to_owned()))
    }
}

/// A name that belongs to no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no service {0:?}; the services are oidc, fulcio, rekor-v1, rekor-v2, tsa, registry and tuf"
)]
pub struct UnknownService(String);

/// One answered request. The times count from the creation of the log, on a clock that never steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who was asked.
    pub service: ServiceName,
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The HTTP status of the answer; 0 if the client left before there was one.
    pub status: u16,
    /// When the head of the request had arrived.
    pub start: Duration,
    /// When the last byte of the answer was handed over, or the answer was given up.
    pub end: Duration,
}

/// A request that was asked more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Who was asked.
    pub service: ServiceName,
    /// How often; at least 2.
    pub times: usize,
}

/// The requests to all services of one sandbox. Clones share the same log.
#[derive(Clone, Debug)]
pub struct RequestLog {
    origin: Instant,
    entries: Arc<Mutex<Entries>>,
}

#[derive(Debug, Default)]
struct Entries {
    requests: Vec<Request>,
    sink: Option<File>,
}

impl RequestLog {
    /// An empty log; its creation is time zero.
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
            entries: Arc::default(),
        }
    }

    /// A log that also appends every request to a file, one JSON object a line; times in microseconds.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn with_file(path: &Path) -> io::Result<Self> {
        let sink = OpenOptions::new().create(true).append(true).open(path)?;
        let log = Self::new();
        log.lock().sink = Some(sink);
        Ok(log)
    }

    /// The requests so far, earliest first.
    pub fn all(&self) -> Vec<Request> {
        let mut requests = self.lock().requests.clone();
        requests.sort_by_key(|request| request.start);
        requests
    }

    /// Forgets the requests so far. The clock runs on, and a file keeps its lines.
    pub fn clear(&self) {
        self.lock().requests.clear();
    }

    /// The length of the longest chain of requests each of which began after the one before it had ended.
    ///
    /// This is what a client pays in network round trips, however many requests it sends at once.
    pub fn sequential_round_trips(&self) -> usize {
        let mut by_end = self.all();
        by_end.sort_by_key(|request| request.end);
        let mut chain = 0;
        let mut free_from = Duration::ZERO;
        // Taking the request that ends first always leaves the most room for the rest of the chain.
        for request in by_end {
            if request.start >= free_from {
                chain += 1;
                free_from = request.end;
            }
        }
        chain
    }

    /// The requests that were asked more than once, in the order of service, method and path.
    pub fn repeated(&self) -> Vec<Repeat> {
        let mut counts = BTreeMap::<_, usize>::new();
        for Request {
            service,
            method,
            path,
            ..
        } in self.all()
        {
            *counts.entry((service, method, path)).or_default() += 1;
        }
        counts
            .into_iter()
            .filter(|(_, times)| *times > 1)
            .map(|((service, method, path), times)| Repeat {
                method,
                path,
                service,
                times,
            })
            .collect()
    }

    /// The time since the creation of the log.
    pub(crate) fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Adds a request. A file that can no longer be written to is given up; the log in memory stays complete.
    pub(crate) fn record(&self, request: Request) {
        let mut entries = self.lock();
        let line = json!({
            "service": request.service.as_str(),
            "method": request.method,
            "path": request.path,
            "status": request.status,
            "start_us": request.start.as_micros(),
            "end_us": request.end.as_micros(),
        });
        // One write a line, so that lines of several sandboxes in one file do not mix.
        let written = entries
            .sink
            .as_mut()
            .is_none_or(|sink| sink.write_all(format!("{line}\n").as_bytes()).is_ok());
        if !written {
            entries.sink = None;
        }
        entries.requests.push(request);
    }

    /// A panic elsewhere cannot leave a half-written entry, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RequestLog {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(spans: &[(u64, u64)]) -> RequestLog {
        let log = RequestLog::new();
        for &(start, end) in spans {
            log.record(request("/a", start, end));
        }
        log
    }

    fn request(path: &str, start: u64, end: u64) -> Request {
        Request {
            service: ServiceName::Tsa,
            method: "GET".into(),
            path: path.into(),
            status: 200,
            start: Duration::from_millis(start),
            end: Duration::from_millis(end),
        }
    }

    #[test]
    fn requests_in_parallel_are_one_round_trip() {
        assert_eq!(
            log_of(&[(0, 10), (1, 9), (2, 12)]).sequential_round_trips(),
            1
        );
    }

    #[test]
    fn a_chain_may_leave_out_a_long_request() {
        assert_eq!(
            log_of(&[(0, 100), (1, 10), (10, 20), (21, 99)]).sequential_round_trips(),
            3
        );
    }

    #[test]
    fn no_request_is_no_round_trip() {
        assert_eq!(RequestLog::new().sequential_round_trips(), 0);
    }

    #[test]
    fn repeats_need_the_same_service_method_and_path() {
        let log = log_of(&[(0, 1), (2, 3), (4, 5)]);
        log.record(request("/b", 6, 7));
        log.record(Request {
            service: ServiceName::Oidc,
            ..request("/b", 8, 9)
        });
        let repeat = Repeat {
            method: "GET".into(),
            path: "/a".into(),
            service: ServiceName::Tsa,
            times: 3,
        };
        assert_eq!(log.repeated(), [repeat]);
    }

    #[test]
    fn the_log_is_sorted_by_start_and_can_be_cleared() {
        let log = log_of(&[(5, 6), (0, 9)]);
        assert_eq!(log.all()[0].start, Duration::ZERO);
        log.clear();
        assert!(log.all().is_empty());
    }

    #[test]
    fn a_file_gets_one_json_object_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("requests.jsonl");
        let log = RequestLog::with_file(&path).unwrap();
        log.record(request("/x?y=z", 1, 2));
        log.record(request("/x", 3, 4));
        let text = std::fs::read_to_string(path).unwrap();
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert_eq!(first["path"], "/x?y=z");
        assert_eq!(first["end_us"], 2000);
    }

    #[test]
    fn service_names_are_read_as_they_are_written() {
        for service in ServiceName::ALL {
            assert_eq!(service.to_string().parse(), Ok(service));
        }
        let error = "rekor".parse::<ServiceName>().unwrap_err();
        assert!(error.to_string().contains("rekor-v2"));
    }
}
