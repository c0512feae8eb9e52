//! Records that the service refused for themselves: into the dead-letter file with them, or the end for their file.
//!
//! Invariant: a span is closed only when its letter is on the disk. A letter that cannot be written is kept and written
//! later; nothing is read meanwhile of the files of such letters, and of no file when there are many.

use kpl::UserRecordFailed;

use super::{DEAD_LETTER_PERIOD, FlowTask};
use crate::config::RefusedPolicy;
use crate::dead_letter::DeadLetter;
use crate::dead_letter_file::DeadLetterError;
use crate::types::{FileId, Moment, RecordTag};

/// Bytes of letters that are written at once; more only for a single one.
const BATCH_BYTES: usize = 8 << 20;

/// Bytes of unwritten letters' records above which the whole flow waits. What is under way then may still be refused.
const UNWRITTEN_BYTES: usize = 1 << 20;

/// A record that was not stored, and the tag under which it was published.
type Failed = (u64, UserRecordFailed);

/// Refused records whose letters could not be written.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    refused: Vec<Failed>,
    bytes: usize,
    /// When to try again.
    due: Moment,
}

impl Unwritten {
    /// When to try again; never, if there are none.
    pub(super) fn due(&self) -> Moment {
        if self.refused.is_empty() { Moment::NEVER } else { self.due }
    }

    /// Whether there are so many that no more should come.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= UNWRITTEN_BYTES
    }

    /// The files of these records.
    pub(super) fn files(&self) -> impl Iterator<Item = FileId> {
        self.refused.iter().map(|(tag, _)| RecordTag::from_number(*tag).file)
    }

    fn keep(&mut self, refused: Vec<Failed>, due: Moment) {
        self.bytes += refused.iter().map(|(_, failed)| failed.record().data.len()).sum::<usize>();
        self.refused.extend(refused);
        self.due = due;
    }
}

impl FlowTask {
    /// Does away with what is refused for good; answers the others, which are to be sent again.
    pub(super) fn settle_refused(&mut self, failed: Vec<Failed>) -> Vec<Failed> {
        let judge = &self.state.refusals;
        let (mut refused, mut others): (Vec<_>, Vec<_>) = failed.into_iter().partition(|(_, failed)| {
            judge.is_of_record(failed.reason(), last_error(failed).map(|(code, _)| code))
        });
        others.extend(refused.split_off(refused.len().min(judge.most())));
        match self.config.record_policies.refused {
            RefusedPolicy::DeadLetter => {
                self.dead_letter(refused);
                others
            }
            RefusedPolicy::StopFile => {
                self.state.refusals.given_up(refused.len());
                refused
                    .into_iter()
                    .for_each(|(tag, failed)| self.stop_at(RecordTag::from_number(tag), &failed));
                others
            }
        }
    }

    /// Tries again to write the letters that could not be written, if it is time.
    pub(super) fn write_unwritten(&mut self) {
        if self.state.unwritten.due() <= self.clock.now() {
            let refused = std::mem::take(&mut self.state.unwritten).refused;
            self.dead_letter(refused);
        }
    }

    /// Writes letters; keeps those that cannot be written, and lets their files wait.
    fn dead_letter(&mut self, mut refused: Vec<Failed>) {
        while !refused.is_empty() {
            let (written, result) = self.write_letters(&refused);
            if let Err(error) = result {
                self.report_unwritten(&error);
                let due = self.clock.now().plus(DEAD_LETTER_PERIOD);
                self.state.unwritten.keep(refused, due);
                self.state.unwritten.files().for_each(|file| self.flow.suspend(file, due));
                return;
            }
            self.state.refusals.given_up(written);
            for (tag, failed) in refused.drain(..written) {
                self.flow.dead_lettered(RecordTag::from_number(tag));
                tracing::debug!(flow = self.config.id, "dead-lettered: {failed}");
            }
        }
    }

    /// Writes the first letters; answers how many.
    fn write_letters(&mut self, refused: &[Failed]) -> (usize, Result<(), DeadLetterError>) {
        let (mut lines, mut count) = (Vec::new(), 0);
        for (tag, failed) in refused {
            self.letter(RecordTag::from_number(*tag), failed).write_line(
                &self.config.destination,
                self.clock.wall_time_ms(),
                &mut lines,
            );
            count += 1;
            if lines.len() >= BATCH_BYTES {
                break;
            }
        }
        let result = self.dead_letters.append(&lines);
        if result.is_ok() && self.may_report() {
            tracing::warn!(
                flow = self.config.id,
                records = count,
                path = %self.dead_letters.path().display(),
                "records that the service refuses for good are in the dead-letter file: {}",
                refused[0].1
            );
        }
        (count, result)
    }

    fn letter<'a>(&self, tag: RecordTag, failed: &'a UserRecordFailed) -> DeadLetter<'a> {
        let place = self.flow.whereabouts(tag);
        let (code, message) = last_error(failed).unwrap_or_default();
        DeadLetter {
            file: place.map(|place| place.path.display().to_string()).unwrap_or_default(),
            offset: place.map_or(0, |place| place.offset),
            length: place.map_or(0, |place| place.length),
            code: code.to_owned(),
            message: message.to_owned(),
            attempts: failed.attempts().len(),
            data: &failed.record().data,
        }
    }

    fn stop_at(&mut self, tag: RecordTag, failed: &UserRecordFailed) {
        let place = self.flow.whereabouts(tag);
        tracing::error!(
            flow = self.config.id,
            path = place.map(|place| place.path.display().to_string()),
            offset = place.map(|place| place.offset),
            "a record is refused for good: its file is stopped at it (refusedRecordPolicy) until the agent is started \
             again: {failed}"
        );
        self.flow.stop_at(tag);
    }

    pub(super) fn report_unwritten(&mut self, error: &DeadLetterError) {
        self.statistics.dead_letter_failures.add(1);
        if self.may_report() {
            tracing::error!(
                flow = self.config.id,
                %error,
                "a record that cannot be sent is not in the dead-letter file either: its file waits, and it is tried again"
            );
        }
    }
}

/// The code and message of the last answer.
fn last_error(failed: &UserRecordFailed) -> Option<(&str, &str)> {
    let error = failed.attempts().iter().rev().find_map(|attempt| attempt.error.as_ref());
    error.map(|(code, message)| (code.as_str(), message.as_str()))
}
