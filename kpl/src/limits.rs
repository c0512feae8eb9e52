//! The service's limits, each with its source, and their relations checked at compile time.
//!
//! Invariant: nothing above this file writes one of these numbers again.

/// Bytes that the frame of a record with a dedup id and without an explicit hash key has at most beside its data, its
/// partition key and the id. With all of these a record may have as many bytes as the stream's limit says.
pub const DEDUP_FRAME_BYTES: usize = 64;

/// Entries in one PutRecords or PutRecordBatch call (Kinesis API reference, `PutRecords`; Firehose API reference,
/// `PutRecordBatch`).
pub const ENTRIES_PER_REQUEST: usize = 500;

/// Bytes of one PutRecords call, partition keys included, that every stream accepts (Kinesis API reference,
/// `PutRecords`; streams with large records accept 10 MiB).
pub const PUT_RECORDS_BYTES: usize = 5 * 1024 * 1024;

/// Bytes of data and partition key of one Kinesis record, unless the stream's limit was raised (Kinesis developer
/// guide, quotas).
pub const KINESIS_RECORD_BYTES: usize = 1024 * 1024;

/// The highest value to which a stream's record limit can be raised (Kinesis developer guide, quotas).
pub const KINESIS_RECORD_BYTES_RAISED: usize = 10 * 1024 * 1024;

/// Characters of a partition key, at least 1 (Kinesis API reference, `PutRecordsRequestEntry`).
pub const PARTITION_KEY_CHARACTERS: usize = 256;

/// Bytes of one PutRecordBatch call (Firehose API reference, `PutRecordBatch`).
pub const PUT_RECORD_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of one record of a delivery stream (Firehose API reference, `Record`: 1,000 KiB).
pub const FIREHOSE_RECORD_BYTES: usize = 1000 * 1024;

/// Records a second that one shard accepts (Kinesis developer guide, quotas).
pub const SHARD_RECORDS_PER_SECOND: f64 = 1000.0;

/// Bytes a second that one shard accepts (Kinesis developer guide, quotas).
pub const SHARD_BYTES_PER_SECOND: f64 = 1024.0 * 1024.0;

/// Shards in one page of ListShards (Kinesis API reference, `ListShards`).
pub const SHARDS_PER_PAGE: i32 = 1000;

/// Bytes buffered for one shard at which the collector sends, so that a shard is not hit in bursts (the KPL's own
/// threshold).
pub const COLLECTOR_BYTES_PER_SHARD: usize = 256 * 1024;

const _: () = assert!(KINESIS_RECORD_BYTES <= PUT_RECORDS_BYTES);
const _: () = assert!(FIREHOSE_RECORD_BYTES <= PUT_RECORD_BATCH_BYTES);
const _: () = assert!(COLLECTOR_BYTES_PER_SHARD <= PUT_RECORDS_BYTES);
