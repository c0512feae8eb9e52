//! A backlog meets a stream whose shard map is late, refused or failing: two shards with enforced limits, in virtual
//! time. No record expires that the shards could have taken, and few entries are throttled.

use std::collections::HashMap;
use std::time::Duration;

use crate::aggregation_format::AGGREGATE_PARTITION_KEY;
use crate::config::Config;
use crate::core::pipeline::{Action, Finished, Pipeline, Service};
use crate::put_records::{
    CallError, Doubt, EntryError, EntryPlaced, PutRecordsEntry, PutRecordsRequest, PutRecordsResponse,
    ShardDescription, ShardListing,
};
use crate::types::{HashKey, Moment, RequestId, StreamName};
use crate::user_record::RecordRef;

/// From a call to its answer.
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// How ListShards behaves.
#[derive(Debug, Clone, Copy)]
enum Listing {
    After(Duration),
    Refused,
    FailsUntil(Duration),
}

struct Run {
    now: Moment,
    listing: Listing,
    shards: u32,
    pipeline: Pipeline<u32>,
    /// Second and what each shard took in it.
    windows: HashMap<u32, (u64, usize, usize)>,
    arrivals: Vec<(Moment, Arrival)>,
    entries: usize,
    throttled: usize,
    aggregates: usize,
    stored: usize,
    expired: usize,
}

enum Arrival {
    Put(RequestId, PutRecordsResponse),
    Listed(Result<ShardListing, CallError>),
}

impl Run {
    fn new(listing: Listing, shards: u32, config: Config) -> Self {
        let stream = StreamName::new("late").expect("a valid name");
        let pipeline = Pipeline::new(stream, Service::DataStream, config, 7, Moment::ORIGIN);
        Self {
            now: Moment::ORIGIN,
            listing,
            shards,
            pipeline,
            windows: HashMap::new(),
            arrivals: Vec::new(),
            entries: 0,
            throttled: 0,
            aggregates: 0,
            stored: 0,
            expired: 0,
        }
    }

    /// Accepts all records at once and lives until each has its outcome.
    fn of_backlog(self, records: u32) -> Self {
        self.accept(records).live()
    }

    fn accept(mut self, records: u32) -> Self {
        let data = [b'x'; 100];
        for number in 0..records {
            let key = format!("key-{number}");
            self.pipeline.accept(RecordRef::new(&key, &data), number, 1, self.now);
        }
        self
    }

    fn live(mut self) -> Self {
        self.settle();
        while self.pipeline.outstanding() > 0 {
            let arrival = self.arrivals.iter().map(|(at, _)| *at).min().unwrap_or(Moment::NEVER);
            self.now = self.now.max(arrival.min(self.pipeline.next_wakeup()));
            assert!(self.now < Moment::after_origin(Duration::from_secs(600)), "it never ends");
            while let Some(place) = self.arrivals.iter().position(|(at, _)| *at <= self.now) {
                match self.arrivals.swap_remove(place).1 {
                    Arrival::Put(id, response) => {
                        self.pipeline.put_records_done(id, &Ok(response), self.now);
                    }
                    Arrival::Listed(listing) => self.pipeline.shards_listed(&listing, self.now),
                }
            }
            self.settle();
        }
        self
    }

    fn settle(&mut self) {
        self.pipeline.advance(self.now);
        while let Some(action) = self.pipeline.next_action() {
            match action {
                Action::PutRecords(id, request) => self.put(id, &request),
                Action::ListShards(_) => self.list(),
                Action::Finish(Finished::Stored { record, .. }) => self.stored += record.members.len(),
                Action::Finish(Finished::Failed { record, .. }) => self.expired += record.members.len(),
                _ => {}
            }
        }
    }

    fn list(&mut self) {
        let (delay, listing) = match self.listing {
            Listing::After(delay) => (delay, Ok(self.listing())),
            Listing::Refused => (Duration::from_secs(1), Err(error("AccessDeniedException"))),
            Listing::FailsUntil(end) if self.now < Moment::ORIGIN.plus(end) => {
                (Duration::from_secs(1), Err(error("InternalFailure")))
            }
            Listing::FailsUntil(_) => (Duration::from_millis(1), Ok(self.listing())),
        };
        self.arrivals.push((self.now.plus(delay), Arrival::Listed(listing)));
    }

    fn listing(&self) -> ShardListing {
        let width = u128::MAX / u128::from(self.shards);
        let shard = |number: u32| ShardDescription {
            shard_id: format!("shard-{number}").as_str().into(),
            starting_hash_key: HashKey(width * u128::from(number)),
            ending_hash_key: match number + 1 == self.shards {
                true => HashKey(u128::MAX),
                false => HashKey(width * u128::from(number + 1) - 1),
            },
        };
        (0..self.shards).map(shard).collect::<Vec<_>>().into()
    }

    fn put(&mut self, id: RequestId, request: &PutRecordsRequest) {
        let entries = request.entries.iter().map(|entry| self.take(entry)).collect();
        let answer = Arrival::Put(id, PutRecordsResponse { entries });
        self.arrivals.push((self.now.plus(ROUND_TRIP), answer));
    }

    /// As the service does it: 1,000 records and 1 MiB of each shard in each second.
    fn take(&mut self, entry: &PutRecordsEntry) -> Result<EntryPlaced, EntryError> {
        self.entries += 1;
        self.aggregates += usize::from(entry.partition_key.as_str() == AGGREGATE_PARTITION_KEY);
        let width = u128::MAX / u128::from(self.shards);
        let shard = ((entry.hash_key().0 / width) as u32).min(self.shards - 1);
        let second = self.now.since(Moment::ORIGIN).as_secs();
        let bytes = entry.data.len() + entry.partition_key.len();
        let window = self.windows.entry(shard).or_default();
        if window.0 != second {
            *window = (second, 0, 0);
        }
        if window.1 + 1 > 1000 || window.2 + bytes > 1 << 20 {
            self.throttled += 1;
            let code = "ProvisionedThroughputExceededException".into();
            return Err(EntryError { code, message: "".into() });
        }
        (window.1, window.2) = (window.1 + 1, window.2 + bytes);
        let shard_id = format!("shard-{shard}").as_str().into();
        Ok(EntryPlaced { shard_id, sequence_number: "1".into() })
    }

    fn assert_good(&self, what: &str) {
        let shown = format!(
            "{what}: {} entries, {} of them aggregates, {} throttled, {} records stored, {} expired, {:?}",
            self.entries,
            self.aggregates,
            self.throttled,
            self.stored,
            self.expired,
            self.now.since(Moment::ORIGIN)
        );
        assert!(self.expired == 0 && self.throttled * 20 <= self.entries, "{shown}");
    }
}

fn error(code: &str) -> CallError {
    CallError { code: code.into(), message: "".into(), doubt: Doubt::NotWritten }
}

const LISTINGS: [Listing; 6] = [
    Listing::After(Duration::from_millis(1)),
    Listing::After(Duration::from_millis(250)),
    Listing::After(Duration::from_secs(2)),
    Listing::After(Duration::from_secs(10)),
    Listing::Refused,
    Listing::FailsUntil(Duration::from_secs(5)),
];

#[test]
fn a_backlog_meets_a_late_shard_map() {
    for listing in LISTINGS {
        let run = Run::new(listing, 2, Config::default()).of_backlog(250_000);
        run.assert_good(&format!("{listing:?}"));
    }
}

/// Each record is an entry of its own, and the shards take 2,000 of them a second.
#[test]
fn a_backlog_without_aggregation_meets_a_late_shard_map() {
    for listing in LISTINGS {
        let config = Config { aggregation_enabled: false, ..Config::default() };
        let run = Run::new(listing, 2, config).of_backlog(25_000);
        run.assert_good(&format!("{listing:?}, without aggregation"));
    }
}

#[test]
fn a_backlog_for_more_shards_meets_a_late_shard_map() {
    for listing in [LISTINGS[1], LISTINGS[4], LISTINGS[5]] {
        let run = Run::new(listing, 5, Config::default()).of_backlog(400_000);
        run.assert_good(&format!("{listing:?}, 5 shards"));
    }
}

/// A flush, or a caller in need of room, does not make records leave without the map.
#[test]
fn a_flush_waits_for_a_late_shard_map() {
    for listing in [LISTINGS[2], LISTINGS[5]] {
        let mut run = Run::new(listing, 2, Config::default()).accept(250_000);
        run.pipeline.press(run.now);
        run.pipeline.flush(run.now);
        run.live().assert_good(&format!("{listing:?}, flushed"));
    }
}
