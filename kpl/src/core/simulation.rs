//! A stream's whole life in virtual time: random traffic and a service that throttles, fails, loses answers and
//! reshards. After every step the invariants are checked; a failing seed prints itself and replays exactly.

mod kinesis;
#[cfg(test)]
mod late_map;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;

use self::kinesis::Kinesis;
use crate::compression::compress;
use crate::config::Config;
use crate::config::choices::Compression;
use crate::core::compressor::BatchId;
use crate::core::pipeline::{Action, Finished, Pipeline, Service};
use crate::outcome::FailureReason;
use crate::put_records::{
    CallError, Doubt, EntryError, EntryPlaced, PutRecordsEntry, PutRecordsRequest, PutRecordsResponse,
    ShardListing,
};
use crate::types::{FlushId, HashKey, Moment, RequestId, StreamName};
use crate::user_record::RecordRef;

/// What a run does to the producer.
#[derive(Debug, Clone, Copy)]
struct Weather {
    records: u64,
    entry_failures: f64,
    call_failures: f64,
    lost_answers: f64,
    refusals: f64,
    /// Whether the stream takes no large records, and refuses the calls that they are in.
    refuses_large: bool,
    reshards: u32,
    /// How often the stream changes between following its keys and AUTO.
    strategy_changes: u32,
    /// Whether the service says which of the two it does.
    says_strategy: bool,
    ttl: Option<Duration>,
    aggregation: bool,
    strict_order: bool,
    /// Bytes a second that the line carries, where it is a limit.
    line: Option<u32>,
}

const CALM: Weather = Weather {
    records: 20_000,
    entry_failures: 0.0,
    call_failures: 0.0,
    lost_answers: 0.0,
    refusals: 0.0,
    refuses_large: false,
    reshards: 0,
    strategy_changes: 0,
    says_strategy: true,
    ttl: None,
    aggregation: true,
    strict_order: false,
    line: None,
};
const STORM: Weather =
    Weather { entry_failures: 0.2, call_failures: 0.1, lost_answers: 0.1, reshards: 6, ttl: None, ..CALM };

/// The time limit of a call besides what its bytes take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(6);

/// Bytes of the few large records.
const LARGE: usize = 100_000;

struct World {
    seed: u64,
    random: fastrand::Rng,
    now: Moment,
    weather: Weather,
    config: Config,
    pipeline: Pipeline<u64>,
    kinesis: Kinesis,
    /// What comes back from the service, and when.
    arrivals: Vec<(Moment, Arrival)>,
    outcomes: HashMap<u64, bool>,
    accepted: HashMap<u64, Moment>,
    large: HashSet<u64>,
    /// The first record without an outcome.
    oldest: u64,
    checks: u64,
    in_flight: HashSet<RequestId>,
    flushes: Vec<(FlushId, u64)>,
    flushed: usize,
    warnings: usize,
    /// When the line has carried what was given to it.
    line_free_at: Moment,
    time_outs: usize,
}

enum Arrival {
    Put(RequestId, Result<PutRecordsResponse, CallError>),
    Compressed(BatchId, Vec<Option<Bytes>>),
    Shards,
    ShardsFailed,
}

impl World {
    fn new(seed: u64, weather: Weather) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let config = Config {
            aggregation_enabled: weather.aggregation,
            aggregation_max_size: *[200, 2_000, 51_200].get(random.usize(..3)).expect("one of three"),
            collection_max_count: random.usize(1..=500),
            collection_max_size: 600_000,
            record_ttl: weather.ttl,
            max_connections: random.usize(1..=24),
            dedup_ids: seed % 2 == 1,
            producer_id: Some("simulated".to_owned()),
            strict_order: weather.strict_order,
            compression: if seed % 10 == 1 { Compression::Gzip } else { Compression::None },
            ..Config::default()
        };
        let stream = StreamName::new("simulated").expect("a lawful name");
        let pipeline = Pipeline::new(stream, Service::DataStream, config.clone(), seed, Moment::ORIGIN);
        let shards = random.u32(1..=8);
        Self {
            seed,
            random,
            now: Moment::ORIGIN,
            weather,
            kinesis: Kinesis::new(shards, config.dedup_ids, weather.strict_order),
            config,
            pipeline,
            arrivals: Vec::new(),
            outcomes: HashMap::new(),
            accepted: HashMap::new(),
            large: HashSet::new(),
            oldest: 0,
            checks: 0,
            in_flight: HashSet::new(),
            flushes: Vec::new(),
            flushed: 0,
            warnings: 0,
            line_free_at: Moment::ORIGIN,
            time_outs: 0,
        }
    }

    fn run(mut self) -> Self {
        let total = self.weather.records;
        let mut next = 0;
        let (mut reshards, mut strategy_changes) = (self.weather.reshards, self.weather.strategy_changes);
        while next < total {
            for _ in 0..self.random.u64(1..200).min(total - next) {
                self.accept(next);
                next += 1;
            }
            self.settle();
            if reshards > 0 && self.random.f64() < 0.05 {
                reshards -= 1;
                self.kinesis.reshard(&mut self.random);
            }
            if strategy_changes > 0 && self.random.f64() < 0.05 {
                strategy_changes -= 1;
                self.kinesis.change_strategy();
            }
            if self.random.f64() < 0.02 {
                let flush = self.pipeline.flush(self.now);
                self.flushes.push((flush, next));
            }
            if self.random.f64() < 0.05 {
                self.pipeline.press(self.now);
            }
            let pause = Duration::from_micros(self.random.u64(0..60_000));
            self.pass(self.now.plus(pause));
        }
        self.pipeline.close(self.now);
        self.settle();
        let patience = self.now.plus(Duration::from_secs(3600));
        while self.pipeline.outstanding() > 0 {
            let next = self.next_event();
            assert!(
                next < patience,
                "seed {}: {} records never finished",
                self.seed,
                self.pipeline.outstanding()
            );
            self.pass(next);
        }
        self
    }

    fn accept(&mut self, number: u64) {
        let mut data = number.to_be_bytes().to_vec();
        data.resize(8 + self.random.usize(..120), 7);
        if self.random.f64() < 0.001 {
            data.resize(LARGE, 7);
            self.large.insert(number);
        }
        let key = format!("key-{}", self.random.u32(..500));
        let explicit = match self.random.f64() {
            // On the borders of shards.
            chance if chance < 0.01 => {
                Some(self.kinesis.open[self.random.usize(..self.kinesis.open.len())].ending_hash_key)
            }
            chance if chance < 0.2 => Some(HashKey(self.random.u128(..))),
            _ => None,
        };
        let record = RecordRef { explicit_hash_key: explicit, ..RecordRef::new(&key, &data) };
        self.accepted.insert(number, self.now);
        self.pipeline.accept(record, number, 1, self.now);
    }

    /// Time passes to `until`, event by event.
    fn pass(&mut self, until: Moment) {
        loop {
            let next = self.next_event();
            if next > until {
                break;
            }
            self.now = self.now.max(next);
            if let Some(place) = self.arrivals.iter().position(|(at, _)| *at <= self.now) {
                let (_, arrival) = self.arrivals.swap_remove(place);
                self.arrive(arrival);
            }
            self.settle();
            assert!(
                self.pipeline.next_wakeup() > self.now,
                "seed {}: asked to be woken in the past after it had been",
                self.seed
            );
        }
        self.now = self.now.max(until);
    }

    fn next_event(&self) -> Moment {
        let arrival = self.arrivals.iter().map(|(at, _)| *at).min().unwrap_or(Moment::NEVER);
        arrival.min(self.pipeline.next_wakeup())
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Put(id, answer) => {
                self.in_flight.remove(&id);
                assert!(self.pipeline.put_records_done(id, &answer, self.now).is_some());
            }
            Arrival::Compressed(id, data) => self.pipeline.compressed(id, data, self.now),
            Arrival::Shards => {
                let shards = self.kinesis.open.clone();
                let strategy = self.weather.says_strategy.then_some(self.kinesis.strategy);
                let listing = ShardListing {
                    shards,
                    record_distribution_strategy: strategy,
                    ..ShardListing::default()
                };
                self.pipeline.shards_listed(&Ok(listing), self.now);
            }
            Arrival::ShardsFailed => {
                self.pipeline
                    .shards_listed(&Err(failure("LimitExceededException", Doubt::NotWritten)), self.now);
            }
        }
    }

    /// The pipeline does what is due; its actions are performed.
    fn settle(&mut self) {
        self.pipeline.advance(self.now);
        while let Some(action) = self.pipeline.next_action() {
            match action {
                Action::PutRecords(id, request) => self.put(id, &request),
                Action::Compress(id, blobs) => {
                    let failed = self.random.f64() < self.weather.call_failures;
                    let data = match failed {
                        true => Vec::new(),
                        false => blobs.iter().map(|data| compress(data)).collect(),
                    };
                    self.later(10_000, Arrival::Compressed(id, data));
                }
                Action::ListShards(_) => {
                    let failed = self.random.f64() < self.weather.call_failures;
                    let arrival = if failed { Arrival::ShardsFailed } else { Arrival::Shards };
                    self.later(1_000_000, arrival);
                }
                Action::Finish(finished) => self.finish(finished),
                Action::Flushed(flush) => self.check_flush(flush),
                Action::Warn(..) | Action::LineIsLimit { .. } => self.warnings += 1,
            }
        }
        self.check();
    }

    fn put(&mut self, id: RequestId, request: &PutRecordsRequest) {
        let entries = &request.entries;
        let bytes: usize = entries.iter().map(|entry| entry.data.len() + entry.partition_key.len()).sum();
        assert!(
            !entries.is_empty() && entries.len() <= self.config.collection_max_count,
            "seed {}",
            self.seed
        );
        assert!(
            bytes <= self.config.collection_max_size || entries.len() == 1,
            "seed {}: {bytes} bytes",
            self.seed
        );
        self.in_flight.insert(id);
        assert!(self.in_flight.len() <= self.config.max_connections, "seed {}", self.seed);

        if let Some(bytes_per_second) = self.weather.line {
            return self.put_through_line(id, request, bytes_per_second);
        }
        let is_large = |entry: &PutRecordsEntry| entry.data.len() >= LARGE;
        let answer = match self.random.f64() {
            _ if self.weather.refuses_large && entries.iter().any(is_large) => {
                Err(failure("ValidationException", Doubt::NotWritten))
            }
            chance if chance < self.weather.call_failures => Err(failure("SlowDown", Doubt::NotWritten)),
            chance if chance < self.weather.call_failures + self.weather.lost_answers => {
                entries.iter().for_each(|entry| drop(self.kinesis.store(entry)));
                Err(failure("Timeout", Doubt::MayHaveBeenWritten))
            }
            _ => Ok(PutRecordsResponse { entries: entries.iter().map(|entry| self.store(entry)).collect() }),
        };
        self.later(300_000, Arrival::Put(id, answer));
    }

    /// A line that carries one call after the other. A call that has no answer in its time is not carried to its end.
    fn put_through_line(&mut self, id: RequestId, request: &PutRecordsRequest, bytes_per_second: u32) {
        let entry_bytes = |entry: &PutRecordsEntry| entry.data.len().div_ceil(3) * 4 + 45;
        let bytes: usize = request.entries.iter().map(entry_bytes).sum();
        let takes = Duration::from_secs_f64(bytes as f64 / f64::from(bytes_per_second));
        let carried_at = self.line_free_at.max(self.now).plus(takes);
        let limit = self.now.plus(REQUEST_TIMEOUT).plus(request.transfer_time);
        if carried_at > limit {
            self.time_outs += 1;
            self.line_free_at = self.line_free_at.max(limit);
            let error = failure("Timeout", Doubt::MayHaveBeenWritten);
            return self.arrivals.push((limit, Arrival::Put(id, Err(error))));
        }
        self.line_free_at = carried_at;
        let entries = request.entries.iter().map(|entry| self.store(entry)).collect();
        let latency = Duration::from_micros(self.random.u64(1..300_000));
        self.arrivals.push((carried_at.plus(latency), Arrival::Put(id, Ok(PutRecordsResponse { entries }))));
    }

    fn store(&mut self, entry: &PutRecordsEntry) -> Result<EntryPlaced, EntryError> {
        let error = |code: &str| EntryError { code: code.into(), message: "".into() };
        match self.random.f64() {
            chance if chance < self.weather.entry_failures => {
                Err(error("ProvisionedThroughputExceededException"))
            }
            chance if chance < self.weather.entry_failures + self.weather.refusals => {
                Err(error("KMSDisabledException"))
            }
            _ => Ok(self.kinesis.store(entry)),
        }
    }

    fn later(&mut self, most_microseconds: u64, arrival: Arrival) {
        let delay = Duration::from_micros(self.random.u64(1..most_microseconds));
        self.arrivals.push((self.now.plus(delay), arrival));
    }

    fn finish(&mut self, finished: Finished<u64>) {
        let (record, stored) = match finished {
            Finished::Stored { record, .. } => (record, true),
            Finished::Failed { record, reason } => {
                if reason == FailureReason::Expired {
                    let ttl = self.config.record_ttl.expect("only mortal records expire");
                    for member in &record.members {
                        let age = self.now.since(member.arrival);
                        assert!(age >= ttl, "seed {}: given up after {age:?} of {ttl:?}", self.seed);
                    }
                }
                (record, false)
            }
        };
        let seed = self.seed;
        let (outcomes, seen) = (&mut self.outcomes, &self.kinesis.seen);
        record.for_each_member(|member, part| {
            assert_eq!(
                part.data[..8],
                member.tag.to_be_bytes(),
                "seed {seed}: an outcome for another record"
            );
            assert!(
                outcomes.insert(member.tag, stored).is_none(),
                "seed {seed}: two outcomes for {}",
                member.tag
            );
            assert!(
                !stored || seen.contains(&member.tag),
                "seed {seed}: {} told as stored, unseen",
                member.tag
            );
        });
    }

    fn check_flush(&mut self, flush: FlushId) {
        let place = self.flushes.iter().position(|(asked, _)| *asked == flush).expect("asked for");
        let (_, before) = self.flushes.remove(place);
        let waiting = (0..before).find(|number| !self.outcomes.contains_key(number));
        assert_eq!(waiting, None, "seed {}: flush ended before this record", self.seed);
        self.flushed += 1;
    }

    fn check(&mut self) {
        let outstanding = self.accepted.len() - self.outcomes.len();
        assert_eq!(self.pipeline.outstanding(), outstanding, "seed {}", self.seed);
        assert_eq!(
            self.pipeline.census(),
            outstanding,
            "seed {}: a record is in no stage or in two",
            self.seed
        );
        assert_eq!(self.pipeline.counted(), outstanding, "seed {}: each counts for one lane", self.seed);
        self.checks += 1;
        // It looks at every lane and call, so not every time.
        if self.checks.is_multiple_of(64) {
            self.check_snapshot(outstanding);
        }
    }

    fn check_snapshot(&mut self, outstanding: usize) {
        let shown = self.pipeline.snapshot(self.now);
        let finished = shown.user_records_stored + shown.user_records_failed;
        assert_eq!(shown.user_records_received, finished + outstanding as u64, "seed {}", self.seed);
        // Each record costs one byte of the budget here.
        assert_eq!((shown.outstanding_records, shown.outstanding_bytes), (outstanding, outstanding));
        while self.outcomes.contains_key(&self.oldest) {
            self.oldest += 1;
        }
        let arrival = self.accepted.get(&self.oldest);
        let age = arrival.map(|arrival| self.now.since(*arrival));
        // Where order is kept, records that come at the same moment are a nanosecond apart.
        let difference = shown.oldest_record_age.zip(age).map(|(shown, age)| shown.abs_diff(age));
        let is_right = shown.oldest_record_age.is_some() == age.is_some()
            && difference.unwrap_or_default() < Duration::from_micros(u64::from(self.weather.strict_order))
            || shown.oldest_record_age == age;
        assert!(is_right, "seed {}: record {} is {age:?} old, not {shown:?}", self.seed, self.oldest);
    }
}

fn failure(code: &str, doubt: Doubt) -> CallError {
    CallError { code: code.into(), message: "".into(), doubt }
}

#[cfg(test)]
mod documented_consumer;
#[cfg(test)]
mod tests;
