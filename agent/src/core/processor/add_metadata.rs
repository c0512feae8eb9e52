//! ADDMETADATA: puts a record into an object, as text, beside a fixed value and perhaps the time.
//!
//! Invariant: everything but the time and the record is written out once, when the converter is built.

use crate::config::AddMetadataOptions;

use super::json::{object_end, prefix, push_string, push_value};
use super::text::without_newline;
use crate::wall_time::push_time;

/// The converter.
#[derive(Debug)]
pub(super) struct AddMetadata {
    /// What stands before the time; none if the time is not wanted.
    before_time: Option<String>,
    /// What stands between the time, or the beginning, and the record.
    before_data: String,
    end: &'static str,
}

impl AddMetadata {
    /// A converter with these options.
    pub(super) fn new(options: &AddMetadataOptions) -> Self {
        let format = options.json_format;
        let first = usize::from(options.timestamp);
        let mut before_data = prefix(first, "metadata", format);
        push_value(&mut before_data, &options.metadata, format, 1);
        before_data.push_str(&prefix(first + 1, "data", format));
        let before_time = options.timestamp.then(|| prefix(0, "ts", format));
        Self { before_time, before_data, end: object_end(format) }
    }

    /// Appends the object.
    pub(super) fn convert(&self, record: &str, wall_time_ms: u64, output: &mut String) {
        if let Some(before_time) = &self.before_time {
            output.push_str(before_time);
            output.push('"');
            push_time(output, wall_time_ms);
            output.push('"');
        }
        output.push_str(&self.before_data);
        push_string(output, without_newline(record));
        output.push_str(self.end);
    }
}
