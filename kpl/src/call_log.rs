//! The log of one stream: calls at debug level, refused and failing calls as warnings, changes of the number of shards.
//!
//! Invariant: while calls succeed nothing but such a change is logged above debug level; a failure that repeats is one
//! warning a minute.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::Span;

use crate::call_failure::cure;
use crate::core::call_summary::CallSummary;
use crate::core::pipeline::Service;
use crate::core::troubles::{Failing, ThrottledShare, Troubles};
use crate::error_class::ErrorClass;
use crate::put_records::{CallError, EntryError, PutRecordsResponse, ShardListing};
use crate::reporter::guarded;
use crate::snapshot::StreamSnapshot;
use crate::transport::Transport;
use crate::types::{Moment, StreamName};

/// The operation that lists shards.
const LIST_SHARDS: &str = "ListShards";

/// The log of one stream.
pub(crate) struct CallLog {
    stream: StreamName,
    transport: Arc<dyn Transport>,
    /// The operation that puts records.
    putting: &'static str,
    record_ttl: Option<Duration>,
    troubles: Mutex<Troubles>,
    throttled: Mutex<ThrottledShare>,
}

/// A failure to be reported, with what the producer does about it.
struct Report<'a> {
    operation: &'static str,
    /// Entries that failed, of how many; `None` for a call that failed as a whole.
    entries: Option<(usize, usize)>,
    code: &'a str,
    message: &'a str,
    next_step: NextStep,
}

/// What the producer does about a failure.
#[derive(Debug, Clone, Copy)]
enum NextStep {
    /// Records are sent again for so long; `None`: without an end.
    SendAgain(Option<Duration>),
    /// Records are given up, and their owners hear of it.
    GiveUp(usize),
    /// The shards are listed again.
    ListAgain,
}

impl CallLog {
    pub(crate) fn new(
        stream: StreamName,
        transport: Arc<dyn Transport>,
        service: Service,
        record_ttl: Option<Duration>,
    ) -> Self {
        Self {
            stream,
            transport,
            putting: service.putting(),
            record_ttl,
            troubles: Mutex::default(),
            throttled: Mutex::default(),
        }
    }

    /// The stream's task has started.
    pub(crate) fn started(&self) {
        tracing::debug!(stream = %self.stream, endpoint = %self.endpoint(), "the stream is open");
    }

    /// Everything accepted before a flush has its outcome.
    pub(crate) fn flushed(&self) {
        tracing::debug!(stream = %self.stream, "a flush ended");
    }

    /// The stream's task ends.
    pub(crate) fn ended(&self, state: &StreamSnapshot) {
        tracing::debug!(
            stream = %self.stream,
            stored = state.user_records_stored,
            failed = state.user_records_failed,
            calls = state.calls,
            "the stream is closed"
        );
    }

    /// Around a call that puts records.
    pub(crate) fn put_span(&self, entries: usize, bytes: usize) -> Span {
        tracing::debug_span!(
            "put_records", stream = %self.stream, endpoint = %self.endpoint(), operation = self.putting, entries, bytes
        )
    }

    /// Around a listing, the wait for its turn included.
    pub(crate) fn list_span(&self) -> Span {
        tracing::debug_span!("list_shards", stream = %self.stream, endpoint = %self.endpoint())
    }

    /// A call that puts records ended.
    pub(crate) fn put_ended(
        &self,
        summary: &CallSummary,
        answer: &Result<PutRecordsResponse, CallError>,
        now: Moment,
    ) {
        self.debug_put(summary, answer);
        match answer {
            Ok(response) if summary.failed => {
                let error = CallError::miscounted(response.entries.len(), summary.entries);
                self.failed(&self.call_report(summary, &error), now);
            }
            Ok(response) => {
                self.entries_failed(summary, response, now);
                self.succeeded(self.putting, now);
            }
            Err(error) => self.failed(&self.call_report(summary, error), now),
        }
    }

    /// A listing ended; the numbers are those of open shards before and after, 0 without a map.
    pub(crate) fn listed(
        &self,
        listing: &Result<ShardListing, CallError>,
        (before, after): (usize, usize),
        now: Moment,
    ) {
        let stream = &self.stream;
        match listing {
            Ok(_) => {
                match (before, after) {
                    (1.., 1..) if before != after => tracing::info!(
                        %stream, shards_before = before, shards_after = after,
                        "the stream has another number of open shards"
                    ),
                    _ => {
                        tracing::debug!(%stream, shards_before = before, shards = after, "shards were listed");
                    }
                }
                self.succeeded(LIST_SHARDS, now);
            }
            Err(error) => {
                let report = Report {
                    operation: LIST_SHARDS,
                    entries: None,
                    code: &error.code,
                    message: &error.message,
                    next_step: NextStep::ListAgain,
                };
                self.failed(&report, now);
            }
        }
    }

    fn debug_put(&self, summary: &CallSummary, answer: &Result<PutRecordsResponse, CallError>) {
        let code = answer.as_ref().err().map_or("ok", |error| &*error.code);
        tracing::debug!(
            stream = %self.stream,
            endpoint = %self.endpoint(),
            operation = self.putting,
            entries = summary.entries,
            bytes = summary.data_bytes,
            attempt = summary.attempt,
            duration_ms = u64::try_from(summary.request_time.as_millis()).unwrap_or(u64::MAX),
            code,
            entries_throttled = summary.entries_throttled,
            entries_failed = summary.entries_failed(),
            "call ended"
        );
    }

    fn call_report<'a>(&self, summary: &CallSummary, error: &'a CallError) -> Report<'a> {
        Report {
            operation: self.putting,
            entries: None,
            code: &error.code,
            message: &error.message,
            next_step: self.next_step(summary),
        }
    }

    fn next_step(&self, summary: &CallSummary) -> NextStep {
        match summary.user_records_given_up {
            0 => NextStep::SendAgain(self.record_ttl),
            records => NextStep::GiveUp(records),
        }
    }

    /// Reports the first entry of each code. Some throttled entries are how the pace of a shard is found, so they count
    /// as trouble only when they are more than half of late.
    fn entries_failed(&self, summary: &CallSummary, response: &PutRecordsResponse, now: Moment) {
        let are_most_throttled = {
            let mut throttled = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
            throttled.is_most(summary.entries, summary.entries_throttled, now)
        };
        if summary.entries_put == summary.entries {
            return;
        }
        let mut codes: Vec<(&EntryError, usize)> = Vec::new();
        for error in response.entries.iter().filter_map(|entry| entry.as_ref().err()) {
            match codes.iter_mut().find(|(known, _)| known.code == error.code) {
                Some((_, count)) => *count += 1,
                None => codes.push((error, 1)),
            }
        }
        for (error, count) in codes {
            if ErrorClass::of(&error.code) == ErrorClass::Throttled && !are_most_throttled {
                continue;
            }
            let report = Report {
                operation: self.putting,
                entries: Some((count, summary.entries)),
                code: &error.code,
                message: &error.message,
                next_step: self.next_step(summary),
            };
            self.failed(&report, now);
        }
    }

    fn failed(&self, report: &Report<'_>, now: Moment) {
        let failing = self.troubles().failed(report.operation, report.code, now);
        if let Some(failing) = failing {
            tracing::warn!(
                stream = %self.stream,
                endpoint = %self.endpoint(),
                operation = report.operation,
                code = report.code,
                times = failing.times,
                "{} {}: {}. {}. To mend it: {}",
                report.what(),
                Since(failing),
                Clean(report.message),
                report.next_step,
                cure(report.code)
            );
        }
    }

    fn succeeded(&self, operation: &'static str, now: Moment) {
        let recovered = self.troubles().succeeded(operation, now);
        for recovered in recovered {
            tracing::info!(
                stream = %self.stream,
                operation,
                code = recovered.code.as_str(),
                times = recovered.times,
                "{operation} succeeds again, after {} failures in {:?}",
                recovered.times,
                recovered.lasted
            );
        }
    }

    /// The transport is the user's code.
    fn endpoint(&self) -> String {
        let mut endpoint = String::new();
        guarded(|| endpoint = self.transport.endpoint());
        endpoint
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Report<'_> {
    fn what(&self) -> String {
        match self.entries {
            None => format!("{} fails with {}", self.operation, Clean(self.code)),
            Some((failed, of)) => {
                format!("{failed} of {of} entries of {} fail with {}", self.operation, Clean(self.code))
            }
        }
    }
}

/// How often and how long.
struct Since(Failing);

impl fmt::Display for Since {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failing { times, lasting } = self.0;
        match lasting {
            Duration::ZERO => formatter.write_str("(said at once, then at most once a minute)"),
            _ => {
                write!(formatter, "({times} times since the last report, for {} s so far)", lasting.as_secs())
            }
        }
    }
}

impl fmt::Display for NextStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SendAgain(Some(ttl)) => {
                write!(formatter, "The records are sent again until their record_ttl of {ttl:?} is over")
            }
            Self::SendAgain(None) => formatter.write_str("The records are sent again until they are stored"),
            Self::GiveUp(records) => write!(formatter, "{records} user records of the call failed for good"),
            Self::ListAgain => formatter.write_str("The shards are listed again after a pause"),
        }
    }
}

/// A text of the service: at most 1 KiB, and nothing in it that breaks a line.
struct Clean<'a>(&'a str);

impl Clean<'_> {
    const MOST_BYTES: usize = 1024;
}

impl fmt::Display for Clean<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.0[..self.0.floor_char_boundary(Self::MOST_BYTES)];
        if text.is_empty() {
            return formatter.write_str("no message");
        }
        for character in text.trim_end_matches('.').chars() {
            match character.is_control() {
                true => write!(formatter, "{}", character.escape_default())?,
                false => write!(formatter, "{character}")?,
            }
        }
        Ok(())
    }
}
