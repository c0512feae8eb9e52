//! The entries of a put as limits, faults and counters see them.
//!
//! Invariant: sizes are those of the decoded data and of the partition key's UTF-8 bytes, as AWS counts them.

use std::borrow::Cow;

use serde_json::Value;

use crate::codec::base64_decoded_bytes;

/// One entry without its data.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) partition_key: Cow<'a, str>,
    pub(super) explicit_hash_key: Option<Cow<'a, str>>,
    pub(super) data_bytes: usize,
}

impl<'a> Entry<'a> {
    pub(super) fn of(record: &'a Value) -> Self {
        Self {
            partition_key: record["PartitionKey"].as_str().unwrap_or_default().into(),
            explicit_hash_key: record["ExplicitHashKey"].as_str().map(Cow::from),
            data_bytes: base64_decoded_bytes(record["Data"].as_str().unwrap_or_default()),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.data_bytes + self.partition_key.len()
    }

    /// The explicit hash key, or the MD5 of the partition key; `None` for an explicit key that is no hash key.
    pub(super) fn hash_key(&self) -> Option<u128> {
        match &self.explicit_hash_key {
            Some(key) => key.parse().ok(),
            None => Some(u128::from_be_bytes(fast_md5::digest(self.partition_key.as_bytes()))),
        }
    }
}

pub(super) fn bytes(entries: &[Entry<'_>]) -> usize {
    entries.iter().map(Entry::bytes).sum()
}
