//! The bodies of a PutRecords call in JSON, written and read by hand: entries are many, and the SDK's way takes half a
//! dozen allocations for each.
//!
//! Invariant: what is written is JSON whatever the keys hold; any answer is read or refused, never a panic.

mod body;
mod plain;

use std::fmt::Formatter;
use std::io::Write;
use std::marker::PhantomData;

use base64_simd::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

pub(in super::super) use self::body::Bodies;
use self::body::Body;
use crate::limits::ENTRIES_PER_REQUEST;
use crate::put_records::{EntryError, EntryPlaced, PutRecordsEntry, PutRecordsRequest, PutRecordsResponse};
use crate::transport::aws::{EntryResults, Received};
use crate::types::{SequenceNumber, ServiceText, ShardId};

/// Room for the names and marks of an entry, or of the call.
const AROUND_ENTRY: usize = 40;

/// Room for an explicit hash key and its name.
const EXPLICIT_HASH_KEY: usize = 60;

/// The body of a call (Kinesis API reference, `PutRecords`).
pub(super) fn request_body(request: &PutRecordsRequest, bodies: &Bodies) -> Bytes {
    let (name, stream) = match request.stream.arn() {
        Some(arn) => (&b"{\"StreamARN\":"[..], arn),
        None => (&b"{\"StreamName\":"[..], request.stream.as_str()),
    };
    let mut body = bodies.body(room_for(request));
    write_member(&mut body, name, stream);
    body.push(b",\"Records\":[");
    for (place, entry) in request.entries.iter().enumerate() {
        if place > 0 {
            body.push(b",");
        }
        write_entry(&mut body, entry);
    }
    body.push(b"]}");
    body.into_bytes()
}

/// Bytes of the body, or a few more, if no key has to be escaped.
fn room_for(request: &PutRecordsRequest) -> usize {
    let stream = request.stream.arn().unwrap_or(request.stream.as_str());
    AROUND_ENTRY + stream.len() + request.entries.iter().map(entry_bytes).sum::<usize>()
}

fn entry_bytes(entry: &PutRecordsEntry) -> usize {
    let data = STANDARD.encoded_length(entry.data.len());
    let explicit_hash_key = entry.explicit_hash_key.map_or(0, |_| EXPLICIT_HASH_KEY);
    data + entry.partition_key.len() + explicit_hash_key + AROUND_ENTRY
}

fn write_entry(body: &mut Body, entry: &PutRecordsEntry) {
    body.push(b"{\"Data\":\"");
    body.push_base64(&entry.data);
    if let Some(hash_key) = entry.explicit_hash_key {
        // Writing to memory does not fail.
        let _ = write!(body, "\",\"ExplicitHashKey\":\"{hash_key}");
    }
    if entry.partition_key.is_empty() {
        body.push(b"\"}");
    } else {
        write_member(body, b"\",\"PartitionKey\":", &entry.partition_key);
        body.push(b"}");
    }
}

fn write_member(body: &mut Body, name: &[u8], text: &str) {
    body.push(name);
    body.push(b"\"");
    if text.bytes().any(must_be_escaped) {
        text.bytes().for_each(|byte| write_escaped(body, byte));
    } else {
        body.push(text.as_bytes());
    }
    body.push(b"\"");
}

fn must_be_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

fn write_escaped(body: &mut Body, byte: u8) {
    if must_be_escaped(byte) {
        // Writing to memory does not fail.
        let _ = write!(body, "\\u{byte:04x}");
    } else {
        body.push(&[byte]);
    }
}

/// The answer to a call; results that are missing altogether are none.
///
/// # Errors
///
/// It is no JSON, or has something else where the results should be.
pub(super) fn response_of(body: &[u8]) -> Result<PutRecordsResponse, serde_json::Error> {
    // All of it at once: looking at each text for itself costs more.
    let body = std::str::from_utf8(body).map_err(serde_json::Error::custom)?;
    let entries = match plain::all_stored(body) {
        Some(entries) => entries,
        None => in_full(body)?,
    };
    Ok(PutRecordsResponse { entries })
}

/// The results, whatever stands around them.
fn in_full(body: &str) -> Result<Vec<EntryResult>, serde_json::Error> {
    let ResponseBody { records } = serde_json::from_str(body)?;
    Ok(records.map(|Entries(entries)| entries).unwrap_or_default())
}

type EntryResult = Result<EntryPlaced, EntryError>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseBody {
    records: Option<Entries>,
}

/// The results, no more than a call has entries: three bytes of an answer can say one, which takes forty times as many.
struct Entries(Vec<EntryResult>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultEntry {
    sequence_number: Option<Text<SequenceNumber>>,
    shard_id: Option<Text<ShardId>>,
    error_code: Option<Text<ServiceText>>,
    error_message: Option<Text<ServiceText>>,
}

impl From<ResultEntry> for Received {
    fn from(entry: ResultEntry) -> Self {
        Self {
            sequence_number: entry.sequence_number.map(|Text(text)| text),
            shard_id: entry.shard_id.map(|Text(text)| text),
            error_code: entry.error_code.map(|Text(text)| text),
            error_message: entry.error_message.map(|Text(text)| text),
        }
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "an array of at most {ENTRIES_PER_REQUEST} results")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut results: A) -> Result<Entries, A::Error> {
        let (mut read, mut entries) = (EntryResults::of_put_records(), Vec::new());
        while let Some(entry) = results.next_element::<ResultEntry>()? {
            if entries.len() == ENTRIES_PER_REQUEST {
                return Err(Error::invalid_length(entries.len() + 1, &self));
            }
            entries.push(read.read(entry.into()));
        }
        Ok(Entries(entries))
    }
}

/// A type made from a text, without a `String` in between.
struct Text<T>(T);

impl<'de, T: for<'a> From<&'a str>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData)).map(Self)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: for<'a> From<&'a str>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::from(text))
    }
}

#[cfg(test)]
mod tests;
