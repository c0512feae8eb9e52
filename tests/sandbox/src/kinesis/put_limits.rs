//! What one put may hold: of a stream as it comes, and of one whose record size was raised.
//!
//! Invariant: a record is measured by its decoded data, and with its partition key where limits are enforced.

use ferrokinesis::actions::Operation;
use ferrokinesis::types::Stream;
use ferrokinesis::validation::{FieldDef, FieldType};

use super::entries::{self, Entry};
use crate::aws_error::AwsError;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The highest record size to which a stream can be raised
/// (<https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateMaxRecordSize.html>).
const HIGHEST_RECORD_BYTES: usize = 10 * MIB;

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

    /// Refuses a put with a record that is too large, or too large with its partition key.
    pub(super) fn check_records(self, entries: &[Entry<'_>], with_keys: bool) -> Result<(), AwsError> {
        let bytes = |entry: &Entry<'_>| if with_keys { entry.bytes() } else { entry.data_bytes };
        match entries.iter().enumerate().find(|(_, entry)| bytes(entry) > self.record) {
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
        self.check_records(entries, true).is_ok() && self.check_call(entries).is_ok()
    }
}

/// The emulator's rules for the fields of an operation, with room for the largest record of any stream.
pub(super) fn rules(operation: Operation) -> Vec<(&'static str, FieldDef)> {
    let mut rules = operation.validation_rules();
    for (name, rule) in &mut rules {
        match (operation, *name) {
            (Operation::PutRecord, "Data") => make_room(rule),
            (Operation::PutRecords, "Records") => record_fields(rule).for_each(make_room),
            _ => {}
        }
    }
    rules
}

fn record_fields(records: &mut FieldDef) -> impl Iterator<Item = &mut FieldDef> {
    let record = match &mut records.field_type {
        FieldType::List { children } => match &mut children.field_type {
            FieldType::Structure { children } => children.as_mut_slice(),
            _ => &mut [],
        },
        _ => &mut [],
    };
    record.iter_mut().filter(|(name, _)| name == "Data").map(|(_, rule)| rule)
}

fn make_room(rule: &mut FieldDef) {
    rule.length_less_than_or_equal = Some(HIGHEST_RECORD_BYTES);
}
