//! The errors of the distribution-spec (section "Error Codes"), as HTTP answers.

use std::fmt;

use axum::Json;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why the registry does not do what it was asked.
#[derive(Debug)]
pub(super) enum Refusal {
    /// An error with a body of the form `{"errors":[{"code","message","detail"}]}`.
    Error {
        code: Code,
        message: String,
        detail: String,
        /// One more header of the answer.
        header: Option<(HeaderName, String)>,
    },
    /// A path that the registry does not know, answered by its HTTP server and so in plain text.
    PageNotFound,
}

/// The codes of the spec that this registry uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    TagInvalid,
    Unauthorized,
    Unsupported,
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self::Error {
            code,
            message: message.into(),
            detail: String::new(),
            header: None,
        }
    }

    /// A 401 that says where a token for the scope is to be had (RFC 6750 §3).
    pub(super) fn challenge(message: &str, challenge: String) -> Self {
        Self::new(Code::Unauthorized, message).with_header(WWW_AUTHENTICATE, challenge)
    }

    /// Names the thing that the error is about.
    pub(super) fn about(mut self, what: impl fmt::Display) -> Self {
        if let Self::Error { detail, .. } = &mut self {
            *detail = what.to_string();
        }
        self
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: String) -> Self {
        if let Self::Error { header, .. } = &mut self {
            *header = Some((name, value));
        }
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self::Error {
            code,
            message,
            detail,
            header,
        } = self
        else {
            return (StatusCode::NOT_FOUND, "404 page not found\n").into_response();
        };
        let (status, code) = code.parts();
        let body = json!({ "errors": [{ "code": code, "message": message, "detail": detail }] });
        let mut response = (status, Json(body)).into_response();
        if let Some((name, value)) = header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl Code {
    /// The status and the name. Where the spec leaves the status open, it is the one most registries send.
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::BlobUnknown => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
            Self::BlobUploadInvalid => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
            Self::BlobUploadUnknown => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            Self::Denied => (StatusCode::FORBIDDEN, "DENIED"),
            Self::DigestInvalid => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
            Self::ManifestBlobUnknown => (StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN"),
            Self::ManifestInvalid => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            Self::ManifestUnknown => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            Self::NameInvalid => (StatusCode::BAD_REQUEST, "NAME_INVALID"),
            Self::NameUnknown => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            Self::SizeInvalid => (StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID"),
            Self::TagInvalid => (StatusCode::CONFLICT, "TAG_INVALID"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
            Self::Unsupported => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
        }
    }
}
