//! The chore of saying that records are left out because they do not have the format that the configuration names.

use std::time::Duration;

use super::FlowTask;
use crate::config::DataProcessingOption;
use crate::core::flow::Unmatched;
use crate::types::Moment;

/// Between two warnings of a flow.
const PERIOD: Duration = Duration::from_secs(60);

/// What was said of records that were left out.
#[derive(Debug, Default)]
pub(super) struct UnmatchedReports {
    said_at: Option<Moment>,
    /// Of all that were left out, so many are in the warnings so far.
    said: u64,
}

impl FlowTask {
    /// Shows one of the records that were left out since the last warning, once a minute.
    pub(super) fn report_unmatched(&mut self) {
        let now = self.clock.now();
        let is_quiet = self.state.unmatched.said_at.is_some_and(|last| now.since(last) < PERIOD);
        if is_quiet || !self.flow.has_unmatched() {
            return;
        }
        let Some(Unmatched { path, offset, beginning, is_cut }) = self.flow.take_unmatched() else { return };
        let left_out = self.statistics.records_unmatched.get();
        let records = left_out - std::mem::replace(&mut self.state.unmatched.said, left_out);
        self.state.unmatched.said_at = Some(now);
        let dots = if is_cut { "..." } else { "" };
        tracing::warn!(
            flow = self.config.id,
            path = ?path.display().to_string(),
            offset,
            pattern = ?self.pattern(),
            line = ?format!("{beginning}{dots}"),
            records,
            "records do not match the pattern of LOGTOJSON and are not sent, as by the Java agent; this is the first of them: \
             correct matchPattern or logFormat if they should be sent"
        );
    }

    fn pattern(&self) -> &str {
        for option in &self.config.data_processing_options {
            if let DataProcessingOption::LogToJson(options) = option {
                return options.match_pattern.as_deref().unwrap_or(options.log_format.name());
            }
        }
        ""
    }
}
