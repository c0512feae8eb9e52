//! What a program hands to the producer: a key, maybe an explicit hash key, and data.
//!
//! Invariant: none of its own; a record is checked against the stream's limits when it is accepted.

use bytes::Bytes;

use crate::limits::PARTITION_KEY_CHARACTERS;
use crate::partition_key::PartitionKey;
use crate::types::{HashKey, StreamName};

/// A record that owns its parts. Cloning copies pointers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The stream that it goes to.
    pub stream: StreamName,
    /// 1 to 256 characters; decides the shard unless there is an explicit hash key.
    pub partition_key: PartitionKey,
    /// Decides the shard in place of the partition key's MD5.
    pub explicit_hash_key: Option<HashKey>,
    /// The payload; may be empty.
    pub data: Bytes,
}

/// A borrowed record for a stream that is already known: the form of the hot path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// 1 to 256 characters; decides the shard unless there is an explicit hash key.
    pub partition_key: &'a str,
    /// Decides the shard in place of the partition key's MD5.
    pub explicit_hash_key: Option<HashKey>,
    /// The payload; may be empty.
    pub data: &'a [u8],
}

/// Why a record can never be sent, whatever the service's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUserRecord {
    /// The partition key has no characters.
    #[error("the partition key is empty: give 1 to 256 characters")]
    EmptyPartitionKey,
    /// The partition key has more than 256 characters.
    #[error("the partition key has {characters} characters: give 1 to 256")]
    PartitionKeyTooLong {
        /// How many it has.
        characters: usize,
    },
    /// Data and partition key together exceed what the stream takes.
    #[error("the record has {bytes} bytes (data and partition key) and the stream takes {limit}")]
    TooLarge {
        /// Bytes of data and partition key.
        bytes: usize,
        /// The stream's limit.
        limit: usize,
    },
}

// === impl UserRecord ===

impl UserRecord {
    /// A record without an explicit hash key.
    #[must_use]
    pub fn new(stream: StreamName, partition_key: impl Into<PartitionKey>, data: impl Into<Bytes>) -> Self {
        Self { stream, partition_key: partition_key.into(), explicit_hash_key: None, data: data.into() }
    }

    /// The same record, placed by `hash_key` instead of by its partition key.
    #[must_use]
    pub fn with_explicit_hash_key(mut self, hash_key: HashKey) -> Self {
        self.explicit_hash_key = Some(hash_key);
        self
    }

    /// The borrowed form.
    #[must_use]
    pub fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            partition_key: &self.partition_key,
            explicit_hash_key: self.explicit_hash_key,
            data: &self.data,
        }
    }
}

// === impl RecordRef ===

impl RecordRef<'_> {
    /// The explicit hash key, or the one that the service computes from the partition key.
    pub(crate) fn hash_key(&self) -> HashKey {
        self.explicit_hash_key.unwrap_or_else(|| HashKey::of_partition_key(self.partition_key))
    }

    /// Bytes as the service counts them: data and partition key.
    pub(crate) fn service_bytes(&self) -> usize {
        self.data.len() + self.partition_key.len()
    }

    pub(crate) fn check(&self, max_record_bytes: usize) -> Result<(), InvalidUserRecord> {
        if self.partition_key.is_empty() {
            return Err(InvalidUserRecord::EmptyPartitionKey);
        }
        // Counting characters is only needed where the bytes leave it in doubt.
        if self.partition_key.len() > PARTITION_KEY_CHARACTERS {
            let characters = self.partition_key.chars().count();
            if characters > PARTITION_KEY_CHARACTERS {
                return Err(InvalidUserRecord::PartitionKeyTooLong { characters });
            }
        }
        let bytes = self.service_bytes();
        if bytes > max_record_bytes {
            return Err(InvalidUserRecord::TooLarge { bytes, limit: max_record_bytes });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_checked_against_the_limits() {
        let check = |key: &str, data: &[u8]| {
            RecordRef { partition_key: key, explicit_hash_key: None, data }.check(300)
        };
        assert_eq!(check("k", b""), Ok(()));
        assert_eq!(check("", b"x"), Err(InvalidUserRecord::EmptyPartitionKey));
        assert_eq!(check(&"é".repeat(140), &[0; 20]), Ok(()), "256 characters, not bytes");
        assert_eq!(
            check(&"k".repeat(257), b""),
            Err(InvalidUserRecord::PartitionKeyTooLong { characters: 257 })
        );
        assert_eq!(check("k", &[0; 300]), Err(InvalidUserRecord::TooLarge { bytes: 301, limit: 300 }));
    }
}
