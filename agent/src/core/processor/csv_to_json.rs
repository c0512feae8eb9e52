//! CSVTOJSON: the columns of a line become the members of an object.
//!
//! Invariant: every name is in the output, with null for a column that is not there. Quotes in the data mean
//! nothing.

use std::ops::Range;

use crate::config::CsvToJsonOptions;
use crate::config::java_pattern::PatternError;

use super::delimiter::Delimiter;
use super::json::ObjectLayout;
use super::text::without_newline;

/// The converter.
#[derive(Debug)]
pub(super) struct CsvToJson {
    layout: ObjectLayout,
    delimiter: Delimiter,
    /// The columns of the line in hand, kept for their memory.
    columns: Vec<Range<usize>>,
}

impl CsvToJson {
    /// A converter with these options.
    pub(super) fn new(options: &CsvToJsonOptions) -> Result<Self, PatternError> {
        let delimiter = Delimiter::new(&options.delimiter)?;
        let layout = ObjectLayout::new(&options.field_names, options.json_format);
        Ok(Self { layout, delimiter, columns: Vec::new() })
    }

    /// Appends the object.
    pub(super) fn convert(&mut self, record: &str, output: &mut String) {
        let line = without_newline(record);
        self.delimiter.split(line, &mut self.columns);
        let columns = &self.columns;
        self.layout.write(output, |column| columns.get(column).and_then(|range| line.get(range.clone())));
    }
}
