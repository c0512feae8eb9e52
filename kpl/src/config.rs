//! How a producer behaves: the KPL's options under their own names, with their defaults.
//!
//! Invariant: a [`Config`] that passed [`Config::check`] holds no value that a stage would have to refuse.

use std::fmt;
use std::time::Duration;

use crate::dedup_id::PRODUCER_ID_BYTES;
use crate::limits;

/// The options of a producer. Start from [`Config::default`] and change fields.
///
/// All problems of a configuration are reported at once, when the producer is started.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Pack user records into aggregated records. Consumers must then take them apart (the KCL does). Default true.
    pub aggregation_enabled: bool,
    /// User records in one aggregated record. 1 or more, default 4294967295.
    pub aggregation_max_count: usize,
    /// Bytes of one aggregated record; a larger user record is sent alone. 64 to 10485760, default 51200. Never more
    /// than fits under `max_record_size`.
    pub aggregation_max_size: usize,
    /// Entries in one PutRecords call. 1 to 500, default 500.
    pub collection_max_count: usize,
    /// Bytes of one PutRecords call, keys included. 1 to 10485760, default 5242880 (for delivery streams at most
    /// 4194304, which also is their default).
    pub collection_max_size: usize,
    /// How long a record may wait for others, from `send` to the start of the call. Default 100 ms. Half of
    /// `record_ttl` at most counts, or a record could expire waiting for company.
    ///
    /// What waits for something else leaves later: for its shard's pace, after a failure, or for one of
    /// `max_in_flight_requests`.
    pub record_max_buffered_time: Duration,
    /// How long a record is worth sending; `None` is for ever. At least 100 ms, default 30 s.
    ///
    /// A call under way is never cut short by it: such a record gets its outcome with the call's answer.
    pub record_ttl: Option<Duration>,
    /// Give a record up when it is throttled instead of sending it again. Default false.
    pub fail_if_throttled: bool,
    /// Percent of a shard's limits (1,000 records and 1 MiB a second) that this producer may use. 1 or more, default
    /// 150: over the limit, because several producers seldom burst together and the service answers the rest.
    pub rate_limit: u32,
    /// Bytes of data and partition key of one user record: the stream's limit. 1 to 10485760, default 1048576 (for
    /// delivery streams at most 1024000, which also is their default).
    pub max_record_size: usize,
    /// PutRecords calls under way at once, for each stream. 1 to 256, default 24.
    pub max_in_flight_requests: usize,
    /// Bytes of user records that the producer holds at once; at this bound `send` waits. 1 MiB or more, default
    /// 64 MiB.
    pub max_outstanding_bytes: usize,
    /// User records that the producer holds at once; at this bound `send` waits. 1 or more, default 1000000.
    pub max_outstanding_records: usize,
    /// Give every record a dedup id, by which consumers recognise what arrives twice ([`crate::dedup`]); a record that
    /// brings an id of its own keeps it. Consumers must take records apart, lone ones too (the KCL does). Costs about
    /// 32 bytes for each record. Not for delivery streams. Default false.
    pub dedup_ids: bool,
    /// What the producer calls itself in the dedup ids that it gives; a part that differs at every start is added.
    /// 1 to 64 letters, digits, `_`, `-` and `.`; default `None`: the added part alone.
    pub producer_id: Option<String>,
    /// Compress each Kinesis record. Only consumers that undo it can read the stream then; the KCL does not. Not for
    /// delivery streams. Default [`Compression::None`].
    pub compression: Compression,
    /// Seed of the generator behind the retries' jitter; `None` takes one from the operating system.
    pub seed: Option<u64>,
}

/// How the data of Kinesis records is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all: the KPL's format, which every KCL consumer reads.
    #[default]
    None,
    /// Gzip, level 3, with a mark in the header. See [`crate::compression`].
    Gzip,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// One line for each problem.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the producer's configuration is not valid: {}", self.problems.join("; "))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            aggregation_enabled: true,
            aggregation_max_count: u32::MAX as usize,
            aggregation_max_size: 51_200,
            collection_max_count: limits::ENTRIES_PER_REQUEST,
            collection_max_size: limits::PUT_RECORDS_BYTES,
            record_max_buffered_time: Duration::from_millis(100),
            record_ttl: Some(Duration::from_secs(30)),
            fail_if_throttled: false,
            rate_limit: 150,
            max_record_size: limits::KINESIS_RECORD_BYTES,
            max_in_flight_requests: 24,
            max_outstanding_bytes: 64 << 20,
            max_outstanding_records: 1_000_000,
            dedup_ids: false,
            producer_id: None,
            compression: Compression::None,
            seed: None,
        }
    }
}

impl Config {
    /// Looks at every option.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems.
    pub fn check(&self) -> Result<(), ConfigError> {
        let raised = limits::KINESIS_RECORD_BYTES_RAISED;
        let ranges = [
            ("aggregation_max_count", self.aggregation_max_count, 1, usize::MAX),
            ("aggregation_max_size", self.aggregation_max_size, 64, raised),
            ("collection_max_count", self.collection_max_count, 1, limits::ENTRIES_PER_REQUEST),
            ("collection_max_size", self.collection_max_size, 1, raised),
            ("rate_limit", self.rate_limit as usize, 1, usize::MAX),
            ("max_record_size", self.max_record_size, 1, raised),
            ("max_in_flight_requests", self.max_in_flight_requests, 1, 256),
            ("max_outstanding_bytes", self.max_outstanding_bytes, 1 << 20, usize::MAX),
            ("max_outstanding_records", self.max_outstanding_records, 1, u32::MAX as usize),
        ];
        let mut problems: Vec<String> = ranges
            .into_iter()
            .filter(|&(_, value, least, most)| value < least || value > most)
            .map(|(name, value, least, most)| format!("{name} is {value}: give {least} to {most}"))
            .collect();
        if self.record_ttl.is_some_and(|ttl| ttl < Duration::from_millis(100)) {
            problems.push(format!("record_ttl is {:?}: give 100 ms or more", self.record_ttl));
        }
        if self.producer_id.as_deref().is_some_and(|name| !is_producer_id(name)) {
            problems.push(format!(
                "producer_id is {:?}: give 1 to {PRODUCER_ID_BYTES} letters, digits, '_', '-' and '.'",
                self.producer_id
            ));
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }

    /// What counts of `record_max_buffered_time`.
    pub(crate) fn buffered_time(&self) -> Duration {
        self.record_ttl
            .map_or(self.record_max_buffered_time, |ttl| self.record_max_buffered_time.min(ttl / 2))
    }

    /// Time that the collector gets out of `record_max_buffered_time`, to gather aggregates of many shards into one
    /// call: a fifth of it, at most 50 ms.
    pub(crate) fn collection_time(&self) -> Duration {
        if !self.aggregation_enabled {
            return self.buffered_time();
        }
        (self.buffered_time() / 5).min(Duration::from_millis(50))
    }
}

fn is_producer_id(name: &str) -> bool {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=PRODUCER_ID_BYTES).contains(&name.len()) && name.bytes().all(lawful)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_and_all_problems_are_told_at_once() {
        assert_eq!(Config::default().check(), Ok(()));
        let config = Config {
            aggregation_max_size: 63,
            collection_max_count: 501,
            record_ttl: Some(Duration::from_millis(99)),
            producer_id: Some("a name".to_owned()),
            ..Config::default()
        };
        let problems = config.check().expect_err("four problems").problems;
        assert_eq!(problems.len(), 4, "{problems:?}");
    }
}
