//! PutRecord and PutRecordBatch.
//!
//! Invariant: the answer has one response for every record of the request, in its order, and FailedPutCount counts
//! those with an error code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{Firehose, limits, name};
use crate::aws_error::AwsError;
use crate::backend::Instruments;
use crate::call::Service;
use crate::counters::PutCounters;
use crate::faults::{self, EntryFault, Put};

const THROTTLED: &str = "ServiceUnavailableException";

impl Firehose {
    pub(super) fn put_record(&self, tree: &Value, instruments: Instruments<'_>) -> Result<Value, AwsError> {
        let stream = name(tree)?;
        let record = data(0, &tree["Record"])?;
        limits::check_record(0, &record)?;
        self.streams.check_exists(stream)?;
        let put = Put { service: Service::Firehose, operation: "PutRecord", stream, entries: 1 };
        if let Some(Some(fault)) = instruments.faults.judge_entries(put, |_| None).into_iter().next() {
            let (code, message) = refusal(fault);
            // The API reference gives this one exception HTTP 500, not the usual 503.
            let status = if code == THROTTLED { 500 } else { faults::failed(&code).status };
            return Err(AwsError { status, code, message });
        }
        self.keep(stream, vec![record])?;
        Ok(json!({"RecordId": instruments.id(), "Encrypted": false}))
    }

    pub(super) fn put_record_batch(
        &self,
        tree: &Value,
        instruments: Instruments<'_>,
    ) -> Result<Value, AwsError> {
        let records = records(tree)?;
        let (count, bytes) = (records.len(), records.iter().map(Bytes::len).sum());
        let answer = self.try_batch(tree, records, instruments);
        let failed = answer.as_ref().map_or(count, failed_puts);
        instruments.counters.count_put_record_batch(PutCounters::one_call(count, failed, bytes));
        answer
    }

    fn try_batch(
        &self,
        tree: &Value,
        records: Vec<Bytes>,
        instruments: Instruments<'_>,
    ) -> Result<Value, AwsError> {
        let stream = name(tree)?;
        limits::check_batch(&records)?;
        self.streams.check_exists(stream)?;
        let put =
            Put { service: Service::Firehose, operation: "PutRecordBatch", stream, entries: records.len() };
        let faults = instruments.faults.judge_entries(put, |_| None);
        let accepted =
            records.into_iter().zip(&faults).filter(|(_, fault)| fault.is_none()).map(|(record, _)| record);
        self.keep(stream, accepted.collect())?;
        let responses: Vec<Value> = faults.into_iter().map(|fault| response(fault, instruments)).collect();
        let failed = responses.iter().filter(|response| !response["ErrorCode"].is_null()).count();
        Ok(json!({"FailedPutCount": failed, "Encrypted": false, "RequestResponses": responses}))
    }

    fn keep(&self, stream: &str, records: Vec<Bytes>) -> Result<(), AwsError> {
        let kept = if self.discard { Vec::new() } else { records };
        self.streams.store(stream, kept)
    }
}

fn records(tree: &Value) -> Result<Vec<Bytes>, AwsError> {
    let records =
        tree["Records"].as_array().ok_or_else(|| AwsError::invalid_argument("Records is missing"))?;
    records.iter().enumerate().map(|(place, record)| data(place, record)).collect()
}

fn data(place: usize, record: &Value) -> Result<Bytes, AwsError> {
    let text = record["Data"]
        .as_str()
        .ok_or_else(|| AwsError::invalid_argument(format!("record {place} has no Data")))?;
    let bytes = STANDARD.decode(text);
    bytes
        .map(Bytes::from)
        .map_err(|error| AwsError::serialization(format!("Data of record {place} is not base64: {error}")))
}

fn refusal(fault: EntryFault) -> (String, String) {
    match fault {
        EntryFault::Throttled => (THROTTLED.to_owned(), "Slow down.".to_owned()),
        EntryFault::Failed { code } => {
            let message = faults::failed_message(&code);
            (code, message)
        }
    }
}

fn response(fault: Option<EntryFault>, instruments: Instruments<'_>) -> Value {
    match fault.map(refusal) {
        Some((code, message)) => json!({"ErrorCode": code, "ErrorMessage": message}),
        None => json!({"RecordId": instruments.id()}),
    }
}

fn failed_puts(answer: &Value) -> usize {
    answer["FailedPutCount"].as_u64().and_then(|failed| usize::try_from(failed).ok()).unwrap_or(0)
}
