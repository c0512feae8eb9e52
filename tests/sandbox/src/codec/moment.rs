//! Moments: seconds since 1970 in the tree, ISO 8601 in the query protocol.
//!
//! Invariant: what [`text`] writes, [`read`] reads back to the second.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

/// The seconds since 1970 of a moment that a request wrote as a number or as text.
pub(crate) fn read(value: &Value) -> Option<f64> {
    let seconds = match value {
        Value::String(text) => DateTime::from_str(text, Format::DateTimeWithOffset).ok()?.as_secs_f64(),
        value => value.as_f64()?,
    };
    seconds.is_finite().then_some(seconds)
}

/// As the query protocol writes it.
pub(crate) fn text(seconds: f64) -> String {
    DateTime::from_secs_f64(seconds).fmt(Format::DateTime).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_texts_are_read() {
        for (value, wanted) in [
            (json!(1.5), Some(1.5)),
            (json!("1970-01-01T00:00:01Z"), Some(1.0)),
            (json!("1970-01-01T00:00:01.250Z"), Some(1.25)),
            (json!("1970-01-01T01:00:00+01:00"), Some(0.0)),
            (json!("yesterday"), None),
            (json!(null), None),
        ] {
            assert_eq!(read(&value), wanted, "{value}");
        }
        assert_eq!(text(1.0), "1970-01-01T00:00:01Z");
    }
}
