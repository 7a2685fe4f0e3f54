//! One loopback HTTP server: serves a router, records every request and carries out the faults of its service.
//!
//! HTTP/1.1 without TLS (RFC 9112). It knows nothing of what its router answers.

pub(super) mod clock;
mod faults;
mod requests;
pub(super) mod stand;

pub use faults::{Change, Fault, FaultSpec, FaultSpecError, Faults, Order};
pub use requests::{Repeat, Request, RequestLog, ServiceName, UnknownService};

mod delivery;

use std::future::IntoFuture;
use std::io;

use axum::Router;
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::delivery::{Delivery, Record, deliver};

/// A port of the loopback interface, taken but not yet answered on: a router can be told its own address.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    url: String,
}

/// Takes a free port of 127.0.0.1.
///
/// # Errors
/// The system has no port to give.
pub(super) async fn bind() -> io::Result<Listener> {
    let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", socket.local_addr()?);
    Ok(Listener { socket, url })
}

impl Listener {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A running server. Dropping it stops it: no new connections, and idle ones are closed.
#[derive(Debug)]
pub struct Service {
    /// Which service this is.
    pub name: ServiceName,
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
    /// What goes wrong here, and its clock.
    pub faults: Faults,
    /// Its end tells the server to stop.
    _stop: oneshot::Sender<()>,
}

impl Service {
    /// Serves the router on the port, in a task of the current Tokio runtime.
    pub fn start(
        name: ServiceName,
        bound: Listener,
        router: Router,
        faults: Faults,
        log: RequestLog,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let desk = Desk {
            name,
            faults: faults.clone(),
            log,
        };
        let router = router.layer(from_fn_with_state(desk, attend));
        // Without this, a delayed acknowledgement can cost an answer 40 ms that no real service would take.
        let socket = bound.socket.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server =
            axum::serve(socket, router).with_graceful_shutdown(async { drop(stopped.await) });
        tokio::spawn(server.into_future());
        Self {
            name,
            url: bound.url,
            faults,
            _stop: stop,
        }
    }
}

/// What the middleware needs to know.
#[derive(Clone)]
struct Desk {
    name: ServiceName,
    faults: Faults,
    log: RequestLog,
}

/// Handles one request: waits, lets the router answer or answers in its place, and records the answer.
async fn attend(State(desk): State<Desk>, request: HttpRequest, next: Next) -> Response {
    let mut record = Record::open(desk.name, &desk.log, &request);
    let method = request.method().clone();
    let plan = desk
        .faults
        .take(&format!("{method} {}", record.request.path));
    if !plan.latency.is_zero() {
        tokio::time::sleep(plan.latency).await;
    }
    let delivery = match plan.fault {
        Some(Fault::Stall) => Delivery::Never,
        Some(Fault::Truncate) => Delivery::Half,
        _ => Delivery::Whole,
    };
    let answer = match plan.fault.and_then(in_its_place) {
        Some(answer) => {
            drain(request).await;
            answer
        }
        None => next.run(request).await,
    };
    record.request.status = answer.status().as_u16();
    deliver(answer, &method, delivery, record).await
}

/// The answer that a fault gives instead of the router, if it does.
fn in_its_place(fault: Fault) -> Option<Response> {
    match fault {
        Fault::Latency(_) | Fault::Stall | Fault::Truncate => None,
        Fault::Status { code, retry_after } => Some(error_status(code, retry_after)),
        Fault::Content { content_type, body } => Some(other_content(&content_type, body)),
        Fault::Redirect { location } => Some(redirect(&location)),
    }
}

/// Reads the request to its end: a client may not look for an answer before it has sent everything.
async fn drain(request: HttpRequest) {
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

fn error_status(code: u16, retry_after: Option<String>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = (status, format!("the sandbox was told to answer {code}\n")).into_response();
    if let Some(after) = retry_after {
        insert(answer.headers_mut(), RETRY_AFTER, &after);
    }
    answer
}

fn other_content(content_type: &str, body: Vec<u8>) -> Response {
    let mut answer = body.into_response();
    insert(answer.headers_mut(), CONTENT_TYPE, content_type);
    answer
}

fn redirect(location: &str) -> Response {
    let mut answer = StatusCode::TEMPORARY_REDIRECT.into_response();
    insert(answer.headers_mut(), LOCATION, location);
    answer
}

/// Sets a header. What cannot be in a header is left out, as no real server could have sent it either.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::routing::{get, post};

    use super::delivery::PIECE;
    use super::*;

    struct Lab {
        service: Service,
        log: RequestLog,
        client: reqwest::Client,
    }

    impl Lab {
        async fn start() -> Self {
            let bound = bind().await.unwrap();
            let log = RequestLog::new();
            let router = Router::new()
                .route("/text", get(async || "a text of some length"))
                .route("/long", get(async || vec![7_u8; 3 * PIECE + 5]))
                .route("/empty", get(async || StatusCode::NO_CONTENT))
                .route("/echo", post(async |body: String| body));
            let service =
                Service::start(ServiceName::Tsa, bound, router, Faults::new(), log.clone());
            let client = reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap();
            Self {
                service,
                log,
                client,
            }
        }

        async fn with(fault: Fault) -> Self {
            let lab = Self::start().await;
            lab.service.faults.add(fault);
            lab
        }

        async fn get(&self, path: &str) -> reqwest::Response {
            self.client
                .get(format!("{}{path}", self.service.url))
                .send()
                .await
                .unwrap()
        }
    }

    #[tokio::test]
    async fn requests_one_after_the_other_are_recorded_as_such() {
        let lab = Lab::start().await;
        for path in ["/text?a=b", "/long", "/empty", "/nowhere"] {
            lab.get(path).await.bytes().await.unwrap();
        }
        let seen: Vec<_> = lab
            .log
            .all()
            .into_iter()
            .map(|r| (r.path, r.status))
            .collect();
        let expected = [
            ("/text?a=b", 200),
            ("/long", 200),
            ("/empty", 204),
            ("/nowhere", 404),
        ];
        assert_eq!(
            seen,
            expected.map(|(path, status)| (path.to_owned(), status))
        );
        assert_eq!(lab.log.sequential_round_trips(), 4);
    }

    #[tokio::test]
    async fn a_long_body_arrives_whole() {
        let lab = Lab::start().await;
        assert_eq!(
            lab.get("/long").await.bytes().await.unwrap(),
            vec![7_u8; 3 * PIECE + 5]
        );
    }

    #[tokio::test]
    async fn requests_that_wait_together_are_one_round_trip() {
        let lab = Lab::with(Fault::Latency(Duration::from_millis(200))).await;
        futures_util::future::join(lab.get("/text"), lab.get("/empty")).await;
        let requests = lab.log.all();
        assert!(
            requests
                .iter()
                .all(|r| r.end - r.start >= Duration::from_millis(200))
        );
        assert_eq!((requests.len(), lab.log.sequential_round_trips()), (2, 1));
    }

    #[tokio::test]
    async fn a_status_comes_with_retry_after_and_as_often_as_ordered() {
        let lab = Lab::start().await;
        let fault = Fault::Status {
            code: 429,
            retry_after: Some("2".into()),
        };
        lab.service
            .faults
            .add_matching(fault, "POST /echo", Some(1));
        let echo = || {
            lab.client
                .post(format!("{}/echo", lab.service.url))
                .body("hello")
                .send()
        };
        let refused = echo().await.unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (429, &HeaderValue::from(2))
        );
        assert_eq!(echo().await.unwrap().text().await.unwrap(), "hello");
    }

    #[tokio::test]
    async fn a_stalled_body_never_comes() {
        let lab = Lab::with(Fault::Stall).await;
        let answer = lab.get("/text").await;
        assert_eq!(answer.content_length(), Some(21));
        let body = tokio::time::timeout(Duration::from_millis(100), answer.bytes()).await;
        assert!(body.is_err());
    }

    #[tokio::test]
    async fn a_truncated_body_ends_half_way() {
        let lab = Lab::with(Fault::Truncate).await;
        let mut answer = lab.get("/text").await;
        assert_eq!(answer.content_length(), Some(21));
        assert_eq!(answer.chunk().await.unwrap().unwrap(), "a text of ");
        assert!(answer.chunk().await.is_err());
    }

    #[tokio::test]
    async fn other_content_takes_the_place_of_the_answer() {
        let body = b"<html>".to_vec();
        let lab = Lab::with(Fault::Content {
            content_type: "text/html".into(),
            body,
        })
        .await;
        let answer = lab.get("/text").await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"text/html".parse().unwrap())
        );
        assert_eq!(answer.text().await.unwrap(), "<html>");
    }

    #[tokio::test]
    async fn a_redirect_keeps_the_method() {
        let lab = Lab::with(Fault::Redirect {
            location: "http://127.0.0.1:1/".into(),
        })
        .await;
        let answer = lab.get("/text").await;
        assert_eq!(answer.status().as_u16(), 307);
        assert_eq!(answer.headers()["location"], "http://127.0.0.1:1/");
    }

    #[tokio::test]
    async fn a_dropped_service_gives_its_port_back() {
        let lab = Lab::start().await;
        let address = lab.service.url.strip_prefix("http://").unwrap().to_owned();
        drop(lab);
        // The listener is closed by the server's task, which may need several turns.
        for _ in 0..1000 {
            if TcpListener::bind(&address).await.is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{address} is still taken");
    }
}
