//! The one HTTP client: TLS by rustls with the system's roots, the proxies of the environment, connections kept and
//! shared, a cap on every answer, one deadline over everything.

mod hosts;

use crate::flow::ports::{Fault, Service, ServiceError};
use crate::limits;
use hosts::{is_this_machine, may_be_plain};
use reqwest::header::{AsHeaderName, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

// What the other adapters need to name; nothing else of the client crate leaves this file.
pub use reqwest::{Method, StatusCode, Url, header};
use std::time::Duration;
use tokio::time::Instant;

/// The client. Cheap to share by reference; made once a run.
#[derive(Clone)]
pub struct Http {
    client: Client,
    /// For this machine: a proxy would carry away what is plain only because it stays here.
    local: Client,
    deadline: Instant,
    deadline_name: &'static str,
    plain_hosts: Vec<String>,
}

impl Http {
    /// A client whose requests all end within `timeout` from now. `plain_hosts` (each `host` or `host:port`) may be
    /// reached without TLS; this machine always may.
    pub fn new(timeout: Duration, plain_hosts: Vec<String>) -> Result<Self, HttpError> {
        let client = || {
            Client::builder()
                .user_agent(concat!("signgate/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_TIMEOUT)
                .redirect(Policy::none())
        };
        Ok(Self {
            client: client().build().map_err(HttpError)?,
            local: client().no_proxy().build().map_err(HttpError)?,
            deadline: Instant::now() + timeout,
            deadline_name: "--timeout for the whole run",
            plain_hosts,
        })
    }

    /// The same client, whose requests all end within `limit` from now. `name` is what a user calls this limit.
    pub fn within(&self, limit: Duration, name: &'static str) -> Self {
        let mut http = self.clone();
        let deadline = Instant::now() + limit;
        if deadline < http.deadline {
            (http.deadline, http.deadline_name) = (deadline, name);
        }
        http
    }

    /// Whether `host` (with its port, if it has one) is reached without TLS.
    pub fn is_plain(&self, host: &str) -> bool {
        Url::parse(&format!("http://{host}")).is_ok_and(|url| may_be_plain(&url, &self.plain_hosts))
    }

    /// A request to `url`, which must be `https` unless its host may be reached without.
    pub fn request(
        &self,
        service: Service,
        method: Method,
        url: &str,
    ) -> Result<Request<'_>, ServiceError> {
        let failed = |fault| ServiceError {
            service,
            url: without_secrets(url),
            fault,
        };
        let parsed = Url::parse(url)
            .map_err(|error| failed(Fault::Unexpected(format!("its URL: {error}"))))?;
        // The hosts that the user named are registries; a token endpoint or Fulcio on them is not what was meant.
        let named = match service {
            Service::Registry => self.plain_hosts.as_slice(),
            _ => &[],
        };
        if parsed.scheme() != "https" && !may_be_plain(&parsed, named) {
            return Err(failed(Fault::PlainHttp));
        }
        Ok(Request {
            http: self,
            service,
            method,
            url: parsed,
            headers: HeaderMap::new(),
            body: None,
        })
    }
}

/// The client cannot be set up: most likely this system has no CA certificates.
#[derive(Debug, thiserror::Error)]
#[error(
    "the HTTP client cannot be set up; TLS needs the CA certificates of this system (or SSL_CERT_FILE)"
)]
pub struct HttpError(#[source] reqwest::Error);

/// A request being built.
pub struct Request<'a> {
    http: &'a Http,
    service: Service,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Request<'_> {
    /// Adds a header. A value that cannot be one is left out: servers then answer that it is missing.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Adds a header that is never logged.
    pub fn secret_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.append(name, value);
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, media_type: &str, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self.header(CONTENT_TYPE, media_type)
    }

    /// Where it goes.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Sends the request and reads the whole answer, of at most `limit` bytes.
    pub async fn send(self, limit: usize) -> Result<Answer, ServiceError> {
        let (service, url) = (self.service, without_secrets(self.url.as_str()));
        let now = Instant::now();
        let (end, why) = match now + REQUEST_TIMEOUT {
            end if end < self.http.deadline => (end, "60 seconds for a request"),
            _ => (self.http.deadline, self.http.deadline_name),
        };
        match tokio::time::timeout_at(end, self.exchange(limit))
            .await
            .unwrap_or(Err(Fault::TimedOut(why)))
        {
            Ok((origin, status, headers, body)) => Ok(Answer {
                service,
                url,
                origin,
                status,
                headers,
                body,
            }),
            Err(fault) => Err(ServiceError {
                service,
                url,
                fault,
            }),
        }
    }

    async fn exchange(
        mut self,
        limit: usize,
    ) -> Result<(String, StatusCode, HeaderMap, Vec<u8>), Fault> {
        let plain = &self.http.plain_hosts;
        for _ in 0..=MAX_REDIRECTS {
            let client = match is_this_machine(&self.url) {
                true => &self.http.local,
                false => &self.http.client,
            };
            let mut request = client
                .request(self.method.clone(), self.url.clone())
                .headers(self.headers.clone());
            if let Some(body) = &self.body {
                request = request.body(body.clone());
            }
            let response = request.send().await.map_err(fault_of)?;
            let Some(url) = hosts::redirect(&self.method, &self.url, &response, plain)? else {
                let (status, headers, body) = read(response, limit).await?;
                return Ok((self.origin(), status, headers, body));
            };
            if url.origin() != self.url.origin() {
                self.headers.remove(header::AUTHORIZATION);
            }
            self.url = url;
        }
        Err(Fault::Unexpected("too many redirects".to_owned()))
    }
}

/// A complete answer, of whatever status.
pub struct Answer {
    service: Service,
    url: String,
    /// Who gave it: after a redirect, somebody else than was asked.
    pub origin: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The text of a header.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// This answer if its status is a success, else the failure that it is.
    pub fn success(self) -> Result<Self, ServiceError> {
        if self.status.is_success() {
            Ok(self)
        } else {
            Err(self.refusal())
        }
    }

    /// The failure that this answer is, with what it says.
    pub fn refusal(&self) -> ServiceError {
        self.failed(Fault::Status {
            status: self.status.as_u16(),
            detail: detail(&self.body),
        })
    }

    /// This answer if its status is a success, else a refusal of what was sent, when trying again would not help.
    pub fn stored(self) -> Result<Self, ServiceError> {
        let is_refusal =
            self.status.is_client_error() && !matches!(self.status.as_u16(), 401 | 403 | 408 | 429);
        match is_refusal {
            true => Err(self.failed(Fault::Refused {
                status: self.status.as_u16(),
                detail: detail(&self.body),
            })),
            false => self.success(),
        }
    }

    /// This answer is not what the protocol says.
    pub fn unexpected(&self, what: impl Into<String>) -> ServiceError {
        self.failed(Fault::Unexpected(what.into()))
    }

    /// The failure of the request that this answers.
    pub fn failed(&self, fault: Fault) -> ServiceError {
        ServiceError {
            service: self.service,
            url: self.url.clone(),
            fault,
        }
    }
}

async fn read(
    mut response: Response,
    limit: usize,
) -> Result<(StatusCode, HeaderMap, Vec<u8>), Fault> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(fault_of)? {
        if body.len() + chunk.len() > limit {
            return Err(Fault::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, headers, body))
}

fn fault_of(error: reqwest::Error) -> Fault {
    if error.is_timeout() {
        return Fault::TimedOut("10 seconds for a connection");
    }
    // The innermost cause says it all: the layers above only say that there is one. The URL is left out: its
    // query may carry a token.
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Fault::Unreachable(cause.to_string())
}

/// A URL as it may be shown: without user, password, query and fragment.
fn without_secrets(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut url) => {
            url.set_query(None);
            url.set_fragment(None);
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => "(not a URL)".to_owned(),
    }
}

/// What an error answer says, in part: the message in the JSON of OCI registries or of gRPC gateways, else the start of the text.
fn detail(body: &[u8]) -> String {
    let body = &body[..body.len().min(SAID_BYTES)];
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message = json.as_ref().and_then(|json| {
        let oci = json.pointer("/errors/0");
        let code = oci.and_then(|error| error.get("code")?.as_str());
        let message = oci
            .unwrap_or(json)
            .get("message")
            .and_then(serde_json::Value::as_str);
        match (code, message) {
            (Some(code), Some(message)) => Some(format!("{code}: {message}")),
            (code, message) => message.or(code).map(str::to_owned),
        }
    });
    let text = message
        .unwrap_or_else(|| String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned());
    text.trim().chars().take(limits::REPORTED_TEXT).collect()
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Rekor v2 answers only when its next checkpoint is published; its operators advise at least 20 seconds.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 5;
/// Longest error answer that is looked into.
const SAID_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_urls_carry_no_secrets() {
        assert_eq!(
            without_secrets("https://u:p@host/path?token=t#f"),
            "https://host/path"
        );
    }

    #[test]
    fn error_answers_are_quoted_by_their_message() {
        assert_eq!(
            detail(br#"{"errors":[{"code":"DENIED","message":"no"}]}"#),
            "DENIED: no"
        );
        assert_eq!(
            detail(br#"{"code":3,"message":"There was an error"}"#),
            "There was an error"
        );
        assert_eq!(detail(b"<html>"), "<html>");
    }
}
