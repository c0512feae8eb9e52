//! A record as it is handed over: borrowed, with the owner of its data if that can be shared.
//!
//! Invariant: the owner's bytes are the record's data.

use std::ops::Deref;

use bytes::Bytes;

use crate::user_record::{RecordRef, UserRecord};

/// A record that is not accepted yet, or that is on its way again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncomingRecord<'a> {
    record: RecordRef<'a>,
    owner: Option<&'a Bytes>,
}

impl<'a> IncomingRecord<'a> {
    /// A record whose data may be kept without a copy: `data` is its owner.
    pub(crate) fn owned(record: RecordRef<'a>, data: &'a Bytes) -> Self {
        Self { record: RecordRef { data, ..record }, owner: Some(data) }
    }

    /// The same data under the keys and the dedup id of another record.
    pub(crate) fn keyed_like(self, record: RecordRef<'a>) -> Self {
        Self { record: RecordRef { data: self.record.data, ..record }, owner: self.owner }
    }

    /// The data, shared with whoever handed it over; `None` if it was only borrowed.
    pub(crate) fn shared_data(&self) -> Option<Bytes> {
        self.owner.cloned()
    }
}

impl<'a> Deref for IncomingRecord<'a> {
    type Target = RecordRef<'a>;

    fn deref(&self) -> &RecordRef<'a> {
        &self.record
    }
}

impl<'a> From<RecordRef<'a>> for IncomingRecord<'a> {
    fn from(record: RecordRef<'a>) -> Self {
        Self { record, owner: None }
    }
}

impl<'a> From<&'a UserRecord> for IncomingRecord<'a> {
    fn from(record: &'a UserRecord) -> Self {
        Self::owned(record.as_ref(), &record.data)
    }
}
