//! The newest error of a stream, for snapshots.
//!
//! Invariant: it is noted once a call, so that many entries that fail alike cost one copy.

use crate::core::call_summary::CallSummary;
use crate::put_records::{CallError, PutRecordsResponse, ShardListing};
use crate::snapshot;
use crate::types::Moment;

/// The newest error, if there was one.
#[derive(Debug, Clone)]
pub(crate) struct LastError {
    putting: &'static str,
    newest: Option<Noted>,
}

#[derive(Debug, Clone)]
struct Noted {
    operation: &'static str,
    code: String,
    message: String,
    at: Moment,
}

impl LastError {
    /// None yet; `putting` is the operation that puts records.
    pub(crate) fn none(putting: &'static str) -> Self {
        Self { putting, newest: None }
    }

    /// A call ended: its error, or that of its first entry that was not stored.
    pub(crate) fn note_call(
        &mut self,
        answer: &Result<PutRecordsResponse, CallError>,
        summary: &CallSummary,
        now: Moment,
    ) {
        let (code, message) = match answer {
            Err(error) => (error.code.to_string(), error.message.to_string()),
            Ok(_) if summary.entries_put == summary.entries => return,
            Ok(response) if summary.failed => {
                let error = CallError::miscounted(response.entries.len(), summary.entries);
                (error.code.to_string(), error.message.to_string())
            }
            Ok(response) => match response.entries.iter().find_map(|entry| entry.as_ref().err()) {
                Some(error) => (error.code.to_string(), error.message.to_string()),
                None => return,
            },
        };
        self.newest = Some(Noted { operation: self.putting, code, message, at: now });
    }

    /// A listing ended.
    pub(crate) fn note_listing(&mut self, listing: &Result<ShardListing, CallError>, now: Moment) {
        if let Err(error) = listing {
            let (code, message) = (error.code.to_string(), error.message.to_string());
            self.newest = Some(Noted { operation: "ListShards", code, message, at: now });
        }
    }

    /// As it is shown at `now`.
    pub(crate) fn snapshot(&self, now: Moment) -> Option<snapshot::LastError> {
        let Noted { operation, code, message, at } = self.newest.clone()?;
        Some(snapshot::LastError { operation, code, message, age: now.since(at) })
    }
}
