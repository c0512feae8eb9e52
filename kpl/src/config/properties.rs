//! Reading a KPL `.properties` file.
//!
//! Invariant: every line is obeyed, reported as without effect, or a problem; none is dropped in silence.

pub(crate) mod syntax;

use std::collections::HashMap;
use std::fmt;

use crate::config::option::{ConfigOption, Effect, Shape};
use crate::config::suggest::nearest;
use crate::config::value::{Value, shortened};
use crate::config::{Config, ConfigError, idle, table};
use syntax::Property;

/// What a `.properties` file says that has no effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "it says what of the file does not count"]
pub struct PropertiesReport {
    /// One for each such line, in the order of the file.
    pub ignored: Vec<IgnoredProperty>,
}

/// A line of a `.properties` file without effect. Its `Display` form is a sentence for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredProperty {
    /// The line, counted from 1.
    pub line: usize,
    /// The name as it stands there.
    pub property: String,
    /// Why it has no effect, and what to do instead.
    pub because: String,
}

impl Config {
    /// Reads the text of a KPL `.properties` file: names as in the KPL's Java setters (`RecordMaxBufferedTime`), times
    /// in milliseconds. What the file does not name keeps its default.
    ///
    /// Options of the KPL that mean nothing here, and unknown names, do not fail; the report has them, each
    /// with the reason. A name that is nearly an option's is taken for a slip of the pen, which the KPL would pass
    /// over.
    ///
    /// Whitespace after numbers, booleans and names is not counted. As in Java, of two lines for one option the last
    /// counts, and an empty text is none.
    ///
    /// ```
    /// let text = "
    ///     ! from an application that uses the KPL
    ///     RecordMaxBufferedTime = 250
    ///     Region = eu-west-1
    ///     ThreadingModel = POOLED
    /// ";
    /// let (config, report) = kpl::Config::from_properties(text)?;
    /// assert_eq!(config.record_max_buffered_time.as_millis(), 250);
    /// for ignored in &report.ignored {
    ///     eprintln!("{ignored}"); // line 5: ThreadingModel has no effect: ...
    /// }
    /// # assert_eq!(report.ignored.len(), 1);
    /// # Ok::<(), kpl::ConfigError>(())
    /// ```
    ///
    /// From a file: `Config::from_properties(&std::fs::read_to_string("kpl.properties")?)`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems, each with its line.
    pub fn from_properties(text: &str) -> Result<(Self, PropertiesReport), ConfigError> {
        let (properties, mut problems) = syntax::properties(text);
        let mut reading = Reading { last: last_lines(&properties), ..Reading::default() };
        for property in properties {
            reading.take(property);
        }
        problems.append(&mut reading.problems);
        // The sort is stable: of one line, what is wrong with its form comes first.
        problems.sort_by_key(|(line, _)| *line);
        let in_words = |(line, problem)| format!("line {line}: {problem}");
        ConfigError::unless_empty(problems.into_iter().map(in_words).collect())?;
        Ok(reading.finish())
    }
}

/// A file half read.
#[derive(Default)]
struct Reading {
    config: Config,
    last: HashMap<String, usize>,
    obeyed: Vec<(usize, &'static ConfigOption)>,
    ignored: Vec<IgnoredProperty>,
    problems: Vec<(usize, String)>,
}

impl Reading {
    fn take(&mut self, property: Property) {
        let Property { line, name, value } = property;
        let Some(option) = table::of_property(&name) else { return self.take_unknown(line, name) };
        let taken = match &option.effect {
            Effect::None { because, granted } => {
                if *granted != Some(value.trim().to_lowercase().as_str()) {
                    self.ignore(line, name, *because);
                }
                return;
            }
            Effect::Obeyed(Shape::Dimensions(_)) => Err("cannot be given in a .properties file: \
                change Config::additional_metric_dims afterwards"
                .to_owned()),
            Effect::Obeyed(shape) => option.apply(&mut self.config, typed(shape, &value)),
        };
        let last = self.last.get(&name).copied().unwrap_or(line);
        match taken {
            Err(problem) => self.problems.push((line, format!("{name} {problem}{}", hint(&value)))),
            Ok(()) if last > line => self.ignore(line, name, format!("line {last} gives it again")),
            Ok(()) => self.obeyed.push((line, option)),
        }
    }

    fn take_unknown(&mut self, line: usize, name: String) {
        match nearest(&name, table::options().map(|option| option.property)) {
            Some(meant) => {
                let name = shortened(&name);
                self.problems.push((line, format!("{name} is no option: did you mean {meant}?")));
            }
            None => self.ignore(line, name, "there is no such option"),
        }
    }

    fn ignore(&mut self, line: usize, property: String, because: impl Into<String>) {
        self.ignored.push(IgnoredProperty { line, property, because: because.into() });
    }

    fn finish(mut self) -> (Config, PropertiesReport) {
        let default = Config::default();
        for (line, option) in std::mem::take(&mut self.obeyed) {
            let Some(because) = idle::idle(&self.config, option.name) else { continue };
            if option.shown(&self.config) != option.shown(&default) {
                self.ignore(line, option.property.to_owned(), because);
            }
        }
        self.ignored.sort_by_key(|ignored| ignored.line);
        (self.config, PropertiesReport { ignored: self.ignored })
    }
}

/// The line that counts for each name.
fn last_lines(properties: &[Property]) -> HashMap<String, usize> {
    properties.iter().map(|property| (property.name.clone(), property.line)).collect()
}

/// The text as the option's type reads it; what it cannot read stays a text, which the option refuses.
fn typed(shape: &Shape, text: &str) -> Value {
    let trimmed = text.trim();
    let as_text = || Value::Text(text.to_owned());
    match shape {
        Shape::Boolean(_) if trimmed.eq_ignore_ascii_case("true") => Value::Boolean(true),
        Shape::Boolean(_) if trimmed.eq_ignore_ascii_case("false") => Value::Boolean(false),
        Shape::Integer { .. }
        | Shape::OptionalInteger(_)
        | Shape::Time { .. }
        | Shape::OptionalTime { .. } => trimmed.parse().map_or_else(|_| as_text(), Value::Integer),
        Shape::Choice { .. } => Value::Text(trimmed.to_owned()),
        _ => as_text(),
    }
}

/// What is the matter, when it is one of the usual slips.
fn hint(value: &str) -> &'static str {
    match value.trim_end().chars().next_back() {
        Some(';') => " (without the ';' at the end)",
        _ => "",
    }
}

impl fmt::Display for IgnoredProperty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {} has no effect: {}", self.line, shortened(&self.property), self.because)
    }
}

#[cfg(test)]
mod tests;
