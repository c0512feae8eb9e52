//! What one put may hold: of a stream as it comes, and of one whose record size was raised.
//!
//! Invariant: a record is measured by its decoded data and the bytes of its partition key; the key itself by its
//! characters.

use ferrokinesis::actions::Operation;
use ferrokinesis::types::Stream;
use ferrokinesis::validation::{FieldDef, FieldType};
use serde_json::Value;

use super::entries::{self, Entry};
use crate::aws_error::AwsError;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The highest record size to which a stream can be raised
/// (<https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateMaxRecordSize.html>).
const HIGHEST_RECORD_BYTES: usize = 10 * MIB;

/// Unicode characters of a partition key
/// (<https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecordsRequestEntry.html>).
const KEY_CHARACTERS: usize = 256;
/// The most bytes that they take in UTF-8. The emulator counts these.
const KEY_BYTES: usize = 4 * KEY_CHARACTERS;

/// The limits of a put, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PutLimits {
    /// Of one record.
    record: usize,
    /// Of all records of a call with their partition keys
    /// (<https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>).
    call: usize,
}

impl PutLimits {
    /// Of a stream of the default record size. The emulator knows no other.
    pub(super) const DEFAULT: Self = Self { record: MIB, call: 5 * MIB };

    pub(super) fn of(stream: &Stream) -> Self {
        let record = usize::try_from(stream.max_record_size_kib).unwrap_or(usize::MAX).saturating_mul(KIB);
        if record > MIB { Self { record, call: HIGHEST_RECORD_BYTES } } else { Self::DEFAULT }
    }

    /// Refuses a put with a record that is too large with its partition key.
    pub(super) fn check_records(self, entries: &[Entry<'_>]) -> Result<(), AwsError> {
        match entries.iter().enumerate().find(|(_, entry)| entry.bytes() > self.record) {
            None => Ok(()),
            Some((place, entry)) => Err(AwsError::invalid_argument(format!(
                "record {place} has {} bytes of data and partition key; at most {} are allowed",
                entry.bytes(),
                self.record
            ))),
        }
    }

    /// Refuses a call that is too large.
    pub(super) fn check_call(self, entries: &[Entry<'_>]) -> Result<(), AwsError> {
        if entries::bytes(entries) > self.call {
            return Err(AwsError::invalid_argument(format!(
                "a call takes {} bytes of data and partition keys",
                self.call
            )));
        }
        Ok(())
    }

    /// Whether both limits are kept, partition keys included.
    pub(super) fn hold(self, entries: &[Entry<'_>]) -> bool {
        self.check_records(entries).is_ok() && self.check_call(entries).is_ok()
    }
}

/// Refuses partition keys that are empty or have too many characters.
pub(super) fn check_keys(operation: Operation, checked: &Value) -> Result<(), AwsError> {
    match (operation, &checked["Records"]) {
        (Operation::PutRecord, _) => check_key(checked["PartitionKey"].as_str().unwrap_or_default()),
        (Operation::PutRecords, Value::Array(records)) => records
            .iter()
            .try_for_each(|record| check_key(record["PartitionKey"].as_str().unwrap_or_default())),
        _ => Ok(()),
    }
}

/// Refuses a partition key that is empty or has too many characters.
pub(super) fn check_key(key: &str) -> Result<(), AwsError> {
    let fits = !key.is_empty() && (key.len() <= KEY_CHARACTERS || key.chars().count() <= KEY_CHARACTERS);
    if fits {
        return Ok(());
    }
    let message = format!(
        "1 validation error detected: Value '{key}' at 'partitionKey' failed to satisfy constraint: Member must have \
         length greater than or equal to 1 and less than or equal to {KEY_CHARACTERS}"
    );
    Err(AwsError::new(400, "ValidationException", message))
}

/// The emulator's rules for the fields of an operation, with room for the largest record of any stream and for keys of
/// characters of any size.
pub(super) fn rules(operation: Operation) -> Vec<(&'static str, FieldDef)> {
    let mut rules = operation.validation_rules();
    for (name, rule) in &mut rules {
        match (operation, *name) {
            (Operation::PutRecord, name) => make_room(name, rule),
            (Operation::PutRecords, "Records") => {
                record_fields(rule).iter_mut().for_each(|(name, rule)| make_room(name, rule));
            }
            _ => {}
        }
    }
    rules
}

fn record_fields(records: &mut FieldDef) -> &mut [(String, FieldDef)] {
    match &mut records.field_type {
        FieldType::List { children } => match &mut children.field_type {
            FieldType::Structure { children } => children.as_mut_slice(),
            _ => &mut [],
        },
        _ => &mut [],
    }
}

fn make_room(name: &str, rule: &mut FieldDef) {
    match name {
        "Data" => rule.length_less_than_or_equal = Some(HIGHEST_RECORD_BYTES),
        "PartitionKey" => rule.length_less_than_or_equal = Some(KEY_BYTES),
        _ => {}
    }
}
