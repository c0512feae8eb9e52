//! The converters that a flow's records go through before they are sent (`dataProcessingOptions`).
//!
//! Invariants: a chain without converters costs nothing and hands back the very bytes of the file. Otherwise
//! every converter reads valid UTF-8 (bytes that are none become U+FFFD, as in the Java agent) and writes
//! valid UTF-8 into a buffer that is used again for the next record; in steady state nothing is allocated. No
//! clock: the time is passed in.

mod add_brackets;
mod add_metadata;
mod csv_to_json;
mod delimiter;
mod json;
mod log_format;
mod log_to_json;
mod single_line;
mod text;

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::config::DataProcessingOption;
use crate::config::java_pattern::PatternError;

use add_brackets::add_brackets;
use add_metadata::AddMetadata;
use csv_to_json::CsvToJson;
use log_to_json::LogToJson;
use single_line::SingleLine;

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processed<'a> {
    /// The bytes to send.
    Record(&'a [u8]),
    /// Filtered by rule: the record does not have the format that LOGTOJSON wants. It is not sent; count it.
    Dropped,
    /// A converter failed: send the original record, and count it. None of today's converters can fail; the
    /// Java agent's ADDEC2METADATA can, and whoever handles records must be ready for it.
    FailedSoRaw,
}

/// Why no processor can be built; [`AgentConfig::parse`](crate::config::AgentConfig::parse) refuses such options
/// before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key} \"{pattern}\" cannot be used: {error}")]
pub struct ProcessorError {
    /// The key of the option, for example `delimiter`.
    pub key: &'static str,
    /// The regular expression.
    pub pattern: String,
    /// What is wrong with it.
    pub error: PatternError,
}

/// The converters of one flow, compiled once, with their buffers. Serves one record at a time.
#[derive(Debug)]
pub struct Processor {
    converters: Vec<Converter>,
    /// What the last converter has written.
    output: String,
    /// What the converter before it has written; also the decoded form of a record that is not UTF-8.
    input: String,
}

#[derive(Debug)]
enum Converter {
    SingleLine(SingleLine),
    CsvToJson(CsvToJson),
    LogToJson(Box<LogToJson>),
    AddMetadata(AddMetadata),
    AddBrackets,
}

/// Whether a converter has written a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conversion {
    Converted,
    Dropped,
}

impl Processor {
    /// Compiles the converters.
    ///
    /// # Errors
    /// An option that its converter cannot work with.
    pub fn new(options: &[DataProcessingOption]) -> Result<Self, ProcessorError> {
        let converters = options.iter().map(Converter::new).collect::<Result<_, _>>()?;
        Ok(Self { converters, output: String::new(), input: String::new() })
    }

    /// Whether records are handed back as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.converters.is_empty()
    }

    /// Sends a record (with its newline) through all converters. `wall_time_ms` is the time for ADDMETADATA's
    /// `ts`, in milliseconds since 1970 (UTC).
    pub fn process<'a>(&'a mut self, record: &'a [u8], wall_time_ms: u64) -> Processed<'a> {
        let Some((first, others)) = self.converters.split_first_mut() else {
            return Processed::Record(record);
        };
        let text = text::decode(record, &mut self.input);
        self.output.clear();
        let mut conversion = first.convert(text, wall_time_ms, &mut self.output);
        for converter in others {
            if conversion == Conversion::Dropped {
                break;
            }
            std::mem::swap(&mut self.input, &mut self.output);
            self.output.clear();
            conversion = converter.convert(&self.input, wall_time_ms, &mut self.output);
        }
        match conversion {
            Conversion::Converted => Processed::Record(self.output.as_bytes()),
            Conversion::Dropped => Processed::Dropped,
        }
    }
}

impl Converter {
    fn new(option: &DataProcessingOption) -> Result<Self, ProcessorError> {
        Ok(match option {
            DataProcessingOption::SingleLine(options) => Self::SingleLine(SingleLine::new(*options)),
            DataProcessingOption::CsvToJson(options) => {
                let fail = unusable("delimiter", &options.delimiter);
                Self::CsvToJson(CsvToJson::new(options).map_err(fail)?)
            }
            DataProcessingOption::LogToJson(options) => {
                let fail = unusable("matchPattern", options.match_pattern.as_deref().unwrap_or_default());
                Self::LogToJson(Box::new(LogToJson::new(options).map_err(fail)?))
            }
            DataProcessingOption::AddMetadata(options) => Self::AddMetadata(AddMetadata::new(options)),
            DataProcessingOption::AddBrackets => Self::AddBrackets,
        })
    }

    fn convert(&mut self, record: &str, wall_time_ms: u64, output: &mut String) -> Conversion {
        match self {
            Self::SingleLine(converter) => converter.convert(record, output),
            Self::CsvToJson(converter) => converter.convert(record, output),
            Self::LogToJson(converter) => {
                let has_the_format = converter.convert(record, output);
                return if has_the_format { Conversion::Converted } else { Conversion::Dropped };
            }
            Self::AddMetadata(converter) => converter.convert(record, wall_time_ms, output),
            Self::AddBrackets => add_brackets(record, output),
        }
        Conversion::Converted
    }
}

fn unusable(key: &'static str, pattern: &str) -> impl FnOnce(PatternError) -> ProcessorError {
    move |error| ProcessorError { key, pattern: pattern.to_owned(), error }
}
