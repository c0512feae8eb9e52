//! What a program hands to the producer: a key, maybe an explicit hash key, and data.
//!
//! Invariant: none of its own; a record is checked against the stream's limits when it is accepted.

use bytes::Bytes;

use crate::aggregation_format::{AGGREGATE_PARTITION_KEY, framed_bytes};
use crate::dedup_id::{self, DedupId, InvalidDedupId};
#[cfg(feature = "glue")]
use crate::glue::schema::Schema;
use crate::limits::PARTITION_KEY_CHARACTERS;
use crate::partition_key::PartitionKey;
use crate::types::{HashKey, StreamName};

/// A record that owns its parts. Cloning copies pointers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The stream that it goes to.
    pub stream: StreamName,
    /// 1 to 256 characters; decides the shard unless there is an explicit hash key. `None` only for a stream whose
    /// record distribution strategy is AUTO: see [`UserRecord::without_partition_key`].
    pub partition_key: Option<PartitionKey>,
    /// Decides the shard in place of the partition key's MD5.
    pub explicit_hash_key: Option<HashKey>,
    /// The payload; may be empty. A record that leaves alone, not in an aggregate, is sent from this memory, which is in
    /// use until the record has its outcome; a small part of a large buffer keeps all of it.
    pub data: Bytes,
    /// What a consumer recognises the record by when it arrives twice. Such a record travels in the aggregated format
    /// even when it is alone. Delivery streams have no place for it, nor streams whose record distribution strategy is
    /// AUTO; nor does a record that leaves because no shard could be listed within five seconds carry it.
    pub dedup_id: Option<DedupId>,
    /// The schema that the data is to be checked and framed by when it is sent; `None` for data that is sent as it is. A
    /// record that comes back was encoded, and has none any more. See [`glue`](crate::glue).
    #[cfg(feature = "glue")]
    pub schema: Option<Schema>,
}

/// A borrowed record for a stream that is already known: the form of the hot path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// 1 to 256 characters; decides the shard unless there is an explicit hash key. `None` only for a stream whose
    /// record distribution strategy is AUTO: see [`UserRecord::without_partition_key`].
    pub partition_key: Option<&'a str>,
    /// Decides the shard in place of the partition key's MD5.
    pub explicit_hash_key: Option<HashKey>,
    /// The payload; may be empty.
    pub data: &'a [u8],
    /// What a consumer recognises the record by when it arrives twice: 1 to 128 bytes, see
    /// [`DedupId`].
    pub dedup_id: Option<&'a str>,
}

/// Why a record can never be sent, whatever the service's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUserRecord {
    /// The partition key has no characters.
    #[error("the partition key is empty: give 1 to 256 characters, or no key at all for a stream under AUTO")]
    EmptyPartitionKey,
    /// There is no partition key, and the stream is known to place records by their keys.
    #[error(
        "the record has no partition key, and its stream places records by key (USER_PARTITION_KEY): give it a key, or \
         set the stream's record distribution strategy to AUTO"
    )]
    NoPartitionKey,
    /// The partition key has more than 256 characters.
    #[error("the partition key has {characters} characters: give 1 to 256")]
    PartitionKeyTooLong {
        /// How many it has.
        characters: usize,
    },
    /// The dedup id is empty or too long.
    #[error(transparent)]
    DedupId(#[from] InvalidDedupId),
    /// Data and partition key together exceed what the stream takes.
    #[error(
        "the record has {bytes} bytes (data, partition key, and the frame if it has a dedup id) and the stream takes {limit}"
    )]
    TooLarge {
        /// Bytes of data and partition key; of the whole frame if the record travels with a dedup id.
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
        Self {
            stream,
            partition_key: Some(partition_key.into()),
            explicit_hash_key: None,
            data: data.into(),
            dedup_id: None,
            #[cfg(feature = "glue")]
            schema: None,
        }
    }

    /// A record without a partition key, for a stream whose record distribution strategy is AUTO: the service places
    /// it as it likes. (The KPL has this since 1.1; the service since `UpdateStreamRecordDistributionStrategy`.)
    ///
    /// A stream that places records by their keys takes no such record. Once the producer knows that of a stream, `send`
    /// refuses it with [`InvalidUserRecord::NoPartitionKey`]; a record that was accepted before fails with
    /// [`FailureReason::NoPartitionKey`](crate::FailureReason::NoPartitionKey). Where the producer may not ask
    /// (`kinesis:DescribeStreamSummary`), the service decides. Delivery streams never need a key.
    ///
    /// ```
    /// let stream = kpl::StreamName::new("telemetry")?;
    /// let record = kpl::UserRecord::without_partition_key(stream, "21.5");
    /// assert_eq!(record.partition_key, None);
    /// # Ok::<(), kpl::InvalidStreamName>(())
    /// ```
    #[must_use]
    #[doc(alias = "addUserRecord")]
    pub fn without_partition_key(stream: StreamName, data: impl Into<Bytes>) -> Self {
        Self {
            stream,
            partition_key: None,
            explicit_hash_key: None,
            data: data.into(),
            dedup_id: None,
            #[cfg(feature = "glue")]
            schema: None,
        }
    }

    /// The same record, whose data is checked and framed by `schema` when it is sent: by a producer with a registry
    /// ([`ProducerBuilder::glue_schema_registry`](crate::ProducerBuilder::glue_schema_registry)).
    #[cfg(feature = "glue")]
    #[must_use]
    pub fn with_schema(mut self, schema: Schema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// The same record, placed by `hash_key` instead of by its partition key.
    #[must_use]
    pub fn with_explicit_hash_key(mut self, hash_key: HashKey) -> Self {
        self.explicit_hash_key = Some(hash_key);
        self
    }

    /// The same record, recognised by `dedup_id` when it arrives twice.
    #[must_use]
    pub fn with_dedup_id(mut self, dedup_id: DedupId) -> Self {
        self.dedup_id = Some(dedup_id);
        self
    }

    /// The borrowed form.
    #[must_use]
    pub fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            partition_key: self.partition_key.as_deref(),
            explicit_hash_key: self.explicit_hash_key,
            data: &self.data,
            dedup_id: self.dedup_id.as_ref().map(DedupId::as_str),
        }
    }
}

// === impl RecordRef ===

impl<'a> RecordRef<'a> {
    /// A record without an explicit hash key and without a dedup id.
    #[must_use]
    pub fn new(partition_key: &'a str, data: &'a [u8]) -> Self {
        Self { partition_key: Some(partition_key), ..Self::without_partition_key(data) }
    }

    /// A record without a partition key; see [`UserRecord::without_partition_key`].
    #[must_use]
    pub fn without_partition_key(data: &'a [u8]) -> Self {
        Self { partition_key: None, explicit_hash_key: None, data, dedup_id: None }
    }

    /// The same record, placed by `hash_key` instead of by its partition key.
    #[must_use]
    pub fn with_explicit_hash_key(mut self, hash_key: HashKey) -> Self {
        self.explicit_hash_key = Some(hash_key);
        self
    }

    /// The same record, recognised by `dedup_id` when it arrives twice. Its length is checked when it is sent.
    #[must_use]
    pub fn with_dedup_id(mut self, dedup_id: &'a str) -> Self {
        self.dedup_id = Some(dedup_id);
        self
    }

    /// The explicit hash key, or the one that the service computes from the partition key.
    pub(crate) fn hash_key(&self) -> HashKey {
        self.explicit_hash_key.unwrap_or_else(|| HashKey::of_partition_key(self.key()))
    }

    /// The partition key, empty for none: the form below the public API, where each key was checked.
    pub(crate) fn key(&self) -> &'a str {
        self.partition_key.unwrap_or_default()
    }

    /// The same record under a key in that form.
    pub(crate) fn with_key(self, key: &'a str) -> Self {
        Self { partition_key: Some(key).filter(|key| !key.is_empty()), ..self }
    }

    /// Bytes as the service counts them: data and partition key.
    pub(crate) fn service_bytes(&self) -> usize {
        self.data.len() + self.key().len()
    }

    pub(crate) fn check(&self, max_record_bytes: usize) -> Result<(), InvalidUserRecord> {
        self.dedup_id.map_or(Ok(()), dedup_id::check)?;
        self.check_with_id(max_record_bytes, self.dedup_id.map_or(0, str::len))
    }

    /// The same for a record that will get a dedup id of up to `id_bytes`.
    pub(crate) fn check_with_id(
        &self,
        max_record_bytes: usize,
        id_bytes: usize,
    ) -> Result<(), InvalidUserRecord> {
        if self.partition_key == Some("") {
            return Err(InvalidUserRecord::EmptyPartitionKey);
        }
        let key = self.key();
        // Counting characters is only needed where the bytes leave it in doubt.
        if key.len() > PARTITION_KEY_CHARACTERS {
            let characters = key.chars().count();
            if characters > PARTITION_KEY_CHARACTERS {
                return Err(InvalidUserRecord::PartitionKeyTooLong { characters });
            }
        }
        let bytes = match id_bytes {
            0 => self.service_bytes(),
            // Such a record may have to travel alone in a frame.
            _ => framed_bytes(self, id_bytes) + AGGREGATE_PARTITION_KEY.len(),
        };
        if bytes > max_record_bytes {
            return Err(InvalidUserRecord::TooLarge { bytes, limit: max_record_bytes });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{DEDUP_FRAME_BYTES, KINESIS_RECORD_BYTES_RAISED};

    #[test]
    fn a_frame_adds_no_more_than_its_limit_says() {
        for (key, id) in [("k".to_owned(), "i".to_owned()), ("k".repeat(256), "i".repeat(128))] {
            let most = KINESIS_RECORD_BYTES_RAISED - key.len() - id.len();
            let data = vec![0; most];
            let check = |bytes: usize| {
                RecordRef::new(&key, &data[..bytes]).with_dedup_id(&id).check(KINESIS_RECORD_BYTES_RAISED)
            };
            assert_eq!(check(most - DEDUP_FRAME_BYTES), Ok(()));
            assert!(check(most - DEDUP_FRAME_BYTES / 2).is_err(), "the limit is not far from the truth");
        }
    }

    #[test]
    fn records_are_checked_against_the_limits() {
        let check = |key: &str, data: &[u8]| RecordRef::new(key, data).check(300);
        assert_eq!(check("k", b""), Ok(()));
        assert_eq!(check("", b"x"), Err(InvalidUserRecord::EmptyPartitionKey));
        assert_eq!(RecordRef::without_partition_key(&[0; 300]).check(300), Ok(()));
        assert!(RecordRef::without_partition_key(&[0; 301]).check(300).is_err());
        assert_eq!(check(&"é".repeat(140), &[0; 20]), Ok(()), "256 characters, not bytes");
        assert_eq!(
            check(&"k".repeat(257), b""),
            Err(InvalidUserRecord::PartitionKeyTooLong { characters: 257 })
        );
        let with_id =
            |id: &str, bytes: usize| RecordRef::new("k", &vec![0; bytes]).with_dedup_id(id).check(300);
        assert_eq!(with_id("id", 254), Ok(()));
        assert_eq!(with_id("id", 255), Err(InvalidUserRecord::TooLarge { bytes: 301, limit: 300 }));
        assert_eq!(with_id("", 1), Err(InvalidDedupId { bytes: 0 }.into()));
        assert_eq!(with_id(&"i".repeat(129), 1), Err(InvalidDedupId { bytes: 129 }.into()));
        assert_eq!(check("k", &[0; 300]), Err(InvalidUserRecord::TooLarge { bytes: 301, limit: 300 }));
    }
}
