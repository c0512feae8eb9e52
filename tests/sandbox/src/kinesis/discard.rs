//! Puts that store nothing, for benchmarks. A JSON PutRecords is read without building a tree of it.
//!
//! Invariant: the answer differs from a storing one in nothing that a producer can see: right shard ids, growing
//! sequence numbers, faults and limits of a call as usual.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use super::entries::{self, Entry};
use super::put::RefusedEntry;
use super::put_limits::{self, PutLimits};
use super::shard_ranges::ShardRanges;
use super::{Kinesis, arn};
use crate::aws_error::AwsError;
use crate::backend::Instruments;
use crate::codec::base64_decoded_bytes;
use crate::counters::PutCounters;

/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>
const MAX_ENTRIES: usize = 500;

/// The body of a PutRecords call, borrowed from the request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutRecordsBody<'a> {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    #[serde(borrow)]
    records: Vec<RecordBody<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RecordBody<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow)]
    partition_key: Cow<'a, str>,
    explicit_hash_key: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecordsAnswer<'a> {
    failed_record_count: usize,
    records: Vec<Discarded<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Discarded<'a> {
    #[serde(rename_all = "PascalCase")]
    Taken {
        sequence_number: SequenceNumber,
        shard_id: &'a str,
    },
    Refused(serde_json::Value),
}

/// 56 digits that begin as those of AWS do.
#[derive(Clone, Copy, Debug)]
struct SequenceNumber(u64);

impl Serialize for SequenceNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = *b"49600000000000000000000000000000000000000000000000000000";
        let mut rest = self.0;
        for digit in digits.iter_mut().rev().take(20) {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        serializer.serialize_str(std::str::from_utf8(&digits).map_err(S::Error::custom)?)
    }
}

impl<'a> PutRecordsBody<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, AwsError> {
        let text = std::str::from_utf8(body).map_err(|error| AwsError::serialization(error.to_string()))?;
        serde_json::from_str(text).map_err(|error| AwsError::serialization(error.to_string()))
    }

    /// The stream's name, whichever way it is named.
    pub(crate) fn stream(&self) -> Option<&str> {
        self.stream_name.as_deref().or_else(|| self.stream_arn.as_deref().and_then(arn::stream_in))
    }

    fn entries(&self) -> Vec<Entry<'_>> {
        self.records
            .iter()
            .map(|record| Entry {
                partition_key: Cow::Borrowed(record.partition_key.as_ref()),
                explicit_hash_key: record.explicit_hash_key.as_deref().map(Cow::Borrowed),
                data_bytes: base64_decoded_bytes(&record.data),
            })
            .collect()
    }
}

impl Kinesis {
    /// Answers as if the records had been stored.
    pub(crate) async fn discard_records(
        &self,
        body: &PutRecordsBody<'_>,
        instruments: Instruments<'_>,
    ) -> Result<Vec<u8>, AwsError> {
        let stream =
            body.stream().ok_or_else(|| AwsError::invalid_argument("StreamName or StreamARN is missing"))?;
        let mut entries = body.entries();
        let known = self.known_streams.look_up(stream, &self.store).await?;
        check_call(&entries, known.limits)?;
        let drawn = self.distribution.draw(stream, entries.len());
        for (entry, key) in entries.iter_mut().zip(drawn.into_iter().flatten()) {
            entry.explicit_hash_key = Some(Cow::Owned(key));
        }
        let faults = self.strike("PutRecords", stream, &entries, &known.ranges, instruments);
        let failed = faults.iter().flatten().count();
        let records =
            entries.iter().zip(faults).map(|(entry, fault)| self.discarded(entry, fault, &known.ranges));
        let answer =
            PutRecordsAnswer { failed_record_count: failed, records: records.collect::<Result<_, _>>()? };
        let counters = PutCounters::one_call(entries.len(), failed, entries::bytes(&entries));
        instruments.counters.count_put_records(counters);
        serde_json::to_vec(&answer).map_err(|_| AwsError::internal())
    }

    /// The results of records that no fault struck, in other protocols and calls than a JSON PutRecords.
    pub(super) async fn discard_accepted(
        &self,
        stream: &str,
        accepted: &[serde_json::Value],
    ) -> Result<Vec<serde_json::Value>, AwsError> {
        let entries: Vec<Entry<'_>> = accepted.iter().map(Entry::of).collect();
        let known = self.known_streams.look_up(stream, &self.store).await?;
        check_call(&entries, known.limits)?;
        let result = |entry| {
            serde_json::to_value(self.discarded(entry, None, &known.ranges)?)
                .map_err(|_| AwsError::internal())
        };
        entries.iter().map(result).collect()
    }

    fn discarded<'a>(
        &self,
        entry: &Entry<'_>,
        fault: Option<RefusedEntry>,
        ranges: &'a ShardRanges,
    ) -> Result<Discarded<'a>, AwsError> {
        if let Some(refused) = fault {
            return Ok(Discarded::Refused(refused.into_result()));
        }
        let shard =
            entry.hash_key().and_then(|key| ranges.find(key)).ok_or_else(invalid_explicit_hash_key)?;
        let number = self.next_sequence_number.fetch_add(1, Ordering::Relaxed);
        Ok(Discarded::Taken { sequence_number: SequenceNumber(number), shard_id: &shard.id })
    }
}

fn check_call(entries: &[Entry<'_>], limits: PutLimits) -> Result<(), AwsError> {
    if entries.is_empty() || entries.len() > MAX_ENTRIES {
        let message = format!("a call takes 1 to {MAX_ENTRIES} records, not {}", entries.len());
        return Err(AwsError::new(400, "ValidationException", message));
    }
    limits.check_call(entries)?;
    limits.check_records(entries)?;
    entries.iter().try_for_each(|entry| put_limits::check_key(&entry.partition_key))
}

fn invalid_explicit_hash_key() -> AwsError {
    AwsError::invalid_argument("an ExplicitHashKey is not a number from 0 to 2^128-1")
}
