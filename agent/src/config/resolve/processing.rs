//! Resolves one object of `dataProcessingOptions`.
//!
//! Invariant: regular expressions and field names are checked here already, so that a converter built from
//! the result works.

use serde_json::Value;

use crate::config::coerce;
use crate::config::data_processing::{
    AddMetadataOptions, CsvToJsonOptions, DataProcessingOption, JsonFormat, LogFormat, LogToJsonOptions,
    SingleLineOptions,
};
use crate::config::findings::Findings;
use crate::config::java_pattern;
use crate::config::options::{Place, TextOption, processing};
use crate::config::path::ConfigPath;
use crate::config::section::Section;
use crate::config::suggest::did_you_mean;

/// The converter in `value`; `None` after an error.
pub(super) fn resolve(
    value: &Value,
    path: ConfigPath,
    findings: &mut Findings,
) -> Option<DataProcessingOption> {
    let mut section = Section::open(Place::ProcessingOption, value, path, findings)?;
    section.check_keys();
    match section.choice(&processing::OPTION_NAME)? {
        "SINGLELINE" => Some(DataProcessingOption::SingleLine(single_line(&mut section))),
        "CSVTOJSON" => csv_to_json(&mut section).map(DataProcessingOption::CsvToJson),
        "LOGTOJSON" => log_to_json(&mut section).map(DataProcessingOption::LogToJson),
        "ADDMETADATA" => Some(DataProcessingOption::AddMetadata(add_metadata(&mut section))),
        "ADDBRACKETS" => Some(DataProcessingOption::AddBrackets),
        name => {
            refuse_converter(&mut section, name);
            None
        }
    }
}

fn refuse_converter(section: &mut Section<'_>, name: &str) {
    let hint = if name == "USINGPLUGGIN" {
        "Java classes cannot be loaded; remove it, or keep the Java agent for this flow"
    } else {
        "remove it, use ADDMETADATA with fixed values, or keep the Java agent for this flow"
    };
    let message = format!("{name} is not supported yet");
    section.error(processing::OPTION_NAME.name, message, Some(hint.to_owned()));
}

fn single_line(section: &mut Section<'_>) -> SingleLineOptions {
    let name = processing::PARSE_OPTIONS.name;
    let mut options = SingleLineOptions::default();
    for (path, item) in section.items(name).unwrap_or_default() {
        match item.as_str() {
            Some("NO_TRIM") => options.keep_white_space = true,
            Some("ESCAPE_NEW_LINE") => options.escape_new_line = true,
            _ => {
                let near = item.as_str().and_then(|text| did_you_mean(text, ["NO_TRIM", "ESCAPE_NEW_LINE"]));
                section.findings().warn(path, format!("unknown parse option {item} has no effect"), near);
            }
        }
    }
    options
}

fn csv_to_json(section: &mut Section<'_>) -> Option<CsvToJsonOptions> {
    let json_format = json_format(section);
    let delimiter = pattern(section, &processing::DELIMITER).unwrap_or_default();
    let field_names = field_names(section);
    if field_names.is_none() {
        missing_field_names(section, "they name the columns, for example [\"time\", \"user\", \"action\"]");
    }
    Some(CsvToJsonOptions { field_names: field_names?, delimiter, json_format })
}

fn log_to_json(section: &mut Section<'_>) -> Option<LogToJsonOptions> {
    let json_format = json_format(section);
    let log_format = section.choice(&processing::LOG_FORMAT).and_then(LogFormat::from_name);
    let match_pattern = pattern(section, &processing::MATCH_PATTERN);
    let custom_field_names = field_names(section);
    if match_pattern.is_some() && custom_field_names.is_none() {
        missing_field_names(section, "they name the groups of matchPattern, in order");
    }
    let log_format = log_format?;
    if let Some(names) = &custom_field_names {
        check_field_count(section, names, match_pattern.as_deref(), log_format);
    }
    let built_in = || log_format.field_names().iter().map(|name| (*name).to_owned()).collect();
    let field_names = custom_field_names.unwrap_or_else(built_in);
    Some(LogToJsonOptions { log_format, match_pattern, field_names, json_format })
}

/// Another number of names than of groups would drop every single record.
fn check_field_count(section: &mut Section<'_>, names: &[String], pattern: Option<&str>, format: LogFormat) {
    let groups = pattern.map(|pattern| java_pattern::compile(pattern).map(|regex| regex.captures_len() - 1));
    let name = processing::CUSTOM_FIELD_NAMES.name;
    match groups {
        Some(Ok(groups)) if groups != names.len() => {
            let message =
                format!("{} names for the {groups} groups of matchPattern: no record would fit", names.len());
            let hint = "write one name for each pair of parentheses, or (?: ... ) for a group without a name";
            section.error(name, message, Some(hint.to_owned()));
        }
        None if format.field_names().len() != names.len() => {
            let expected = format.field_names();
            let message = format!("{} names for the {} fields of the format", names.len(), expected.len());
            section.error(name, message, Some(format!("the fields are {}", expected.join(", "))));
        }
        _ => {}
    }
}

fn add_metadata(section: &mut Section<'_>) -> AddMetadataOptions {
    AddMetadataOptions {
        metadata: section.value(processing::METADATA.name).cloned().unwrap_or_default(),
        timestamp: section.boolean(&processing::TIMESTAMP),
        json_format: json_format(section),
    }
}

fn json_format(section: &mut Section<'_>) -> JsonFormat {
    section.choice(&processing::JSON_FORMAT).and_then(JsonFormat::from_name).unwrap_or_default()
}

/// A regular expression that compiles; reports an error otherwise.
fn pattern(section: &mut Section<'_>, option: &TextOption) -> Option<String> {
    let pattern = section.text(option)?;
    if let Err(error) = java_pattern::compile(&pattern) {
        let hint = match option.name {
            "delimiter" => {
                Some(r"put two backslashes before a character that is meant literally, like \\|".to_owned())
            }
            _ => None,
        };
        section.error(option.name, error.to_string(), hint);
    }
    Some(pattern)
}

/// The names; `None` if the key is absent, after an error an empty list.
fn field_names(section: &mut Section<'_>) -> Option<Vec<String>> {
    let name = processing::CUSTOM_FIELD_NAMES.name;
    section.value(name)?;
    let items = section.items(name).unwrap_or_default();
    Some(items.into_iter().map(|(path, item)| field_name(section, path, item)).collect())
}

fn field_name(section: &mut Section<'_>, path: ConfigPath, item: &Value) -> String {
    coerce::text(item).unwrap_or_else(|misfit| {
        section.findings().error(path, misfit.message, misfit.hint);
        String::new()
    })
}

fn missing_field_names(section: &mut Section<'_>, hint: &str) {
    section.missing(processing::CUSTOM_FIELD_NAMES.name, Some(hint.to_owned()));
}
