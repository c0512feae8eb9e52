//! Which AWS call a request is: service, operation and protocol.
//!
//! Invariant: a request is recognised by what it says (target header, path or form), never by guessing from its body.

use axum::http::HeaderMap;

use crate::aws_error::AwsError;
use crate::codec::form;

/// The services that the sandbox plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Kinesis,
    Firehose,
    CloudWatch,
    Sts,
    Glue,
}

/// How the request and its answer are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `application/x-amz-json-1.0` or `1.1`.
    Json { minor: u8 },
    /// `application/x-amz-cbor-1.1`: JSON 1.1 in CBOR, spoken by the Java SDK for Kinesis.
    KinesisCbor,
    /// Smithy's `rpc-v2-cbor`.
    RpcV2Cbor,
    /// Form body in, XML out.
    Query,
}

/// One recognised AWS call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) protocol: Protocol,
}

impl Service {
    /// The prefix of the service's IAM actions.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Kinesis => "kinesis",
            Self::Firehose => "firehose",
            Self::CloudWatch => "cloudwatch",
            Self::Sts => "sts",
            Self::Glue => "glue",
        }
    }

    fn from_target(target: &str) -> Option<Self> {
        match target {
            "Kinesis_20131202" => Some(Self::Kinesis),
            "Firehose_20150804" => Some(Self::Firehose),
            "AWSGlue" => Some(Self::Glue),
            "GraniteServiceVersion20100801" | "CloudWatch" => Some(Self::CloudWatch),
            _ => None,
        }
    }

    fn from_api_version(version: &str) -> Option<Self> {
        match version {
            "2010-08-01" => Some(Self::CloudWatch),
            "2011-06-15" => Some(Self::Sts),
            _ => None,
        }
    }
}

impl Call {
    /// The IAM action, such as `kinesis:PutRecords`.
    pub(crate) fn action(&self) -> String {
        format!("{}:{}", self.service.prefix(), self.operation)
    }

    /// Recognises a request; the error is to be answered in the protocol beside it.
    pub(crate) fn recognise(
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, (Protocol, AwsError)> {
        if let Some(target) = header(headers, "x-amz-target") {
            return Self::from_target_header(target, content_type(headers));
        }
        if header(headers, "smithy-protocol") == Some("rpc-v2-cbor") || path.contains("/operation/") {
            return Self::from_rpc_path(path);
        }
        if content_type(headers).starts_with("application/x-www-form-urlencoded") {
            return Self::from_form(body);
        }
        Err((Protocol::Json { minor: 1 }, unrecognised(path)))
    }

    fn from_target_header(target: &str, content_type: &str) -> Result<Self, (Protocol, AwsError)> {
        let protocol = match content_type.split(';').next().unwrap_or_default().trim() {
            "application/x-amz-cbor-1.1" => Protocol::KinesisCbor,
            "application/x-amz-json-1.0" => Protocol::Json { minor: 0 },
            _ => Protocol::Json { minor: 1 },
        };
        let known = target
            .split_once('.')
            .and_then(|(service, operation)| Some((Service::from_target(service)?, operation)));
        let Some((service, operation)) = known else {
            return Err((protocol, AwsError::unknown_operation(target)));
        };
        Ok(Self { service, operation: operation.to_owned(), protocol })
    }

    fn from_rpc_path(path: &str) -> Result<Self, (Protocol, AwsError)> {
        let protocol = Protocol::RpcV2Cbor;
        let mut parts = path.rsplit('/');
        let (operation, word, service) = (parts.next(), parts.next(), parts.next());
        match (operation, word, service.and_then(Service::from_target)) {
            (Some(operation), Some("operation"), Some(service)) => {
                Ok(Self { service, operation: operation.to_owned(), protocol })
            }
            _ => Err((protocol, AwsError::unknown_operation(path))),
        }
    }

    fn from_form(body: &[u8]) -> Result<Self, (Protocol, AwsError)> {
        let protocol = Protocol::Query;
        let action = form::parameter(body, "Action").unwrap_or_default();
        let version = form::parameter(body, "Version").unwrap_or_default();
        match Service::from_api_version(&version) {
            Some(service) if !action.is_empty() => Ok(Self { service, operation: action, protocol }),
            _ => Err((protocol, AwsError::new(400, "InvalidAction", invalid_action(&action, &version)))),
        }
    }
}

fn invalid_action(action: &str, version: &str) -> String {
    format!(
        "could not find operation `{action}` for version `{version}`; the sandbox knows CloudWatch 2010-08-01 and STS 2011-06-15"
    )
}

fn unrecognised(path: &str) -> AwsError {
    let message = format!(
        "the sandbox cannot tell which AWS call this is: no x-amz-target header, no rpc-v2-cbor path, no form body (path `{path}`)"
    );
    AwsError::new(404, "UnknownOperationException", message)
}

fn content_type(headers: &HeaderMap) -> &str {
    header(headers, "content-type").unwrap_or_default()
}

/// The value of a header, if it is there and is text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognise(path: &str, headers: &[(&'static str, &str)], body: &str) -> Result<String, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        match Call::recognise(path, &map, body.as_bytes()) {
            Ok(call) => Ok(format!("{} {:?}", call.action(), call.protocol)),
            Err((protocol, error)) => Err(format!("{} {protocol:?}", error.code)),
        }
    }

    #[test]
    fn requests_are_recognised_by_header_path_or_form() {
        let json = ("content-type", "application/x-amz-json-1.1");
        let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let target = |value| ("x-amz-target", value);
        let cases = [
            (
                recognise("/", &[json, target("Kinesis_20131202.PutRecords")], ""),
                Ok("kinesis:PutRecords Json { minor: 1 }"),
            ),
            (
                recognise(
                    "/",
                    &[("content-type", "application/x-amz-cbor-1.1"), target("Kinesis_20131202.PutRecord")],
                    "",
                ),
                Ok("kinesis:PutRecord KinesisCbor"),
            ),
            (
                recognise(
                    "/",
                    &[
                        ("content-type", "application/x-amz-json-1.0"),
                        target("GraniteServiceVersion20100801.PutMetricData"),
                    ],
                    "",
                ),
                Ok("cloudwatch:PutMetricData Json { minor: 0 }"),
            ),
            (
                recognise(
                    "/service/GraniteServiceVersion20100801/operation/PutMetricData",
                    &[("smithy-protocol", "rpc-v2-cbor")],
                    "",
                ),
                Ok("cloudwatch:PutMetricData RpcV2Cbor"),
            ),
            (recognise("/", &[form], "Action=AssumeRole&Version=2011-06-15"), Ok("sts:AssumeRole Query")),
            (
                recognise("/", &[form], "Version=2010-08-01&Action=PutMetricData"),
                Ok("cloudwatch:PutMetricData Query"),
            ),
            (recognise("/", &[form], "Action=RunInstances&Version=2016-11-15"), Err("InvalidAction Query")),
            (
                recognise("/", &[json, target("DynamoDB_20120810.GetItem")], "{}"),
                Err("UnknownOperationException Json { minor: 1 }"),
            ),
            (recognise("/service/Other/operation/X", &[], ""), Err("UnknownOperationException RpcV2Cbor")),
            (recognise("/", &[], ""), Err("UnknownOperationException Json { minor: 1 }")),
        ];
        for (got, wanted) in cases {
            assert_eq!(got.as_deref().map_err(String::as_str), wanted);
        }
    }
}
