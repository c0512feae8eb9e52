//! Callers hand records over: room is taken for a record's lane, and the pipeline takes the record, under one lock.
//!
//! Invariant: a record that is not accepted took nothing; of a lane in which callers wait, callers who can wait take
//! nothing before them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::{Closed, Machine, StreamShared};
use crate::core::room::{Claim, Room};
use crate::delivery::{Delivery, Ticket};
use crate::incoming_record::IncomingRecord;
use crate::permits::{Full, Queue, Refused};
use crate::types::{Lane, Moment};
use crate::user_record::RecordRef;

/// See [`StreamShared::patience`].
const PATIENCE: Duration = Duration::from_millis(20);

/// How a caller behaves that finds no room.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// It takes its record back.
    Leaves,
    /// It will wait in its lane's queue.
    WillWait,
    /// It is its turn in that queue; this rings when there may be room.
    InTurn(&'a Arc<Notify>),
}

/// The parts that a stream's lanes do not use, as they were when the pipeline was looked at last.
#[derive(Debug, Default)]
pub(super) struct UnusedParts {
    bytes: AtomicUsize,
    records: AtomicUsize,
}

impl StreamShared {
    /// Takes room for a record and hands it over; a future reports its outcome.
    pub(crate) fn accept(
        &self,
        record: IncomingRecord<'_>,
        cost: u32,
        caller: Caller<'_>,
    ) -> Result<Delivery, Refused> {
        self.with_machine(|machine, now| {
            self.take_room(machine, &record, cost, caller, now)?;
            Ok(machine.accept(record, cost, now))
        })
    }

    /// The same; the outcome is reported with a tag.
    pub(crate) fn accept_tagged(&self, record: RecordRef<'_>, cost: u32, tag: u64) -> Result<(), Refused> {
        self.with_machine(|machine, now| {
            self.take_room(machine, &record, cost, Caller::Leaves, now)?;
            machine.accept_ticket(record.into(), Ticket::Tagged(tag), cost, now);
            Ok(())
        })
    }

    /// Hands a record over for which `taken` was taken without naming its lane.
    pub(crate) fn accept_permitted(
        &self,
        record: RecordRef<'_>,
        taken: u32,
        cost: u32,
    ) -> Result<Delivery, Refused> {
        self.with_machine(|machine, now| {
            machine.check_open()?;
            let claim = self.claim(machine, &record, cost).1;
            self.account.resize(taken, cost, claim).map_err(|full| {
                self.note_refusal(&full);
                Refused::Full(full)
            })?;
            Ok(machine.accept(record.into(), cost, now))
        })
    }

    /// Hands many records over for which room was taken by [`StreamShared::take_to_gather`], with the tags of
    /// their outcomes.
    pub(crate) fn accept_gathered<'a>(
        &self,
        records: impl Iterator<Item = (RecordRef<'a>, u32, u64)>,
    ) -> Result<(), Closed> {
        self.with_machine(|machine, now| {
            machine.check_open()?;
            for (record, cost, tag) in records {
                machine.accept_ticket(record.into(), Ticket::Tagged(tag), cost, now);
            }
            self.publish_unused_parts(machine);
            Ok(())
        })
    }

    /// Takes room for a record without a look at its lane. There is some only as long as no lane can be refused.
    pub(crate) fn take_to_gather(&self, cost: u32) -> Result<(), Full> {
        let left_for_others = self.unused_parts.load();
        self.account.take_now(cost, Claim::Common { left_for_others }, None)
    }

    /// Takes room for a record of whatever lane.
    pub(crate) fn take_unplaced(&self, cost: u32, caller: Caller<'_>) -> Result<(), Refused> {
        let Err(full) = self.take(cost, None, Claim::UNPLACED, caller) else { return Ok(()) };
        self.with_machine(|machine, now| {
            machine.check_open()?;
            machine.pipeline.press(now);
            Err(Refused::Full(full))
        })
    }

    /// Takes room for this record, without handing it over.
    pub(crate) fn take_for(
        &self,
        record: &RecordRef<'_>,
        cost: u32,
        caller: Caller<'_>,
    ) -> Result<(), Refused> {
        self.with_machine(|machine, now| self.take_room(machine, record, cost, caller, now))
    }

    /// Whether some caller was refused for its record's lane since this was last asked.
    pub(crate) fn was_refused_for_lane(&self) -> bool {
        self.refused_for_lane.swap(false, Ordering::Relaxed)
    }

    /// Lasts as long as a caller waits for a change who was refused for its record's lane, and now asks for room without
    /// naming it: it may find room that is not for its record, and would spin.
    pub(crate) fn patience(&self) -> impl Future<Output = ()> + Send + 'static {
        let clock = self.clock;
        async move { clock.sleep_until(clock.now().plus(PATIENCE)).await }
    }

    pub(super) fn publish_unused_parts(&self, machine: &mut Machine) {
        self.unused_parts.store(machine.pipeline.unused_parts(self.account.own_part()));
    }

    fn take_room(
        &self,
        machine: &mut Machine,
        record: &RecordRef<'_>,
        cost: u32,
        caller: Caller<'_>,
        now: Moment,
    ) -> Result<(), Refused> {
        machine.check_open()?;
        let (lane, claim) = self.claim(machine, record, cost);
        self.take(cost, Some(lane), claim, caller).map_err(|full| {
            if let Caller::Leaves = caller {
                self.note_refusal(&full);
            }
            machine.pipeline.press(now);
            Refused::Full(full)
        })
    }

    fn take(&self, cost: u32, queue: Queue, claim: Claim, caller: Caller<'_>) -> Result<(), Full> {
        let taken = match caller {
            Caller::WillWait if self.account.has_queue(queue) => Err(Full::default()),
            Caller::InTurn(changed) => self.account.take_now(cost, claim, Some(changed)),
            Caller::Leaves | Caller::WillWait => self.account.take_now(cost, claim, None),
        };
        taken.map_err(|full| Full { queue, ..full })
    }

    fn claim(&self, machine: &mut Machine, record: &RecordRef<'_>, cost: u32) -> (Lane, Claim) {
        let lane = machine.pipeline.lane_of(record);
        (lane, machine.pipeline.claim(lane, cost, self.account.own_part()))
    }

    fn note_refusal(&self, full: &Full) {
        if full.is_the_lanes {
            self.refused_for_lane.store(true, Ordering::Relaxed);
        }
    }
}

impl Machine {
    fn accept(&mut self, record: IncomingRecord<'_>, cost: u32, now: Moment) -> Delivery {
        let (ticket, delivery) = self.places.next();
        self.accept_ticket(record, ticket, cost, now);
        delivery
    }

    fn accept_ticket(&mut self, record: IncomingRecord<'_>, ticket: Ticket, cost: u32, now: Moment) {
        drop(self.spent.next());
        self.pipeline.accept(record, ticket, cost, now);
    }
}

impl UnusedParts {
    fn load(&self) -> Room {
        let (bytes, records) = (self.bytes.load(Ordering::Relaxed), self.records.load(Ordering::Relaxed));
        Room { bytes, records }
    }

    fn store(&self, room: Room) {
        self.bytes.store(room.bytes, Ordering::Relaxed);
        self.records.store(room.records, Ordering::Relaxed);
    }
}

impl From<Closed> for Refused {
    fn from(Closed: Closed) -> Self {
        Self::Closed
    }
}
