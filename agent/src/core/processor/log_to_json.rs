//! LOGTOJSON: the parts of a log line become the members of an object.
//!
//! Invariant: a line that does not have the format as a whole, or has another number of parts than there are
//! names, is dropped. One deviation from the Java agent, which drops every line of a file with CR LF: a
//! carriage return before the final newline is no part of the line.

use regex::bytes::{CaptureLocations, Regex};

use crate::config::java_pattern::{self, PatternError};
use crate::config::{LogFormat, LogToJsonOptions};

use super::json::ObjectLayout;
use super::log_format::{apache_error, combined_apache, common_apache, rfc3339_syslog, syslog};
use super::text::without_newline;

/// The converter.
#[derive(Debug)]
pub(super) struct LogToJson {
    matcher: Matcher,
    fields: Fields,
}

#[derive(Debug)]
enum Matcher {
    BuiltIn(LogFormat),
    Custom { pattern: Regex, groups: CaptureLocations },
}

/// How the parts of a line are written.
#[derive(Debug)]
struct Fields {
    layout: ObjectLayout,
    count: usize,
    dash_is_null: bool,
}

impl LogToJson {
    /// A converter with these options.
    pub(super) fn new(options: &LogToJsonOptions) -> Result<Self, PatternError> {
        let matcher = match &options.match_pattern {
            Some(pattern) => custom(pattern)?,
            None => Matcher::BuiltIn(options.log_format),
        };
        let fields = Fields {
            layout: ObjectLayout::new(&options.field_names, options.json_format),
            count: options.field_names.len(),
            dash_is_null: options.log_format.dash_is_null(),
        };
        Ok(Self { matcher, fields })
    }

    /// Appends the object; returns false, and appends nothing, if the line does not have the format.
    pub(super) fn convert(&mut self, record: &str, output: &mut String) -> bool {
        let line = without_newline(record);
        let without_return = match line.strip_suffix('\r') {
            Some(stripped) if line.len() < record.len() => stripped,
            _ => line,
        };
        match &mut self.matcher {
            Matcher::BuiltIn(format) => self.fields.write_built_in(*format, without_return, output),
            Matcher::Custom { pattern, groups } => {
                // A pattern of one's own may ask for the carriage return, so the whole line comes first.
                self.fields.write_groups(pattern, groups, line, output)
                    || (without_return.len() < line.len()
                        && self.fields.write_groups(pattern, groups, without_return, output))
            }
        }
    }
}

impl Fields {
    fn write_built_in(&self, format: LogFormat, line: &str, output: &mut String) -> bool {
        match format {
            LogFormat::CommonApacheLog => self.write_parts(common_apache::parse(line), output),
            LogFormat::CombinedApacheLog => self.write_parts(combined_apache::parse(line), output),
            LogFormat::ApacheErrorLog => self.write_parts(apache_error::parse(line), output),
            LogFormat::Syslog => self.write_parts(syslog::parse(line), output),
            LogFormat::Rfc3339Syslog => self.write_parts(rfc3339_syslog::parse(line), output),
        }
    }

    fn write_parts<const N: usize>(&self, parts: Option<[Option<&str>; N]>, output: &mut String) -> bool {
        let Some(parts) = parts.filter(|_| self.count == N) else { return false };
        self.layout.write(output, |column| self.value(parts[column]));
        true
    }

    fn write_groups(
        &self,
        pattern: &Regex,
        groups: &mut CaptureLocations,
        line: &str,
        output: &mut String,
    ) -> bool {
        if self.count + 1 != groups.len() || pattern.captures_read(groups, line.as_bytes()).is_none() {
            return false;
        }
        self.layout.write(output, |column| {
            let (start, end) = groups.get(column + 1)?;
            // The pattern works on bytes; a group that ends inside a letter gets the whole letter.
            let (start, end) = (line.floor_char_boundary(start), line.ceil_char_boundary(end));
            self.value(line.get(start..end))
        });
        true
    }

    fn value<'l>(&self, part: Option<&'l str>) -> Option<&'l str> {
        part.filter(|text| !(self.dash_is_null && *text == "-"))
    }
}

fn custom(pattern: &str) -> Result<Matcher, PatternError> {
    let pattern = java_pattern::compile_full_match(pattern)?;
    let groups = pattern.capture_locations();
    Ok(Matcher::Custom { pattern, groups })
}
