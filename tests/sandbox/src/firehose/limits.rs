//! What Firehose takes in one call.
//!
//! Source: <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>. Invariant: sizes are those of the decoded
//! data.

use bytes::Bytes;

use crate::aws_error::AwsError;

const MAX_RECORDS: usize = 500;
const MAX_BATCH_BYTES: usize = 4 << 20;
const MAX_RECORD_BYTES: usize = 1_024_000;

/// Refuses a batch that is empty or too large.
pub(super) fn check_batch(records: &[Bytes]) -> Result<(), AwsError> {
    if records.is_empty() || records.len() > MAX_RECORDS {
        return Err(refuse(format!("a batch takes 1 to {MAX_RECORDS} records, not {}", records.len())));
    }
    let bytes: usize = records.iter().map(Bytes::len).sum();
    if bytes > MAX_BATCH_BYTES {
        return Err(refuse(format!("a batch takes {MAX_BATCH_BYTES} bytes of data, not {bytes}")));
    }
    records.iter().enumerate().try_for_each(|(place, record)| check_record(place, record))
}

/// Refuses a record that is too large.
pub(super) fn check_record(place: usize, record: &Bytes) -> Result<(), AwsError> {
    if record.len() > MAX_RECORD_BYTES {
        let bytes = record.len();
        return Err(refuse(format!(
            "record {place} has {bytes} bytes; at most {MAX_RECORD_BYTES} are allowed"
        )));
    }
    Ok(())
}

fn refuse(message: String) -> AwsError {
    AwsError::invalid_argument(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_at_the_exact_byte() {
        let record = |bytes: usize| Bytes::from(vec![b'x'; bytes]);
        let four_mib: Vec<Bytes> = vec![record(1 << 19); 8];
        let over = [four_mib.clone(), vec![record(1)]].concat();
        for (records, lawful) in [
            (vec![record(1); 500], true),
            (vec![record(1); 501], false),
            (vec![], false),
            (vec![record(1_024_000)], true),
            (vec![record(1_024_001)], false),
            (four_mib, true),
            (over, false),
        ] {
            assert_eq!(check_batch(&records).is_ok(), lawful, "{} records", records.len());
        }
    }
}
