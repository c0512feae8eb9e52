//! The requests under `/sandbox/`, which are not AWS's: health, counters, faults, and what arrived.
//!
//! Invariant: a control request is never struck by a fault and never counted; it changes nothing but the fault rules.

use std::fmt::Write;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::faults::rule::{FaultRule, FaultRuleError};

/// Where the control requests live.
pub(crate) const PREFIX: &str = "/sandbox/";

const JSON: &str = "application/json";
const JSON_LINES: &str = "application/x-ndjson";

/// Answers a request whose path begins with [`PREFIX`].
pub(crate) fn respond(backend: &Backend, method: &Method, path: &str, body: &[u8]) -> Response<Body> {
    let what = path.strip_prefix(PREFIX).unwrap_or_default();
    match (method, what) {
        (&Method::GET, "health") => json_response(StatusCode::OK, &json!({"status": "ok"})),
        (&Method::GET, "counters") => json_response(StatusCode::OK, &json!(backend.counters())),
        (&Method::GET, "metrics") => json_response(StatusCode::OK, &json!(backend.cloudwatch.metrics())),
        (&Method::GET, "faults") => json_response(StatusCode::OK, &faults(backend)),
        (&Method::POST, "faults") => replace_faults(backend, body),
        (&Method::GET, _) => match what.strip_prefix("delivery-streams/") {
            Some(name) => delivered(backend, name),
            None => unknown(method, path),
        },
        _ => unknown(method, path),
    }
}

fn faults(backend: &Backend) -> Value {
    let status = backend.faults.status().into_iter();
    status
        .map(|status| json!({"rule": status.rule.to_string(), "matched": status.matched, "fired": status.fired}))
        .collect()
}

fn replace_faults(backend: &Backend, body: &[u8]) -> Response<Body> {
    match read_rules(&String::from_utf8_lossy(body)) {
        Ok(rules) => {
            backend.faults.replace(rules);
            json_response(StatusCode::OK, &faults(backend))
        }
        Err(error) => json_response(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()})),
    }
}

/// One rule a line; empty lines and lines that begin with `#` say nothing.
fn read_rules(text: &str) -> Result<Vec<FaultRule>, FaultRuleError> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::parse).collect()
}

fn delivered(backend: &Backend, name: &str) -> Response<Body> {
    let Some(records) = backend.firehose.delivered(name) else {
        let error = format!("there is no delivery stream `{name}`");
        return json_response(StatusCode::NOT_FOUND, &json!({"error": error}));
    };
    let mut lines = String::new();
    for record in records {
        // Writing into a string cannot fail.
        let _ = writeln!(lines, "{}", json!({"data": STANDARD.encode(record)}));
    }
    response(StatusCode::OK, JSON_LINES, lines)
}

fn unknown(method: &Method, path: &str) -> Response<Body> {
    let error = format!(
        "the sandbox does not know {method} {path}; it knows GET health, counters, metrics, faults and \
         delivery-streams/NAME, and POST faults, all under {PREFIX}"
    );
    json_response(StatusCode::NOT_FOUND, &json!({"error": error}))
}

fn json_response(status: StatusCode, tree: &Value) -> Response<Body> {
    response(status, JSON, tree.to_string())
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
