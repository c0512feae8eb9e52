//! Bodies to trees and back: every protocol meets in one `serde_json` tree.
//!
//! Invariant: a blob is base64 text in the tree, whatever the protocol carries; no decoder panics on hostile input or
//! yields more than [`MAX_BODY_BYTES`].

pub(crate) mod cbor;
pub(crate) mod form;
pub(crate) mod gzip;
pub(crate) mod moment;
pub(crate) mod xml;

use serde_json::{Map, Value};

use crate::aws_error::AwsError;
use crate::call::Protocol;
use cbor::Timestamps;

/// The largest body that is read, compressed or not: PutRecords takes 10 MiB of data at most, which base64 makes 13.4.
pub(crate) const MAX_BODY_BYTES: usize = 16 << 20;

/// Reads a request's body.
pub(crate) fn read_tree(protocol: Protocol, body: &[u8]) -> Result<Value, AwsError> {
    let tree = match protocol {
        Protocol::Json { .. } if body.is_empty() => Some(Value::Object(Map::new())),
        Protocol::Json { .. } => serde_json::from_slice(body).ok(),
        Protocol::KinesisCbor | Protocol::RpcV2Cbor if body.is_empty() => Some(Value::Object(Map::new())),
        Protocol::KinesisCbor => cbor::read(body, Timestamps::Milliseconds),
        Protocol::RpcV2Cbor => cbor::read(body, Timestamps::Tagged),
        Protocol::Query => Some(form::read(body)),
    };
    match tree {
        Some(tree @ Value::Object(_)) => Ok(tree),
        _ => Err(AwsError::serialization(format!("the body is not a {} object", name(protocol)))),
    }
}

fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Json { .. } => "JSON",
        Protocol::KinesisCbor | Protocol::RpcV2Cbor => "CBOR",
        Protocol::Query => "form",
    }
}

/// The bytes that `base64` text stands for, without decoding it; text that is not base64 counts less than it holds.
pub(crate) fn base64_decoded_bytes(text: &str) -> usize {
    let padding = text.bytes().rev().take(2).take_while(|byte| *byte == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn decoded_length_needs_no_decoding() {
        for length in 0..10 {
            assert_eq!(base64_decoded_bytes(&STANDARD.encode(vec![7_u8; length])), length);
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        for (protocol, body) in [
            (Protocol::Json { minor: 1 }, &b"[1]"[..]),
            (Protocol::Json { minor: 1 }, b"{\"a\":"),
            (Protocol::RpcV2Cbor, b"\xff\xff"),
            (Protocol::KinesisCbor, b"\x01"),
        ] {
            assert_eq!(read_tree(protocol, body).unwrap_err().code, "SerializationException");
        }
    }
}
