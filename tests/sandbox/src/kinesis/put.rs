//! PutRecord and PutRecords: limits and faults first, then the emulator, then one answer in order.
//!
//! Invariant: the answer has one result for every entry of the request, in the request's order, and
//! FailedRecordCount counts the results with an error code.

use ferrokinesis::actions::{self, Operation};
use serde_json::{Value, json};

use super::entries::{self, Entry};
use super::put_limits::PutLimits;
use super::shard_ranges::ShardRanges;
use super::{Kinesis, answered};
use crate::aws_error::AwsError;
use crate::backend::Instruments;
use crate::call::Service;
use crate::counters::PutCounters;
use crate::faults::{self, EntryFault, Put};

const THROTTLED: &str = "ProvisionedThroughputExceededException";

impl Kinesis {
    pub(super) async fn put_records(
        &self,
        mut checked: Value,
        instruments: Instruments<'_>,
    ) -> Result<Value, AwsError> {
        let mut records = match checked["Records"].take() {
            Value::Array(records) => records,
            _ => Vec::new(),
        };
        self.distribute(&checked, &mut records);
        let entries: Vec<Entry<'_>> = records.iter().map(Entry::of).collect();
        let (count, bytes) = (entries.len(), entries::bytes(&entries));
        let faults = match self.judge(&checked, "PutRecords", &entries, instruments).await {
            Ok(faults) => faults,
            Err(error) => {
                instruments.counters.count_put_records(PutCounters::one_call(count, count, bytes));
                return Err(error);
            }
        };
        let stored = self.store_accepted(checked, records, &faults).await;
        let answer = stored.map(|stored| merge(faults, stored));
        let failed = answer.as_ref().map_or(count, failed_records);
        instruments.counters.count_put_records(PutCounters::one_call(count, failed, bytes));
        answer
    }

    pub(super) async fn put_record(
        &self,
        mut checked: Value,
        instruments: Instruments<'_>,
    ) -> Result<Value, AwsError> {
        let stream = Value::clone(&checked["StreamName"]);
        self.distribute(&json!({"StreamName": stream}), std::slice::from_mut(&mut checked));
        let faults = self.judge(&checked, "PutRecord", &[Entry::of(&checked)], instruments).await?;
        if let Some(Some(fault)) = faults.into_iter().next() {
            return Err(fault.into_error());
        }
        let stream = checked["StreamName"].as_str().unwrap_or_default().to_owned();
        if self.discard {
            let results = self.discard_accepted(&stream, &[checked]).await?;
            return results.into_iter().next().ok_or_else(AwsError::internal);
        }
        let _turn = self.locks.lock(&stream).await;
        answered::tree(actions::dispatch(&self.store, Operation::PutRecord, checked).await)
    }

    /// Checks the record limit and asks the fault rules about every entry.
    async fn judge(
        &self,
        checked: &Value,
        operation: &str,
        entries: &[Entry<'_>],
        instruments: Instruments<'_>,
    ) -> Result<Vec<Option<RefusedEntry>>, AwsError> {
        let stream = checked["StreamName"].as_str().unwrap_or_default();
        let known = self.known_streams.look_up(stream, &self.store).await?;
        if !PutLimits::DEFAULT.hold(entries) {
            known.limits.check_records(entries)?;
            known.limits.check_call(entries)?;
        }
        Ok(self.strike(operation, stream, entries, &known.ranges, instruments))
    }

    /// What the fault rules do to every entry.
    pub(super) fn strike(
        &self,
        operation: &str,
        stream: &str,
        entries: &[Entry<'_>],
        ranges: &ShardRanges,
        instruments: Instruments<'_>,
    ) -> Vec<Option<RefusedEntry>> {
        if !instruments.faults.strike_entries() {
            return entries.iter().map(|_| None).collect();
        }
        let shard_of =
            |entry: usize| entries.get(entry).and_then(Entry::hash_key).and_then(|key| ranges.find(key));
        let put = Put { service: Service::Kinesis, operation, stream, entries: entries.len() };
        let faults = instruments.faults.judge_entries(put, |entry| shard_of(entry).map(|shard| shard.number));
        let refuse = |(entry, fault): (usize, Option<EntryFault>)| {
            let fault = fault?;
            let shard = shard_of(entry).map_or("", |shard| shard.id.as_str());
            Some(RefusedEntry::new(fault, shard, stream, &self.store.aws_account_id))
        };
        faults.into_iter().enumerate().map(refuse).collect()
    }

    /// Hands the entries that no fault struck to the emulator, or discards them; the results, in order.
    async fn store_accepted(
        &self,
        mut checked: Value,
        records: Vec<Value>,
        faults: &[Option<RefusedEntry>],
    ) -> Result<Vec<Value>, AwsError> {
        let accepted: Vec<Value> = records
            .into_iter()
            .zip(faults)
            .filter(|(_, fault)| fault.is_none())
            .map(|(record, _)| record)
            .collect();
        if accepted.is_empty() {
            return Ok(Vec::new());
        }
        let stream = checked["StreamName"].as_str().unwrap_or_default().to_owned();
        if self.discard {
            return self.discard_accepted(&stream, &accepted).await;
        }
        let _turn = self.locks.lock(&stream).await;
        if !PutLimits::DEFAULT.hold(&accepted.iter().map(Entry::of).collect::<Vec<_>>()) {
            return Ok(self.store_one_by_one(&stream, accepted).await);
        }
        checked["Records"] = Value::Array(accepted);
        let mut answer =
            answered::tree(actions::dispatch(&self.store, Operation::PutRecords, checked).await)?;
        match answer["Records"].take() {
            Value::Array(stored) => Ok(stored),
            _ => Err(AwsError::internal()),
        }
    }
}

impl Kinesis {
    /// The service chooses the shards of a stream on AUTO.
    fn distribute(&self, checked: &Value, records: &mut [Value]) {
        let stream = checked["StreamName"].as_str().unwrap_or_default();
        let drawn = self.distribution.draw(stream, records.len());
        for (record, key) in records.iter_mut().zip(drawn.into_iter().flatten()) {
            record["ExplicitHashKey"] = json!(key);
        }
    }

    /// Stores what the emulator's PutRecords would find too large for one call; its PutRecord has no limit.
    async fn store_one_by_one(&self, stream: &str, records: Vec<Value>) -> Vec<Value> {
        let mut results = Vec::with_capacity(records.len());
        for mut record in records {
            record["StreamName"] = json!(stream);
            let put = actions::dispatch(&self.store, Operation::PutRecord, record).await;
            results.push(match answered::tree(put) {
                Ok(stored) => stored,
                Err(error) => json!({"ErrorCode": error.code, "ErrorMessage": error.message}),
            });
        }
        results
    }
}

/// An entry that a fault rule refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RefusedEntry {
    code: String,
    message: String,
}

impl RefusedEntry {
    fn new(fault: EntryFault, shard: &str, stream: &str, account: &str) -> Self {
        match fault {
            EntryFault::Throttled => Self {
                code: THROTTLED.to_owned(),
                message: format!(
                    "Rate exceeded for shard {shard} in stream {stream} under account {account}."
                ),
            },
            EntryFault::Failed { code } => Self { message: faults::failed_message(&code), code },
        }
    }

    fn into_error(self) -> AwsError {
        AwsError { message: self.message, ..faults::failed(&self.code) }
    }

    pub(super) fn into_result(self) -> Value {
        json!({"ErrorCode": self.code, "ErrorMessage": self.message})
    }
}

/// Puts the results of stored entries and the refusals of the others into the request's order.
fn merge(faults: Vec<Option<RefusedEntry>>, stored: Vec<Value>) -> Value {
    let mut stored = stored.into_iter();
    let results: Vec<Value> = faults
        .into_iter()
        .map(|fault| match fault {
            Some(refused) => refused.into_result(),
            None => stored.next().unwrap_or_else(|| json!({"ErrorCode": "InternalFailure"})),
        })
        .collect();
    let failed = results.iter().filter(|result| !result["ErrorCode"].is_null()).count();
    json!({"FailedRecordCount": failed, "Records": results})
}

fn failed_records(answer: &Value) -> usize {
    answer["FailedRecordCount"].as_u64().and_then(|failed| usize::try_from(failed).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_request() {
        let refused = |code: &str| Some(RefusedEntry { code: code.to_owned(), message: "m".to_owned() });
        let stored = vec![
            json!({"SequenceNumber": "1"}),
            json!({"ErrorCode": THROTTLED}),
            json!({"SequenceNumber": "2"}),
        ];
        let answer = merge(vec![None, refused("A"), None, None, refused("B")], stored);
        assert_eq!(
            answer,
            json!({"FailedRecordCount": 3, "Records": [
                {"SequenceNumber": "1"},
                {"ErrorCode": "A", "ErrorMessage": "m"},
                {"ErrorCode": THROTTLED},
                {"SequenceNumber": "2"},
                {"ErrorCode": "B", "ErrorMessage": "m"},
            ]})
        );
        assert_eq!(failed_records(&answer), 3);
    }
}
