//! The chore of reading: one round over the files that are due, as the flow's machine gives them their turns.

use std::io;
use std::sync::Arc;

use super::handover::{Handover, Trouble};
use super::{DEAD_LETTER_PERIOD, FlowTask};
use crate::core::flow::{Pumped, Turn};
use crate::publisher::WantsRoom;
use crate::types::FileId;

impl FlowTask {
    /// Reads as long as there is room. A file that cannot be read does not keep the others from it; the first failure
    /// is answered.
    pub(super) fn go_round(&mut self) -> io::Result<()> {
        if self.is_blocked() {
            return Ok(());
        }
        let mut result = Ok(());
        self.flow.go_round(self.clock.now());
        while !self.is_blocked()
            && !self.inbox.is_stopped()
            && let Some(turn) = self.flow.next_turn()
        {
            match turn {
                Turn::Pump(file) => self.pump(file),
                Turn::Look(file) => match self.look(file) {
                    Ok(()) => self.note_cured(file),
                    Err(error) => {
                        self.put_off(file, &error);
                        result = result.and(Err(error));
                    }
                },
            }
        }
        result
    }

    /// Whether nothing may be read, of whatever file.
    pub(super) fn is_blocked(&self) -> bool {
        self.state.awaits_room || !self.state.retries.is_empty() || self.state.unwritten.is_full()
    }

    pub(super) fn pump(&mut self, file: FileId) {
        // Before the first line of a file is published the store knows how the file begins, because after a crash its copy
        // would not be recognised otherwise; and its origin, because ids would not be the same.
        if self.flow.name_origin(file) | self.flow.take_save_urgency() {
            self.save_now();
        }
        let Self { config, flow, publisher, dead_letters, clock, .. } = self;
        let batch = publisher.batch();
        let mut handover =
            Handover { config, batch, dead_letters, clock: *clock, wants_room: None, trouble: None };
        let expected_wait = |key: &str| publisher.expected_wait(key);
        let pumped = flow.pump(file, clock.wall_time_ms(), expected_wait, |record| handover.take(record));
        let Handover { wants_room, trouble, batch, .. } = handover;
        // What is gathered is on its way from here on.
        drop(batch);
        self.report_unmatched();
        match trouble {
            Some(Trouble::ProducerEnded) => self.state.has_failed = true,
            Some(Trouble::DeadLetter(error)) => {
                self.report_unwritten(&error);
                self.flow.suspend(file, self.clock.now().plus(DEAD_LETTER_PERIOD));
            }
            None if pumped == Pumped::Blocked => {
                self.flow.found_no_room(file, self.clock.now());
                self.await_room(wants_room.unwrap_or(WantsRoom::OfAnyShard(0)));
            }
            None => {}
        }
        self.report_without_id();
    }

    pub(super) fn await_room(&mut self, wants_room: WantsRoom) {
        self.state.awaits_room = true;
        let inbox = Arc::clone(&self.inbox);
        self.publisher.when_room(wants_room, move || inbox.has_room());
    }
}
