//! One pump's records on their way out: to the producer, or into the dead-letter file.
//!
//! Invariant: a record counts as dead-lettered only when its letter is on the disk.

use kpl::RecordRef;

use crate::clock::Clock;
use crate::config::{FlowConfig, PartitionKeyOption, RefusedPolicy};
use crate::core::flow::{Publish, Record};
use crate::dead_letter::{DeadLetter, INVALID, OVER_LIMIT};
use crate::dead_letter_file::{DeadLetterError, DeadLetterFile};
use crate::publisher::{Batch, Published, WantsRoom};

/// Takes a pump's records.
pub(super) struct Handover<'a> {
    pub(super) config: &'a FlowConfig,
    pub(super) batch: Batch,
    pub(super) dead_letters: &'a DeadLetterFile,
    pub(super) clock: Clock,
    /// The record that found no room.
    pub(super) wants_room: Option<WantsRoom>,
    /// Why the pump was ended, if it was not for want of room.
    pub(super) trouble: Option<Trouble>,
}

/// What ends a pump besides want of room.
pub(super) enum Trouble {
    /// The producer has ended.
    ProducerEnded,
    /// A dead letter could not be written.
    DeadLetter(DeadLetterError),
}

impl Handover<'_> {
    pub(super) fn take(&mut self, record: Record<'_>) -> Publish {
        let dedup_id = record.dedup_id;
        if record.is_over_limit {
            let message = format!("{} bytes are more than a record may have", record.data.len());
            return self.dead_letter(record, OVER_LIMIT, message);
        }
        let to_send = RecordRef { dedup_id, ..RecordRef::new(record.partition_key, record.data) };
        match self.batch.publish(record.tag.to_number(), to_send) {
            Published::Accepted => Publish::Accepted,
            Published::Full => {
                let bytes = record.data.len() + record.partition_key.len() + dedup_id.map_or(0, str::len);
                self.wants_room = Some(match self.config.partition_key_option {
                    PartitionKeyOption::Random => WantsRoom::OfAnyShard(bytes),
                    PartitionKeyOption::Deterministic => to_send.into(),
                });
                Publish::Full
            }
            Published::Ended => {
                self.trouble = Some(Trouble::ProducerEnded);
                Publish::Full
            }
            Published::Invalid(problem) => match self.config.record_policies.refused {
                RefusedPolicy::DeadLetter => self.dead_letter(record, INVALID, problem.to_string()),
                RefusedPolicy::StopFile => {
                    tracing::error!(
                        flow = self.config.id,
                        path = %record.path.display(),
                        offset = record.offset,
                        %problem,
                        "a record can never be sent: its file is stopped at it (refusedRecordPolicy)"
                    );
                    Publish::Stopped
                }
            },
        }
    }

    fn dead_letter(&mut self, record: Record<'_>, code: &str, message: String) -> Publish {
        let letter = DeadLetter {
            file: record.path.display().to_string(),
            offset: record.offset,
            length: record.length,
            code: code.to_owned(),
            message,
            attempts: 0,
            data: record.data,
        };
        let mut lines = Vec::new();
        letter.write_line(&self.config.destination, self.clock.wall_time_ms(), &mut lines);
        match self.dead_letters.append(&lines) {
            Ok(()) => Publish::DeadLettered,
            Err(error) => {
                self.trouble = Some(Trouble::DeadLetter(error));
                Publish::Full
            }
        }
    }
}
