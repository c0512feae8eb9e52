//! CBOR in and out, for `x-amz-cbor-1.1` and `rpc-v2-cbor`.
//!
//! Invariant: byte strings are base64 text in the tree, and text called `Data` leaves as a byte string again; moments
//! are seconds in the tree, whatever the protocol counts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

/// Deeper than any AWS request; the reader refuses more.
const MAX_DEPTH: usize = 32;
/// CBOR's tag for seconds since 1970.
const EPOCH_SECONDS_TAG: u64 = 1;
/// Of a second.
const MILLISECONDS: f64 = 1000.0;

/// How moments are written. They are the fields whose names end in `Timestamp`, and the items of `Timestamps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timestamps {
    /// Whole milliseconds since 1970 (`x-amz-cbor-1.1`): Java's SDK reads nothing else.
    Milliseconds,
    /// Tagged as seconds since 1970 (`rpc-v2-cbor` demands it).
    Tagged,
}

/// The tree of a CBOR body; `None` if it is not CBOR.
pub(crate) fn read(body: &[u8], timestamps: Timestamps) -> Option<Value> {
    let cbor: Cbor = ciborium::de::from_reader_with_recursion_limit(body, MAX_DEPTH).ok()?;
    Some(tree(cbor, timestamps))
}

fn tree(cbor: Cbor, timestamps: Timestamps) -> Value {
    match cbor {
        Cbor::Bool(truth) => Value::Bool(truth),
        Cbor::Integer(number) => integer(i128::from(number)),
        Cbor::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bytes(bytes) => Value::String(STANDARD.encode(bytes)),
        Cbor::Array(items) => items.into_iter().map(|item| tree(item, timestamps)).collect(),
        Cbor::Map(entries) => {
            entries.into_iter().filter_map(|field| entry(field, timestamps)).collect::<Map<_, _>>().into()
        }
        Cbor::Tag(_, inner) => tree(*inner, timestamps),
        _ => Value::Null,
    }
}

fn integer(number: i128) -> Value {
    i64::try_from(number)
        .map(Value::from)
        .or_else(|_| u64::try_from(number).map(Value::from))
        .unwrap_or(Value::Null)
}

fn entry((key, value): (Cbor, Cbor), timestamps: Timestamps) -> Option<(String, Value)> {
    let (name, value) = (key.into_text().ok()?, tree(value, timestamps));
    let value = match value.as_f64() {
        Some(moment) if timestamps == Timestamps::Milliseconds && is_moment(&name) => {
            Value::from(moment / MILLISECONDS)
        }
        _ => value,
    };
    Some((name, value))
}

fn is_moment(name: &str) -> bool {
    name.ends_with("Timestamp")
}

/// The CBOR of an answer.
pub(crate) fn write(tree: &Value, timestamps: Timestamps) -> Vec<u8> {
    let mut body = Vec::new();
    // Writing to memory a tree made of JSON values has no way to fail.
    let _ = ciborium::into_writer(&cbor(tree, "", timestamps), &mut body);
    body
}

fn cbor(tree: &Value, name: &str, timestamps: Timestamps) -> Cbor {
    match tree {
        Value::Null => Cbor::Null,
        Value::Bool(truth) => Cbor::Bool(*truth),
        Value::Number(number) => moment_or_number(number, name, timestamps),
        Value::String(text) => blob_or_text(text, name),
        Value::Array(items) => {
            let item_name = name.strip_suffix('s').unwrap_or_default();
            Cbor::Array(items.iter().map(|item| cbor(item, item_name, timestamps)).collect())
        }
        Value::Object(fields) => Cbor::Map(
            fields
                .iter()
                .map(|(name, value)| (Cbor::Text(name.clone()), cbor(value, name, timestamps)))
                .collect(),
        ),
    }
}

fn moment_or_number(number: &Number, name: &str, timestamps: Timestamps) -> Cbor {
    if is_moment(name) {
        let seconds = number.as_f64().unwrap_or_default();
        return match timestamps {
            // A conversion to an integer never leaves its range.
            Timestamps::Milliseconds => Cbor::from((seconds * MILLISECONDS).round() as i64),
            Timestamps::Tagged => Cbor::Tag(EPOCH_SECONDS_TAG, Box::new(Cbor::Float(seconds))),
        };
    }
    match (number.as_i64(), number.as_u64()) {
        (Some(integer), _) => Cbor::from(integer),
        (None, Some(integer)) => Cbor::from(integer),
        (None, None) => Cbor::Float(number.as_f64().unwrap_or_default()),
    }
}

fn blob_or_text(text: &str, name: &str) -> Cbor {
    match STANDARD.decode(text) {
        Ok(bytes) if name == "Data" => Cbor::Bytes(bytes),
        _ => Cbor::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_survives_the_round_trip() {
        let tree_in = json!({
            "Records": [{"Data": "aGVsbG8=", "PartitionKey": "k"}], "Limit": 7, "Share": 0.5, "On": true,
            "Timestamp": 1.25, "Timestamps": [3.5],
        });
        for timestamps in [Timestamps::Tagged, Timestamps::Milliseconds] {
            let mut wanted = tree_in.clone();
            if timestamps == Timestamps::Milliseconds {
                // No request of this protocol has a list of moments.
                wanted["Timestamps"] = json!([3500]);
            }
            assert_eq!(read(&write(&tree_in, timestamps), timestamps), Some(wanted));
        }
    }

    #[test]
    fn data_is_a_byte_string_and_a_moment_is_written_as_the_protocol_counts() {
        let moment = |timestamps| {
            let body = write(&json!({"Data": "aGk=", "ApproximateArrivalTimestamp": 5.5}), timestamps);
            let Cbor::Map(entries) = ciborium::from_reader(&body[..]).unwrap() else {
                panic!("a map was written")
            };
            assert_eq!(entries[0].1, Cbor::Bytes(b"hi".to_vec()));
            entries[1].1.clone()
        };
        assert_eq!(moment(Timestamps::Tagged), Cbor::Tag(1, Box::new(Cbor::Float(5.5))));
        assert_eq!(moment(Timestamps::Milliseconds), Cbor::from(5500));
    }

    #[test]
    fn nested_rubbish_is_refused() {
        assert_eq!(read(&[0x81_u8; 10_000], Timestamps::Tagged), None);
        assert_eq!(read(b"", Timestamps::Milliseconds), None);
    }
}
