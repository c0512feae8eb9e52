//! Reads a Kinesis stream from its start and takes aggregated records apart, as the KCL would.
//!
//! Shards are read in turn, one page at a time, each only after its parents. Invariants: memory holds one page as it is
//! stored, and what is in one of its Kinesis records, because a record may hold a thousand times its size; nothing is
//! fetched before the last page was taken; a record is handed on once, and records of one shard in their order; a listing
//! of shards ends, whatever the service answers.

mod connection;
mod deaggregation;
mod lineage;

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::operation::get_shard_iterator::GetShardIteratorInput;
use aws_sdk_kinesis::operation::list_shards::ListShardsInput;
use aws_sdk_kinesis::types::{Shard, ShardIteratorType};
use kpl::{HashKeyRange, SequenceNumber, ShardId};
use tokio::time::{Interval, MissedTickBehavior};

pub use connection::connect;
use deaggregation::KinesisRecord;
pub use deaggregation::{ConsumedRecord, ReadTotals};
use lineage::ShardLineage;

/// The service allows five GetRecords a second for each shard (Kinesis API reference, `GetRecords`).
const ROUND: Duration = Duration::from_millis(200);
/// After a round without records; what the KCL waits, and fair to other readers of the stream.
const IDLE_ROUND: Duration = Duration::from_secs(1);
/// Records of one page. The service caps a page at 10 MB anyway, emulators may not.
const PAGE_RECORDS: i32 = 2500;

/// Pages of ListShards: more than any stream has, at up to 1,000 shards each. The quota of an account is some ten thousand.
const MAX_SHARD_PAGES: usize = 1000;

/// How far to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadExtent {
    /// Up to what is in the stream now.
    ToTip,
    /// For ever.
    Follow,
}

/// A reader of one stream.
#[derive(Debug)]
pub struct StreamReader {
    client: Client,
    stream: String,
    extent: ReadExtent,
    lineage: ShardLineage,
    positions: Vec<ShardPosition>,
    page: Page,
    /// The place in `positions` of the shard whose turn it is.
    turn: usize,
    rounds: Interval,
    round_brought_records: bool,
    is_listing_due: bool,
    /// After a round without records.
    idle_round: Duration,
    totals: ReadTotals,
}

/// Why a stream cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing says where the stream is.
    #[error("no AWS region is known: give --region, or set AWS_REGION or a region in the AWS profile")]
    NoRegion,
    /// There is no such stream.
    #[error(
        "stream {stream} does not exist: {message}; look at its spelling, the region, the account and the endpoint"
    )]
    UnknownStream {
        /// The stream.
        stream: String,
        /// What the service said.
        message: String,
    },
    /// A call failed, again and again if that could help.
    #[error(
        "{operation} of stream {stream} failed: {message}; look at the endpoint, the credentials and the network"
    )]
    Call {
        /// The AWS operation.
        operation: &'static str,
        /// The stream.
        stream: String,
        /// What the service or the connection said.
        message: String,
    },
}

/// How far a shard was read.
#[derive(Debug)]
struct ShardPosition {
    shard: ShardId,
    range: Option<HashKeyRange>,
    /// Where the next page begins; `None` asks for a new iterator.
    iterator: Option<String>,
    last: Option<SequenceNumber>,
}

/// What was fetched and not handed on yet.
#[derive(Debug, Default)]
struct Page {
    records: VecDeque<KinesisRecord>,
    /// Of the shard that it is from.
    range: Option<HashKeyRange>,
}

/// What a page says about the rest of its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageEnd {
    /// There is more.
    More,
    /// There is no more yet.
    Tip,
    /// There will never be more.
    Closed,
}

impl StreamReader {
    /// A reader at the oldest record of every shard. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// The stream does not exist, or its shards cannot be listed.
    pub async fn open(client: Client, stream: &str, extent: ReadExtent) -> Result<Self, ReadError> {
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reader = Self {
            client,
            stream: stream.to_owned(),
            extent,
            lineage: ShardLineage::default(),
            positions: Vec::new(),
            page: Page::default(),
            turn: 0,
            rounds,
            round_brought_records: true,
            is_listing_due: true,
            idle_round: IDLE_ROUND,
            totals: ReadTotals::default(),
        };
        reader.list_shards().await?;
        Ok(reader)
    }

    /// The user records of the next Kinesis record that has any; `None` when everything was read (never when following).
    ///
    /// # Errors
    ///
    /// A call failed for good. The reader can be asked again, and goes on where it was.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no record.
    pub async fn next(&mut self) -> Result<Option<Vec<ConsumedRecord>>, ReadError> {
        loop {
            if let Some(records) = self.take_apart_next() {
                return Ok(Some(records));
            }
            if self.is_listing_due {
                self.list_shards().await?;
            }
            if self.positions.is_empty() && self.extent == ReadExtent::ToTip {
                return Ok(None);
            }
            if self.turn >= self.positions.len() {
                self.end_round().await;
                continue;
            }
            self.next_page().await?;
        }
    }

    /// Whether a call may be made before [`StreamReader::next`] answers: what was printed so far is to be shown.
    #[must_use]
    pub fn is_page_empty(&self) -> bool {
        self.page.records.is_empty()
    }

    fn take_apart_next(&mut self) -> Option<Vec<ConsumedRecord>> {
        while let Some(record) = self.page.records.pop_front() {
            let mut records = Vec::new();
            self.totals.take_apart(record, self.page.range.as_ref(), &mut records);
            if !records.is_empty() {
                return Some(records);
            }
        }
        None
    }

    /// Makes no pause after rounds without records: for a stream of our own, which nobody else reads.
    pub fn read_eagerly(&mut self) {
        self.idle_round = ROUND;
    }

    /// What was read so far.
    #[must_use]
    pub fn totals(&self) -> ReadTotals {
        self.totals
    }

    async fn end_round(&mut self) {
        if !std::mem::replace(&mut self.round_brought_records, true) && self.extent == ReadExtent::Follow {
            self.rounds.reset_after(self.idle_round);
        }
        self.rounds.tick().await;
        self.round_brought_records = false;
        self.turn = 0;
        // A shard that has ended may have been listed before its children were.
        self.is_listing_due = self.positions.is_empty();
    }

    async fn list_shards(&mut self) -> Result<(), ReadError> {
        let (mut next_token, mut tokens) = (None, HashSet::new());
        loop {
            // The service refuses a token together with a name.
            let input = match next_token {
                Some(token) => ListShardsInput::builder().next_token(token),
                None => ListShardsInput::builder().stream_name(&self.stream),
            };
            let output = input.send_with(&self.client).await;
            let output = output.map_err(|error| read_error("ListShards", &self.stream, &error))?;
            self.lineage.add(output.shards().iter().map(lineage_entry));
            next_token = output.next_token;
            let Some(token) = &next_token else { break };
            if !tokens.insert(token.clone()) || tokens.len() >= MAX_SHARD_PAGES {
                return Err(self.endless_listing(tokens.len()));
            }
        }
        self.is_listing_due = false;
        self.open_ready_shards();
        Ok(())
    }

    fn endless_listing(&self, pages: usize) -> ReadError {
        let message = format!("after {pages} pages of shards the service still names a next one");
        ReadError::Call { operation: "ListShards", stream: self.stream.clone(), message }
    }

    fn open_ready_shards(&mut self) {
        let ready = self.lineage.take_ready();
        let position = |(shard, range)| ShardPosition { shard, range, iterator: None, last: None };
        self.positions.extend(ready.into_iter().map(position));
    }

    /// Reads a page of the shard whose turn it is. Nothing changes before the page is there.
    async fn next_page(&mut self) -> Result<(), ReadError> {
        let iterator = self.iterator().await?;
        let page = self.client.get_records().limit(PAGE_RECORDS).shard_iterator(iterator).send().await;
        let page = match page {
            Ok(page) => page,
            Err(error) if code(&error) == Some("ExpiredIteratorException") => {
                self.positions[self.turn].iterator = None;
                return Ok(());
            }
            Err(error) => return Err(read_error("GetRecords", &self.stream, &error)),
        };
        self.take_page(page);
        Ok(())
    }

    async fn iterator(&mut self) -> Result<String, ReadError> {
        let position = &self.positions[self.turn];
        if let Some(iterator) = &position.iterator {
            return Ok(iterator.clone());
        }
        let input =
            GetShardIteratorInput::builder().stream_name(&self.stream).shard_id(position.shard.as_str());
        let input = match &position.last {
            None => input.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Some(last) => input
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .starting_sequence_number(last.as_str()),
        };
        let output = input.send_with(&self.client).await;
        let output = output.map_err(|error| read_error("GetShardIterator", &self.stream, &error))?;
        Ok(output.shard_iterator.unwrap_or_default())
    }

    fn take_page(&mut self, page: GetRecordsOutput) {
        let end = page_end(&page);
        let position = &mut self.positions[self.turn];
        let shard = &position.shard;
        let records = page.records.into_iter().map(|record| KinesisRecord::new(record, shard)).collect();
        self.page = Page { records, range: position.range };
        if let Some(last) = self.page.records.back() {
            position.last = Some(last.sequence_number.clone());
        }
        position.iterator = page.next_shard_iterator;
        self.round_brought_records |= !self.page.records.is_empty();
        match end {
            PageEnd::More => self.turn += 1,
            PageEnd::Tip if self.extent == ReadExtent::Follow => self.turn += 1,
            PageEnd::Tip => self.finish_shard(),
            PageEnd::Closed => {
                self.is_listing_due = true;
                self.finish_shard();
            }
        }
    }

    fn finish_shard(&mut self) {
        let finished = self.positions.remove(self.turn);
        self.lineage.finish(&finished.shard);
        self.open_ready_shards();
    }
}

/// An emulator may say "0 behind" on a page that is merely full, so a full page is never the tip.
fn page_end(page: &GetRecordsOutput) -> PageEnd {
    let is_full = page.records.len() >= PAGE_RECORDS as usize;
    match (&page.next_shard_iterator, page.millis_behind_latest) {
        (None, _) => PageEnd::Closed,
        (Some(_), Some(0)) if !is_full => PageEnd::Tip,
        _ => PageEnd::More,
    }
}

fn lineage_entry(shard: &Shard) -> lineage::ListedShard {
    let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
    lineage::ListedShard {
        shard: shard.shard_id().into(),
        parents: parents.into_iter().flatten().map(ShardId::from).collect(),
        range: shard.hash_key_range().and_then(hash_key_range),
    }
}

/// The range, if its ends are numbers in order.
fn hash_key_range(range: &aws_sdk_kinesis::types::HashKeyRange) -> Option<HashKeyRange> {
    HashKeyRange::parse(range.starting_hash_key(), range.ending_hash_key()).ok()
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error()?.code()
}

fn read_error<E, R>(operation: &'static str, stream: &str, error: &SdkError<E, R>) -> ReadError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let stream = stream.to_owned();
    let Some(refused) = error.as_service_error() else {
        return ReadError::Call { operation, stream, message: chain(error) };
    };
    let (code, message) = (refused.code().unwrap_or("unknown error"), refused.message().unwrap_or_default());
    let message = message.trim_end_matches('.');
    match code {
        "ResourceNotFoundException" => ReadError::UnknownStream { stream, message: message.to_owned() },
        _ => ReadError::Call { operation, stream, message: format!("{code}: {message}") },
    }
}

/// An error and its causes in one line; the SDK says the telling part last.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_kinesis::primitives::Blob;
    use aws_sdk_kinesis::types::Record;

    #[test]
    fn the_end_of_a_page() {
        let full = PAGE_RECORDS as usize;
        for (next, behind, records, end) in [
            (Some("i"), Some(0), 0, PageEnd::Tip),
            (Some("i"), Some(0), full - 1, PageEnd::Tip),
            (Some("i"), Some(0), full, PageEnd::More),
            (Some("i"), Some(5), 0, PageEnd::More),
            (Some("i"), None, 1, PageEnd::More),
            (None, Some(0), 0, PageEnd::Closed),
            (None, Some(99), 3, PageEnd::Closed),
        ] {
            let record = Record::builder().sequence_number("1").data(Blob::new("")).partition_key("k");
            let record = record.build().expect("complete");
            let page = GetRecordsOutput::builder()
                .set_records(Some(vec![record; records]))
                .set_next_shard_iterator(next.map(str::to_owned))
                .set_millis_behind_latest(behind)
                .build()
                .expect("complete");
            assert_eq!(page_end(&page), end, "{next:?} {behind:?} {records}");
        }
    }
}
