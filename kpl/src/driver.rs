//! One stream's task: waits for one input, hands it to the pipeline, performs the actions. It decides nothing.
//!
//! Callers hand records to the pipeline themselves, under its lock, and wake the task only when there is something
//! to do earlier than it would look.
//!
//! Invariant: whatever ends the task, every record that the pipeline holds gets an outcome.

mod accept;
mod calls;
mod settle;
mod spent;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot, watch};
use tracing::Instrument as _;

pub(crate) use self::accept::Caller;
use self::accept::UnusedParts;
use self::calls::{Answer, Calls, Purpose};
use self::settle::Settled;
use self::spent::Spent;
use crate::call_log::CallLog;
use crate::clock::Clock;
use crate::compression::compress;
use crate::control_plane::ShardLister;
use crate::core::hot_keys::HotShard;
use crate::core::pipeline::{Action, BUFFERED, Pipeline};
use crate::delivery::{OutcomeSink, Places, Ticket};
use crate::permits::Account;
use crate::put_records::{
    CallError, PutRecordsEntry, PutRecordsResponse, RecordDistributionStrategy, ShardListing,
};
use crate::reporter::{Reporter, guarded};
use crate::snapshot::StreamSnapshot;
use crate::transport::Transport;
use crate::types::{FlushId, Moment, RequestId, ShardId, StreamName};

/// What the callers and the task of one stream share.
#[derive(Debug)]
pub(crate) struct StreamShared {
    pub(crate) stream: StreamName,
    pub(crate) account: Account,
    machine: Mutex<Machine>,
    /// What callers know without the lock of the parts that the stream's lanes do not use.
    unused_parts: UnusedParts,
    /// Whether a caller was refused for its record's lane alone, and one may ask for room without naming its lane.
    refused_for_lane: AtomicBool,
    /// Whether some shard is held back, for callers to know without the lock.
    holds_back: AtomicBool,
    /// Whether the stream is known to place records by their partition keys; also for callers without the lock.
    follows_keys: AtomicBool,
    wake: Notify,
    clock: Clock,
}

/// The pipeline and what belongs under its lock.
#[derive(Debug)]
struct Machine {
    pipeline: Pipeline<Ticket>,
    places: Places,
    /// When the task will look next; callers wake it only for something earlier.
    looks_at: Moment,
    life: Life,
    /// What was last reported of records received and pending.
    reported: (u64, usize),
    flushes: HashMap<FlushId, oneshot::Sender<()>>,
    spent: Spent,
}

/// How far a stream's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Records are taken.
    Open,
    /// Records are refused; those inside are being sent.
    Closing,
    /// Records are refused, and those inside are to be given up.
    Aborting,
    /// The task is gone and the pipeline is empty; no action is performed any more.
    Ended,
}

/// The producer does not take records any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

/// What one stream's task works with.
pub(crate) struct Driver {
    pub(crate) shared: Arc<StreamShared>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) lister: ShardLister,
    pub(crate) reporter: Reporter,
    pub(crate) log: CallLog,
    pub(crate) outcomes: Arc<dyn OutcomeSink>,
    pub(crate) ended: watch::Sender<bool>,
}

// === impl StreamShared ===

impl StreamShared {
    pub(crate) fn new(
        stream: StreamName,
        account: Account,
        pipeline: Pipeline<Ticket>,
        clock: Clock,
    ) -> Self {
        let machine = Machine {
            pipeline,
            places: Places::default(),
            looks_at: Moment::NEVER,
            life: Life::Open,
            reported: (0, 0),
            flushes: HashMap::new(),
            spent: Spent::default(),
        };
        let follows_keys = AtomicBool::new(machine.pipeline.follows_keys());
        Self {
            stream,
            account,
            machine: Mutex::new(machine),
            unused_parts: UnusedParts::default(),
            refused_for_lane: AtomicBool::new(false),
            holds_back: AtomicBool::new(false),
            follows_keys,
            wake: Notify::new(),
            clock,
        }
    }

    /// Asks for a flush; the receiver hears of its end, or of the task's.
    pub(crate) fn flush(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.with_machine(|machine, now| {
            // After the end there is nothing to wait for; dropping the sender says so.
            if machine.life != Life::Ended {
                let flush = machine.pipeline.flush(now);
                machine.flushes.insert(flush, sender);
            }
        });
        receiver
    }

    /// Refuses records from now on and sends what there is.
    pub(crate) fn close(&self) {
        self.with_machine(|machine, now| {
            if machine.life == Life::Open {
                machine.life = Life::Closing;
                machine.pipeline.close(now);
            }
        });
        self.wake.notify_one();
    }

    /// Refuses records from now on and gives up those inside.
    pub(crate) fn abort(&self) {
        self.with_machine(|machine, _| {
            if machine.life != Life::Ended {
                machine.life = Life::Aborting;
            }
        });
        self.wake.notify_one();
    }

    /// Refuses records from now on, for a stream without a task.
    pub(crate) fn end(&self) {
        self.lock().life = Life::Ended;
    }

    /// Whether records are still taken.
    pub(crate) fn check_open(&self) -> Result<(), Closed> {
        self.lock().check_open()
    }

    /// Whether the stream is known to place records by their partition keys, so that each needs one.
    pub(crate) fn follows_keys(&self) -> bool {
        self.follows_keys.load(Ordering::Relaxed)
    }

    /// How long a record with this key that comes now would wait for its shard.
    pub(crate) fn expected_wait(&self, partition_key: &str) -> Duration {
        if !self.holds_back.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        self.lock().pipeline.expected_wait(partition_key, self.clock.now())
    }

    /// The stream's state in numbers.
    pub(crate) fn snapshot(&self) -> StreamSnapshot {
        self.lock().pipeline.snapshot(self.clock.now())
    }

    /// Leaves memory to the callers as long as there are more of their records; answers whether there are.
    fn free_later(&self, mut spent: Spent) -> bool {
        let mut machine = self.lock();
        let is_busy = machine.pipeline.outstanding() > 0;
        let mut unused = Spent::default();
        if is_busy {
            machine.spent.take_over(&mut spent);
        } else {
            std::mem::swap(&mut machine.spent, &mut unused);
        }
        // What is freed here is freed without the lock.
        drop(machine);
        drop((spent, unused));
        is_busy
    }

    fn with_machine<R>(&self, act: impl FnOnce(&mut Machine, Moment) -> R) -> R {
        let mut machine = self.lock();
        let answer = act(&mut machine, self.clock.now());
        let due = machine.pipeline.next_wakeup();
        let earlier = due < machine.looks_at;
        if earlier {
            machine.looks_at = due;
        }
        drop(machine);
        if earlier {
            self.wake.notify_one();
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine {
    fn check_open(&self) -> Result<(), Closed> {
        if self.life == Life::Open { Ok(()) } else { Err(Closed) }
    }

    /// Records received since this was last asked, and those pending if their number has changed.
    fn changes(&mut self) -> (u64, Option<usize>) {
        let (received, pending) = (self.pipeline.received(), self.pipeline.outstanding());
        let before = std::mem::replace(&mut self.reported, (received, pending));
        (received - before.0, (received != before.0 || pending != before.1).then_some(pending))
    }
}

// === impl Driver ===

impl Driver {
    /// Runs until the stream is closed and every record has its outcome.
    pub(crate) async fn run(self) {
        let (mut calls, mut actions) = (Calls::default(), VecDeque::new());
        self.log.started();
        loop {
            self.report_changes();
            let (looks_at, finished) = self.advance(&mut actions);
            self.perform_all(&mut actions, &mut calls);
            if finished {
                return; // the drop below tells whoever waits
            }
            tokio::select! {
                () = self.shared.wake.notified() => {}
                Some(answer) = calls.next() => self.answered(answer, &mut calls),
                () = self.shared.clock.sleep_until(looks_at) => {}
            }
        }
    }

    fn advance(&self, actions: &mut VecDeque<Action<Ticket>>) -> (Moment, bool) {
        let mut machine = self.shared.lock();
        machine.pipeline.advance(self.shared.clock.now());
        *actions = machine.pipeline.take_actions(std::mem::take(actions));
        machine.looks_at = machine.pipeline.next_wakeup();
        self.shared.holds_back.store(machine.pipeline.holds_back(), Ordering::Relaxed);
        self.shared.publish_unused_parts(&mut machine);
        let finished = match machine.life {
            Life::Open => false,
            Life::Closing => machine.pipeline.outstanding() == 0,
            Life::Aborting | Life::Ended => true,
        };
        (machine.looks_at, finished)
    }

    /// Room is given back, and the end of flushes told, when all outcomes are delivered: of many records that expire
    /// together, the outcomes and what takes their place would else be in memory at once.
    fn perform_all(&self, actions: &mut VecDeque<Action<Ticket>>, calls: &mut Calls) {
        let (mut settled, mut told, mut flushed) = (Settled::default(), None, Vec::new());
        let mut spent = Spent::default();
        for action in actions.drain(..) {
            match action {
                Action::Finish(finished) => settled.add(self.settle(finished, &mut told, &mut spent)),
                Action::Flushed(flush) => {
                    self.log.flushed();
                    flushed.push(flush);
                }
                action => self.perform(action, calls),
            }
        }
        actions.shrink_to(BUFFERED);
        self.give_back(settled);
        if settled.user_records > 0 && !self.shared.free_later(spent) {
            guarded(|| self.transport.rest());
        }
        for flush in flushed {
            let waiter = self.shared.lock().flushes.remove(&flush);
            // Whoever asked may have stopped waiting.
            let _ = waiter.map(|waiter| waiter.send(()));
        }
    }

    fn give_back(&self, settled: Settled) {
        if settled.user_records > 0 {
            guarded(|| self.outcomes.told());
            self.shared.account.give_back(settled.bytes, settled.user_records);
        }
    }

    fn perform(&self, action: Action<Ticket>, calls: &mut Calls) {
        match action {
            Action::PutRecords(id, request) => {
                // Called inside the task, so that a transport that panics fails its call and nothing else.
                let transport = Arc::clone(&self.transport);
                let bytes = request.entries.iter().map(encoded_bytes).sum();
                let copies = self.shared.account.copies(bytes);
                let span = self.log.put_span(request.entries.len(), bytes);
                let call = async move {
                    let _held_until_the_answer = copies;
                    Answer::PutRecords(id, transport.put_records(request).await)
                };
                calls.start(Purpose::PutRecords(id), call.instrument(span));
            }
            Action::Compress(id, blobs) => {
                calls.start(Purpose::Compress(id), async move {
                    Answer::Compressed(id, compress_all(blobs).await)
                });
            }
            Action::ListShards(scope) => {
                let (lister, transport) = (self.lister.clone(), Arc::clone(&self.transport));
                let stream = self.shared.stream.clone();
                let span = self.log.list_span();
                let call = async move { Answer::Shards(lister.list(transport, stream, scope).await) };
                calls.start(Purpose::ListShards, call.instrument(span));
            }
            Action::LineIsLimit { bytes_per_second } => self.warn_of_slow_line(bytes_per_second),
            Action::Warn(shard_id, report) => self.warn_of_hot_shard(&shard_id, &report),
            Action::Finish(_) | Action::Flushed(_) => {} // done by the caller
        }
    }

    /// Takes this answer and all others that are there already.
    fn answered(&self, first: Answer, calls: &mut Calls) {
        let mut next = Some(first);
        while let Some(answer) = next {
            match answer {
                Answer::PutRecords(id, answer) => self.put_records_answered(id, &answer),
                Answer::Compressed(id, data) => {
                    self.shared.lock().pipeline.compressed(id, data, self.shared.clock.now());
                }
                Answer::Shards(listing) => self.shards_listed(&listing),
            }
            next = calls.ready();
        }
    }

    fn shards_listed(&self, listing: &Result<ShardListing, CallError>) {
        let moment = self.shared.clock.now();
        let mut machine = self.shared.lock();
        let (before, shards_before) = (machine.pipeline.strategy(), machine.pipeline.open_shards());
        machine.pipeline.shards_listed(listing, moment);
        let (now, shards_after) = (machine.pipeline.strategy(), machine.pipeline.open_shards());
        self.shared.follows_keys.store(machine.pipeline.follows_keys(), Ordering::Relaxed);
        drop(machine);
        // Records that wait for room may be other lanes' now.
        self.shared.account.wake();
        self.log.listed(listing, (shards_before, shards_after), moment);
        let stream = &self.shared.stream;
        match now {
            _ if now == before => {}
            Some(RecordDistributionStrategy::Auto) => tracing::warn!(
                %stream,
                "the service distributes this stream's records itself (AUTO): they are not aggregated, because consumers would drop the aggregates"
            ),
            None | Some(RecordDistributionStrategy::UserPartitionKey) if before.is_none() => {}
            None | Some(RecordDistributionStrategy::UserPartitionKey) => {
                tracing::info!(%stream, "the stream's records follow their partition keys again");
            }
        }
    }

    fn put_records_answered(&self, id: RequestId, answer: &Result<PutRecordsResponse, CallError>) {
        let now = self.shared.clock.now();
        let (entries, summary) = {
            let mut machine = self.shared.lock();
            let entries = match self.reporter.hears_kinesis_records() {
                true => machine.pipeline.entries_of(id),
                false => Vec::new(),
            };
            (entries, machine.pipeline.put_records_done(id, answer, now))
        };
        let Some(summary) = summary else { return };
        self.log.put_ended(&summary, answer, now);
        if self.reporter.is_heard() {
            self.reporter.call_ended(&self.shared.stream, &entries, &summary, answer);
        }
    }

    fn report_changes(&self) {
        if self.reporter.is_heard() {
            let (received, pending) = self.shared.lock().changes();
            self.reporter.changed(&self.shared.stream, received, pending);
        }
    }

    fn warn_of_slow_line(&self, bytes_per_second: u64) {
        tracing::warn!(
            stream = %self.shared.stream,
            "the connection to the service is the limit: it carries about {} KB/s, and records are waiting for it; use a \
             faster connection, send less, or aggregate or compress (reported once a minute)",
            bytes_per_second / 1000
        );
    }

    fn warn_of_hot_shard(&self, shard: &ShardId, report: &HotShard) {
        let HotShard { heaviest, user_records, .. } = report;
        let keys: Vec<_> = heaviest
            .iter()
            .map(|key| format!("{:?} ({} records)", key.partition_key, key.user_records))
            .collect();
        tracing::warn!(
            stream = %self.shared.stream,
            %shard,
            "the shard throttles, and of {user_records} throttled records most are of few partition keys: {}; spread them, or split the shard",
            keys.join(", ")
        );
        self.reporter.hot_shard(&self.shared.stream, shard, heaviest);
    }
}

impl Drop for Driver {
    /// However the task ends (its runtime may be shutting down), nobody waits for ever.
    fn drop(&mut self) {
        self.report_changes();
        let actions = {
            let mut machine = self.shared.lock();
            machine.life = Life::Ended;
            machine.pipeline.abort(self.shared.clock.now());
            machine.flushes.clear();
            machine.spent = Spent::default();
            machine.pipeline.take_actions(VecDeque::new())
        };
        let (mut settled, mut told, mut spent) = (Settled::default(), None, Spent::default());
        for action in actions {
            if let Action::Finish(finished) = action {
                settled.add(self.settle(finished, &mut told, &mut spent));
            }
        }
        // Perhaps those of a round that ended in a panic.
        guarded(|| self.outcomes.told());
        self.give_back(settled);
        self.report_changes();
        self.log.ended(&self.shared.snapshot());
        // Whoever waits for room in this stream has to hear that there will be no stream.
        self.shared.account.wake();
        let _ = self.ended.send(true);
    }
}

/// Compresses on a thread for such work: a batch takes milliseconds, which would hold up the tasks of others.
async fn compress_all(blobs: Vec<Bytes>) -> Vec<Option<Bytes>> {
    let work = move || blobs.iter().map(|data| compress(data)).collect();
    // A failure leaves the records as they are.
    tokio::task::spawn_blocking(work).await.unwrap_or_default()
}

/// Bytes that the SDK makes of an entry: base64, keys and punctuation.
fn encoded_bytes(entry: &PutRecordsEntry) -> usize {
    const AROUND: usize = 128;
    entry.data.len().div_ceil(3) * 4 + entry.partition_key.len() + AROUND
}
