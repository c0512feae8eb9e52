//! What a refusal is about: the record, or everything that goes to its stream.
//!
//! Invariant: in doubt it is about the stream, and the record is sent again.

use kpl::FailureReason;

/// Codes of PutRecords and PutRecordBatch that find fault with what was sent. Sources: Kinesis API reference,
/// `PutRecords` and common errors; Firehose API reference, `PutRecordBatch`.
const OF_THE_RECORD: &[&str] = &["InvalidArgumentException", "SerializationException", "ValidationException"];

/// Records in a row that the service may refuse for themselves, without storing any, before that is taken for trouble with
/// the stream: bad records are few, and a wrong name would fill the dead-letter file.
const MOST_IN_A_ROW: usize = 1000;

/// Tells records that are refused for good from streams that are in trouble.
#[derive(Debug, Default)]
pub struct RefusalJudge {
    in_a_row: usize,
}

impl RefusalJudge {
    /// Notes that the service stored a record: the stream is well.
    pub fn stored(&mut self) {
        self.in_a_row = 0;
    }

    /// Whether a record that failed is refused for good, for something in itself: sending it again cannot help. `code`:
    /// the last answer's.
    #[must_use]
    pub fn is_of_record(&self, reason: FailureReason, code: Option<&str>) -> bool {
        let is_code = code.is_some_and(|code| OF_THE_RECORD.contains(&code));
        reason == FailureReason::Refused && is_code && self.in_a_row < MOST_IN_A_ROW
    }

    /// How many more records may be done away with before the service stores one.
    #[must_use]
    pub fn most(&self) -> usize {
        MOST_IN_A_ROW.saturating_sub(self.in_a_row)
    }

    /// Notes records that were done away with as refused for good.
    pub fn given_up(&mut self, records: usize) {
        self.in_a_row = self.in_a_row.saturating_add(records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_the_record_is_its_own() {
        for (reason, code, expected) in [
            (FailureReason::Refused, Some("InvalidArgumentException"), true),
            (FailureReason::Refused, Some("ValidationException"), true),
            (FailureReason::Refused, Some("ResourceNotFoundException"), false),
            (FailureReason::Refused, Some("AccessDeniedException"), false),
            (FailureReason::Refused, Some("KMSDisabledException"), false),
            (FailureReason::Refused, Some("a code of next year"), false),
            (FailureReason::Refused, None, false),
            (FailureReason::Expired, Some("ValidationException"), false),
            (FailureReason::Aborted, Some("ValidationException"), false),
        ] {
            assert_eq!(RefusalJudge::default().is_of_record(reason, code), expected, "{reason:?} {code:?}");
        }
    }

    #[test]
    fn a_stream_that_refuses_everything_is_in_trouble() {
        let mut judge = RefusalJudge::default();
        let refused =
            |judge: &RefusalJudge| judge.is_of_record(FailureReason::Refused, Some("ValidationException"));
        judge.given_up(MOST_IN_A_ROW - 1);
        assert!(refused(&judge) && judge.most() == 1);
        judge.given_up(1);
        assert!(!refused(&judge) && judge.most() == 0, "one too many");
        judge.stored();
        assert!(refused(&judge), "another record was stored");
    }
}
