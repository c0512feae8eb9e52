//! One stream's machine: the only file that knows the order of the stages, and the way back from the retrier.
//!
//! Invariants: a record is in exactly one stage and gets exactly one outcome, never while a call that holds it is
//! in flight (abort excepted); a retry never extends a record's life; a flush waits for what was accepted before it
//! and for nothing later.

mod held;
mod in_order;
mod keyless;
mod listed;
mod shares;
mod view;
mod way;
mod way_back;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use self::held::Held;
use self::shares::Shares;
use crate::aggregation_format::AGGREGATE_PARTITION_KEY;
use crate::config::Config;
use crate::core::aggregator::Aggregator;
use crate::core::call_summary::CallSummary;
use crate::core::collector::Collector;
use crate::core::compressor::{BatchId, Compressor};
use crate::core::flushes::Flushes;
use crate::core::hot_keys::{HotKeys, HotShard};
use crate::core::last_error::LastError;
use crate::core::last_key::LastKey;
use crate::core::limiter::{Limiter, Limits, Unpredicted};
use crate::core::numbering::Numbering;
use crate::core::sender::Sender;
use crate::core::shard_map::ShardMap;
use crate::core::suspects::Suspects;
use crate::core::totals::Totals;
use crate::core::undecided::UndecidedAggregates;
use crate::incoming_record::IncomingRecord;
use crate::kinesis_record::{KinesisRecord, Member};
use crate::outcome::FailureReason;
use crate::put_records::{CallError, PutRecordsRequest, PutRecordsResponse, RecordDistributionStrategy};
use crate::types::{FlushId, Moment, RequestId, SequenceNumber, ShardId, StreamName};
use crate::user_record::RecordRef;

/// How much later than it could a record learns that it expired, when it waits for a call to become possible.
const EXPIRY_SLACK: Duration = Duration::from_millis(10);

/// Records or actions for which a buffer keeps its room.
pub(crate) const BUFFERED: usize = 1024;

/// What the pipeline sends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// A data stream: shards, predicted from ListShards.
    DataStream,
    /// A Firehose delivery stream: no shards, no keys, no aggregation.
    DeliveryStream,
}

impl Service {
    /// The operation that puts records.
    pub(crate) fn putting(self) -> &'static str {
        match self {
            Self::DataStream => "PutRecords",
            Self::DeliveryStream => "PutRecordBatch",
        }
    }
}

/// What the shell has to do.
#[derive(Debug)]
pub(crate) enum Action<T> {
    /// Make this call and bring its answer to [`Pipeline::put_records_done`].
    PutRecords(RequestId, PutRecordsRequest),
    /// Compress these and bring them to [`Pipeline::compressed`].
    Compress(BatchId, Vec<Bytes>),
    /// List these shards and bring them to [`Pipeline::shards_listed`].
    ListShards(ShardScope),
    /// Tell the records' owners.
    Finish(Finished<T>),
    /// Tell whoever asked for this flush.
    Flushed(FlushId),
    /// Say that the line to the service is the limit.
    LineIsLimit { bytes_per_second: u64 },
    /// Say which partition keys make this shard throttle.
    Warn(ShardId, HotShard),
}

/// Which shards a listing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShardScope {
    /// The open ones.
    Open,
    /// Those that closed a short while ago, too.
    WithRecentlyClosed,
}

/// Records that got their outcome.
#[derive(Debug)]
pub(crate) enum Finished<T> {
    /// They are stored.
    Stored { record: KinesisRecord<T>, shard_id: ShardId, sequence_number: SequenceNumber },
    /// They were given up.
    Failed { record: KinesisRecord<T>, reason: FailureReason },
}

/// The machine of one stream.
#[derive(Debug)]
pub(crate) struct Pipeline<T> {
    stream: StreamName,
    config: Config,
    collection_time: Duration,
    random: fastrand::Rng,
    /// Where the producer gives dedup ids by itself.
    numbering: Option<Numbering>,
    shards: ShardMap,
    last_key: LastKey,
    shares: Shares,
    held: Held<T>,
    undecided: UndecidedAggregates<T>,
    aggregator: Aggregator<T>,
    compressor: Compressor<T>,
    limiter: Limiter<T>,
    collector: Collector<T>,
    suspects: Suspects<T>,
    sender: Sender<T>,
    flushes: Flushes,
    actions: VecDeque<Action<T>>,
    totals: Totals,
    last_error: LastError,
    hot_keys: HotKeys,
    /// Where order is kept: the arrival of the youngest record.
    last_arrival: Moment,
    closing: bool,
    /// Kept for their buffers.
    closed: Vec<KinesisRecord<T>>,
    released: Vec<KinesisRecord<T>>,
}

// === impl Pipeline: inputs ===

impl<T> Pipeline<T> {
    /// The pipeline of `stream`, with the first ListShards already among its actions.
    pub(crate) fn new(stream: StreamName, service: Service, config: Config, seed: u64, now: Moment) -> Self {
        // An aggregate is an entry like any other, so it keeps to the stream's limit, its own key included.
        let aggregate_limit = config.max_user_record_size.saturating_sub(AGGREGATE_PARTITION_KEY.len());
        let aggregate_bytes = config.aggregation_max_size.min(aggregate_limit);
        let shards = match service {
            Service::DataStream => ShardMap::listing(now).configured(
                config.describe_stream_summary_interval,
                config.record_distribution_strategy_default,
            ),
            Service::DeliveryStream => ShardMap::off(),
        };
        let actions = match service {
            Service::DataStream => VecDeque::from([Action::ListShards(ShardScope::Open)]),
            Service::DeliveryStream => VecDeque::new(),
        };
        Self {
            stream,
            collection_time: config.collection_time(),
            random: fastrand::Rng::with_seed(seed),
            numbering: config
                .dedup_ids
                .then(|| Numbering::new(config.producer_id.clone().unwrap_or_default())),
            shards,
            last_key: LastKey::default(),
            shares: Shares::default(),
            held: Held::new(),
            undecided: UndecidedAggregates::new(),
            aggregator: Aggregator::new(config.aggregation_max_count, aggregate_bytes),
            compressor: Compressor::new(),
            limiter: Limiter::new(Limits {
                rate_limit: config.rate_limit,
                adaptive_rate: config.adaptive_rate,
                record_ttl: config.record_ttl,
                strict_order: config.strict_order,
                unpredicted: match service {
                    Service::DataStream => Unpredicted::Paced,
                    Service::DeliveryStream => Unpredicted::Free,
                },
            }),
            collector: Collector::new(config.collection_max_count, config.collection_max_size),
            // The SDK holds about three times a call's bytes while it is in flight.
            sender: Sender::new(config.max_connections, config.max_outstanding_bytes / 3),
            flushes: Flushes::new(),
            actions,
            totals: Totals::default(),
            last_error: LastError::none(service.putting()),
            hot_keys: HotKeys::default(),
            suspects: Suspects::new(),
            last_arrival: Moment::ORIGIN,
            closing: false,
            closed: Vec::new(),
            released: Vec::new(),
            config,
        }
    }

    /// Takes a record that was checked and for which there is room.
    pub(crate) fn accept<'a>(
        &mut self,
        record: impl Into<IncomingRecord<'a>>,
        tag: T,
        cost: u32,
        now: Moment,
    ) {
        let record = record.into();
        let epoch = self.flushes.accept();
        self.totals.received(cost);
        let arrival = self.arrival(now);
        let member = Member { tag, arrival, epoch, cost, lane: None, history: None };
        let numbering = self.numbering.as_mut().filter(|_| record.dedup_id.is_none());
        match numbering.map(Numbering::next) {
            Some(id) => {
                let numbered = RecordRef { dedup_id: Some(id.as_str()), ..*record };
                self.route(record.keyed_like(numbered), member, now);
            }
            None => self.route(record, member, now),
        }
    }

    /// Sends everything accepted so far as soon as the shards allow; [`Action::Flushed`] follows.
    pub(crate) fn flush(&mut self, now: Moment) -> FlushId {
        let flush = self.flushes.ask();
        self.hurry(now);
        self.report_flushes();
        flush
    }

    /// Like a flush that never ends: nothing waits for company any more.
    pub(crate) fn close(&mut self, now: Moment) {
        self.closing = true;
        self.hurry(now);
    }

    /// Somebody waits for room: sends what there is, unless a call is in flight, whose answer will make room. (Where
    /// the service is the bottleneck, closing aggregates early would only make them smaller, and the calls more.)
    pub(crate) fn press(&mut self, now: Moment) {
        if self.sender.is_idle() {
            self.flushes.hurry();
            self.hurry(now);
        }
    }

    /// Takes the answer to a PutRecords call. `None` when no such call is in flight.
    pub(crate) fn put_records_done(
        &mut self,
        id: RequestId,
        answer: &Result<PutRecordsResponse, CallError>,
        now: Moment,
    ) -> Option<CallSummary> {
        let call = self.sender.finish(id)?;
        let mut summary = CallSummary::of(&call, answer, now);
        self.totals.called(&summary);
        self.last_error.note_call(answer, &summary, now);
        let failed_before = self.totals.user_records_failed;
        match answer {
            Ok(response) if response.entries.len() == call.records.len() => {
                self.sender.answered(&call, now);
                for (record, result) in call.records.into_iter().zip(&response.entries) {
                    self.entry_done(record, result, call.started, now);
                }
            }
            Ok(response) => {
                let error = CallError::miscounted(response.entries.len(), call.records.len());
                self.call_failed(call, &error, now);
            }
            Err(error) => self.call_failed(call, error, now),
        }
        let given_up = self.totals.user_records_failed - failed_before;
        summary.user_records_given_up = usize::try_from(given_up).unwrap_or(usize::MAX);
        Some(summary)
    }

    /// Takes back what was to be compressed: the new data of each, or `None` where it is to be sent as it is. Of a
    /// batch that failed there is nothing.
    pub(crate) fn compressed(&mut self, id: BatchId, data: Vec<Option<Bytes>>, now: Moment) {
        for record in self.compressor.finish(id, data) {
            self.limit_one(record, now);
        }
        self.start_compressing();
    }

    /// Lets everything happen that is due. To be called after every input and at every wake-up.
    pub(crate) fn advance(&mut self, now: Moment) {
        loop {
            self.step(now);
            // What expired may have been taken apart, and its parts be due at once.
            if self.stages_wakeup() > now {
                return;
            }
        }
    }

    fn step(&mut self, now: Moment) {
        self.release_held(now);
        self.decide_overdue(now);
        let mut closed = std::mem::take(&mut self.closed);
        let collection_time = self.collection_time;
        self.aggregator.close_due(now, |close| close.plus(collection_time), &mut closed);
        self.limit(&mut closed, now);
        self.closed = closed;

        let (mut released, mut expired) = (std::mem::take(&mut self.released), Vec::new());
        self.limiter.release(now, &mut released, &mut expired);
        for record in released.drain(..) {
            self.collect(record, now);
        }
        released.shrink_to(BUFFERED);
        self.released = released;
        if let Some(ttl) = self.config.record_ttl {
            for record in self.collector.take_expired(|arrival| arrival.plus(ttl) <= now) {
                self.limiter.landed(&record, now);
                expired.push(record);
            }
        }
        for record in expired {
            self.expire(record, now);
        }
        self.send(now);
    }

    /// Gives up everything that has no outcome yet.
    pub(crate) fn abort(&mut self, now: Moment) {
        let mut leftovers = Vec::new();
        self.aggregator.close_all(now, &mut leftovers);
        leftovers.extend(self.compressor.drain_all());
        leftovers.extend(self.limiter.drain_all());
        leftovers.extend(self.collector.drain_all());
        leftovers.extend(self.suspects.drain_all());
        leftovers.extend(self.held.drain_all(now));
        let unconfirmed = self.undecided.take().into_iter().map(|undecided| undecided.record);
        for mut record in self.sender.drain_all().into_iter().chain(unconfirmed) {
            record.history.may_have_been_written = true;
            leftovers.push(record);
        }
        for record in leftovers {
            self.finish(Finished::Failed { record, reason: FailureReason::Aborted });
        }
    }
}

// === impl Pipeline: what the shell asks ===

impl<T> Pipeline<T> {
    /// Everything that there is to do, in order. `done` is an emptied queue, to be filled next.
    pub(crate) fn take_actions(&mut self, done: VecDeque<Action<T>>) -> VecDeque<Action<T>> {
        std::mem::replace(&mut self.actions, done)
    }

    /// The next thing to do.
    #[cfg(test)]
    pub(crate) fn next_action(&mut self) -> Option<Action<T>> {
        self.actions.pop_front()
    }

    /// When [`Pipeline::advance`] has something to do without a new input. In the past: at once.
    pub(crate) fn next_wakeup(&self) -> Moment {
        if !self.actions.is_empty() {
            return Moment::ORIGIN;
        }
        self.stages_wakeup()
    }

    fn stages_wakeup(&self) -> Moment {
        let room_at = self.sender.room_at();
        let send = match self.collector.is_empty() {
            _ if !self.suspects.is_empty() => room_at,
            true => Moment::NEVER,
            false
                if self.closing
                    || self.collector.ready(self.sender.call_bytes(), Moment::ORIGIN).is_some() =>
            {
                room_at
            }
            false => room_at.max(self.collector.next_wakeup()),
        };
        // Looking a little late finds many that expired together.
        let expire = self.expiration(self.collector.oldest_arrival()).plus(EXPIRY_SLACK);
        self.held
            .next_wakeup()
            .min(self.undecided.next_wakeup())
            .min(self.aggregator.next_wakeup())
            .min(self.limiter.next_wakeup())
            .min(send)
            .min(expire)
    }

    /// Open shards, as far as they are known.
    pub(crate) fn open_shards(&self) -> usize {
        self.shards.open_shards()
    }

    /// How the service chooses a record's shard, as far as anybody said.
    pub(crate) fn strategy(&self) -> Option<RecordDistributionStrategy> {
        self.shards.strategy()
    }

    /// Records without an outcome.
    pub(crate) fn outstanding(&self) -> usize {
        self.flushes.outstanding()
    }

    /// Records in each place where they can be; for the invariant that they are in exactly one.
    #[cfg(test)]
    pub(crate) fn census(&self) -> usize {
        self.held.members()
            + self.undecided.members()
            + self.aggregator.members()
            + self.compressor.members()
            + self.limiter.members()
            + self.collector.members()
            + self.suspects.members()
            + self.sender.members()
    }
}

#[cfg(test)]
mod tests;
