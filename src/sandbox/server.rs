//! One loopback HTTP server: serves a router, records every request and carries out the faults of its service.
//!
//! HTTP/1.1 without TLS (RFC 9112). It knows nothing of what its router answers.

use std::future::IntoFuture;
use std::io;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::faults::{Fault, Faults};
use super::requests::{Request, RequestLog, ServiceName};

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
pub async fn bind() -> io::Result<Listener> {
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
    let mut record = Record::open(&desk, &request);
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

/// How much of an answer's body is sent.
enum Delivery {
    Whole,
    Half,
    Never,
}

/// Sends an answer and has it recorded with its last byte.
///
/// The length is always announced, so that a client can tell a body that was cut off.
async fn deliver(
    answer: Response,
    method: &Method,
    delivery: Delivery,
    record: Record,
) -> Response {
    let (mut head, body) = answer.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let bodiless = *method == Method::HEAD || head.status == StatusCode::NO_CONTENT;
    if bodiless || (body.is_empty() && matches!(delivery, Delivery::Whole)) {
        return Response::from_parts(head, Body::from(body));
    }
    // An empty body has no half; it is announced as one byte, which never comes.
    head.headers
        .insert(CONTENT_LENGTH, HeaderValue::from(body.len().max(1)));
    let body = match delivery {
        Delivery::Whole => in_pieces(body, record),
        Delivery::Half => cut_off(body.slice(..body.len() / 2), record),
        Delivery::Never => withheld(record),
    };
    Response::from_parts(head, body)
}

/// The whole body. It is recorded before its last piece leaves, so never after the client has it.
fn in_pieces(body: Bytes, record: Record) -> Body {
    Body::from_stream(stream::unfold(
        (body, Some(record)),
        |(mut rest, mut record)| async move {
            if rest.is_empty() {
                return None;
            }
            let piece = rest.split_to(rest.len().min(PIECE));
            if rest.is_empty() {
                drop(record.take());
            }
            Some((io::Result::Ok(piece), (rest, record)))
        },
    ))
}

/// A body that is shorter than announced: the HTTP layer can then only close the connection.
fn cut_off(half: Bytes, record: Record) -> Body {
    let first = stream::once(async { Ok(half) });
    let end = stream::once(async move {
        // The pause lets the first half reach the socket before the error discards what is buffered.
        tokio::task::yield_now().await;
        drop(record);
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    });
    Body::from_stream(first.chain(end))
}

/// A body that never comes. It is recorded when the client gives up.
fn withheld(record: Record) -> Body {
    Body::from_stream(stream::once(async move {
        let _held = record;
        std::future::pending::<io::Result<Bytes>>().await
    }))
}

/// A request on its way. Whatever becomes of it, its end is the end of this value.
struct Record {
    log: RequestLog,
    request: Request,
}

impl Record {
    fn open(desk: &Desk, request: &HttpRequest) -> Self {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let start = desk.log.elapsed();
        Self {
            log: desk.log.clone(),
            request: Request {
                service: desk.name,
                method: request.method().to_string(),
                path: path.to_owned(),
                status: 0,
                start,
                end: start,
            },
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.request.end = self.log.elapsed();
        self.log.record(self.request.clone());
    }
}

/// The size of the pieces in which a body is sent. Any size does that is small beside the largest blobs.
const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::routing::{get, post};

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
