//! Answers and errors in the words of each protocol.
//!
//! Invariant: every answer names its request id and its content type, and an error carries code and message in the
//! places where the SDKs look for them.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::aws_error::AwsError;
use crate::call::{Call, Protocol, Service};
use crate::codec::{cbor, xml};

/// What a carried-out call answers, before it is written.
#[derive(Debug)]
pub(crate) enum Answer {
    Empty,
    Tree(Value),
    /// JSON that is written already.
    Json(Vec<u8>),
    /// An event stream that goes on for a while.
    EventStream(Body),
}

/// The answer of a call that succeeded.
pub(crate) fn success(call: &Call, answer: Answer, request_id: &str) -> Response<Body> {
    match answer {
        Answer::Empty => written(call.protocol, StatusCode::OK, empty(call, request_id), request_id),
        Answer::Tree(tree) => {
            written(call.protocol, StatusCode::OK, body(call, &tree, request_id), request_id)
        }
        Answer::Json(json) => written(call.protocol, StatusCode::OK, json, request_id),
        Answer::EventStream(body) => {
            let mut response = Response::new(body);
            set(&mut response, CONTENT_TYPE, "application/vnd.amazon.eventstream");
            response
        }
    }
}

/// The answer of a recognised call that failed.
pub(crate) fn refusal(call: &Call, error: &AwsError, request_id: &str) -> Response<Body> {
    let mut response = failure(call.protocol, error, request_id);
    // The newer protocols of CloudWatch name the code of the query protocol, which its clients know.
    if call.service == Service::CloudWatch && call.protocol != Protocol::Query {
        let code = format!("{};{}", error.code, error.fault());
        set(&mut response, HeaderName::from_static("x-amzn-query-error"), &code);
    }
    response
}

/// The answer of a call that failed, or of a request that is no call.
pub(crate) fn failure(protocol: Protocol, error: &AwsError, request_id: &str) -> Response<Body> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let tree = json!({"__type": error.code, "message": error.message});
    let body = match protocol {
        Protocol::Json { .. } => tree.to_string().into_bytes(),
        Protocol::KinesisCbor => cbor::write(&tree, cbor::Timestamps::Milliseconds),
        Protocol::RpcV2Cbor => cbor::write(&tree, cbor::Timestamps::Tagged),
        Protocol::Query => error_xml(error, request_id),
    };
    let mut response = written(protocol, status, body, request_id);
    set(&mut response, HeaderName::from_static("x-amzn-errortype"), &error.code);
    response
}

/// AWS answers a call without output with an empty body in Kinesis and with an empty structure elsewhere.
fn empty(call: &Call, request_id: &str) -> Vec<u8> {
    match call.service {
        Service::Kinesis => Vec::new(),
        _ => body(call, &json!({}), request_id),
    }
}

fn body(call: &Call, tree: &Value, request_id: &str) -> Vec<u8> {
    match call.protocol {
        Protocol::Json { .. } => tree.to_string().into_bytes(),
        Protocol::KinesisCbor => cbor::write(tree, cbor::Timestamps::Milliseconds),
        Protocol::RpcV2Cbor => cbor::write(tree, cbor::Timestamps::Tagged),
        Protocol::Query => answer_xml(call, tree, request_id),
    }
}

fn answer_xml(call: &Call, tree: &Value, request_id: &str) -> Vec<u8> {
    let operation = &call.operation;
    let namespace = match call.service {
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "http://monitoring.amazonaws.com/doc/2010-08-01/",
    };
    let mut xml = format!("<{operation}Response xmlns=\"{namespace}\">");
    xml::element(&mut xml, &format!("{operation}Result"), tree);
    xml::element(&mut xml, "ResponseMetadata", &json!({"RequestId": request_id}));
    xml.push_str(&format!("</{operation}Response>"));
    xml.into_bytes()
}

fn error_xml(error: &AwsError, request_id: &str) -> Vec<u8> {
    let mut xml = String::new();
    let tree = json!({
        "Error": {"Type": error.fault(), "Code": error.code, "Message": error.message},
        "RequestId": request_id,
    });
    xml::element(&mut xml, "ErrorResponse", &tree);
    xml.into_bytes()
}

fn written(protocol: Protocol, status: StatusCode, body: Vec<u8>, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, content_type(protocol));
    set(&mut response, HeaderName::from_static("x-amzn-requestid"), request_id);
    if protocol == Protocol::RpcV2Cbor {
        set(&mut response, HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor");
    }
    response
}

fn content_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Json { minor: 0 } => "application/x-amz-json-1.0",
        Protocol::Json { .. } => "application/x-amz-json-1.1",
        Protocol::KinesisCbor => "application/x-amz-cbor-1.1",
        Protocol::RpcV2Cbor => "application/cbor",
        Protocol::Query => "text/xml",
    }
}

/// Sets a header; a code made up by a fault rule that cannot stand in a header is left out of it.
fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
