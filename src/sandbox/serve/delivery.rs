//! How the body of an answer gets to the client, whole or not, and how the request is recorded at its end.

use std::io;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request as HttpRequest;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

use crate::sandbox::serve::{Request, RequestLog, ServiceName};

/// How much of an answer's body is sent.
pub(super) enum Delivery {
    Whole,
    Half,
    Never,
}

/// Sends an answer and has it recorded with its last byte.
///
/// The length is always announced, so that a client can tell a body that was cut off.
pub(super) async fn deliver(
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
pub(super) struct Record {
    log: RequestLog,
    pub(super) request: Request,
}

impl Record {
    /// Begins with the arrival of a request.
    pub(super) fn open(service: ServiceName, log: &RequestLog, request: &HttpRequest) -> Self {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let start = log.elapsed();
        Self {
            log: log.clone(),
            request: Request {
                service,
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
pub(super) const PIECE: usize = 64 * 1024;
