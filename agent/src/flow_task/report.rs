//! The chore of telling how the flow stands. Asked for through the inbox, answered between two passes.

use super::FlowTask;
use crate::core::lag::Lag;
use crate::core::tracked_file::{Presence, TrackedFile};
use crate::inbox::Question;
use crate::status_report::{FileReport, FileState, FlowCounts, FlowReport};
use crate::types::{FileId, Moment, Node};

impl FlowTask {
    pub(super) fn answer(&mut self, questions: Vec<Question>) {
        for Question { about, reply } in questions {
            // Whoever asked may have gone.
            let _ = reply.send(self.report(about));
        }
    }

    /// Says, once, that a record left without the id that it should have.
    pub(super) fn report_without_id(&mut self) {
        if !self.state.has_said_without_id && self.statistics.records_without_id.get() > 0 {
            self.state.has_said_without_id = true;
            tracing::warn!(
                flow = self.config.id,
                "a record was sent without an id (dedupIds): it is no JSON object, or a part of a longer record, or has no \
                 room for one; more of them are counted in records_without_id"
            );
        }
    }

    /// Notes what a look at a file showed.
    pub(super) fn note_size(&mut self, id: FileId, size: u64, now: Moment) {
        if let Some(file) = self.flow.file(id) {
            self.state.lags.entry(id).or_default().seen(size, file.ledger.acknowledged(), now);
        }
    }

    fn report(&mut self, about: Option<Node>) -> FlowReport {
        let files: Vec<_> = self.flow.files().filter(|file| self.is_meant(file, about)).collect();
        let mut reports: Vec<_> =
            files.into_iter().map(|file| self.file_report(file, about.is_some())).collect();
        reports.sort_by(|left, right| left.path.cmp(&right.path));
        let not_read = self.state.unreadable.reports();
        FlowReport {
            flow: self.config.id.clone(),
            trouble: self.state.refusal.clone(),
            unreadable: not_read.iter().map(|report| report.path.clone()).collect(),
            not_read,
            records_acknowledged: self.statistics.records_acknowledged.get(),
            counts: FlowCounts::from(self.statistics.as_ref()),
            line: self.publisher.line(),
            files: reports,
        }
    }

    /// Of a truncated file only what is there now is asked for.
    fn is_meant(&self, file: &TrackedFile, about: Option<Node>) -> bool {
        about.is_none_or(|node| file.node.is_same(&node) && file.presence != Presence::Ended)
    }

    fn file_report(&self, file: &TrackedFile, with_fingerprint: bool) -> FileReport {
        let acknowledged = file.ledger.acknowledged();
        let size = file.size();
        let age = self.state.lags.get(&file.id).map(|lag| Lag::age(lag, acknowledged, self.clock.now()));
        let lag_bytes = size.saturating_sub(acknowledged);
        let (state, why) = self.state_of(file, size);
        FileReport {
            path: file.path.display().to_string(),
            device: file.node.device,
            inode: file.node.inode,
            size: Some(size),
            read: file.fetched(),
            sent: file.cut(),
            acknowledged,
            lag_bytes,
            lag_seconds: if lag_bytes == 0 { 0.0 } else { age.unwrap_or_default().as_secs_f64() },
            oldest_unsent_byte: (size > file.cut()).then(|| file.cut()),
            state,
            why,
            fingerprint: with_fingerprint.then(|| file.acknowledged_fingerprint().into()),
        }
    }

    /// Whether a dead letter of this file could not be written.
    fn waits_for_letters(&self, file: &TrackedFile) -> bool {
        let is_suspended = file.has_leftover && file.look_at > self.clock.now();
        is_suspended || self.state.unwritten.files().any(|waiting| waiting == file.id)
    }

    fn why_outstanding(&self, records: usize) -> String {
        match self.publisher.buffered_for() {
            Some(left) => format!(
                "{records} records are buffered; they leave in {} s, or when a request is full (maxBufferAgeMillis)",
                left.as_millis().div_ceil(1000)
            ),
            None => format!("{records} records wait for their acknowledgement"),
        }
    }

    fn state_of(&self, file: &TrackedFile, size: u64) -> (FileState, String) {
        let outstanding = file.ledger.outstanding();
        let unread = size > file.fetched();
        if let (true, Some(refusal)) = (unread || outstanding > 0, &self.state.refusal) {
            return (FileState::Blocked, format!("records were refused and are sent again: {refusal}"));
        }
        if self.waits_for_letters(file) {
            let why = "a record that cannot be sent is to be written into the dead-letter file, which fails";
            return (FileState::Blocked, why.to_owned());
        }
        if unread && self.is_blocked() {
            let why = match self.publisher.line().is_limit {
                true => "the connection to the service carries no more; nothing is read until it does",
                false => "the destination takes no more for now; nothing is read until it does",
            };
            return (FileState::Blocked, why.to_owned());
        }
        let place = match file.presence {
            Presence::Listed => "",
            Presence::Away { .. } => "; it was rotated away or deleted",
            Presence::Ended => "; it was truncated, and this is what was read before",
        };
        if unread {
            (FileState::Reading, format!("there is more to read{place}"))
        } else if outstanding > 0 {
            (FileState::Sending, format!("{}{place}", self.why_outstanding(outstanding)))
        } else if !file.unconsumed().is_empty() {
            (FileState::OpenLine, format!("the last line has no end yet{place}"))
        } else {
            (FileState::Idle, format!("everything is acknowledged{place}"))
        }
    }
}
