//! What a refusal is about: the record, or everything that goes to its stream.
//!
//! Invariant: in doubt it is about the stream, and the record is sent again.

use kpl::FailureReason;

/// Codes of PutRecords and PutRecordBatch that find fault with what was sent. Sources: Kinesis API reference,
/// `PutRecords` and common errors; Firehose API reference, `PutRecordBatch`.
const OF_THE_RECORD: &[&str] = &["InvalidArgumentException", "ValidationException"];

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
    pub fn is_of_record(&mut self, reason: FailureReason, code: Option<&str>) -> bool {
        let is_code = code.is_some_and(|code| OF_THE_RECORD.contains(&code));
        if reason != FailureReason::Refused || !is_code || self.in_a_row >= MOST_IN_A_ROW {
            return false;
        }
        self.in_a_row += 1;
        true
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
        let refused = |judge: &mut RefusalJudge| {
            judge.is_of_record(FailureReason::Refused, Some("ValidationException"))
        };
        assert!((0..MOST_IN_A_ROW).all(|_| refused(&mut judge)));
        assert!(!refused(&mut judge), "one too many");
        judge.stored();
        assert!(refused(&mut judge), "another record was stored");
    }
}
