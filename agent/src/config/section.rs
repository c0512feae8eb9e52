//! Reads options out of one object of the tree, guided by the table of options.
//!
//! Invariant: a getter always returns a value of the right type; where the file holds none, it has reported
//! an error and returns the default, so that the rest of the file is checked too. The result of a file with
//! errors is thrown away.

use std::time::Duration;

use serde_json::{Map, Value};

use super::coerce::{self, Misfit};
use super::findings::Findings;
use super::options::{self, BooleanOption, ChoiceOption, IntegerOption, Place, Status, TextOption};
use super::path::ConfigPath;
use super::suggest::{did_you_mean, nearest};

/// One object of the tree.
#[derive(Debug)]
pub(super) struct Section<'a> {
    place: Place,
    path: ConfigPath,
    members: &'a Map<String, Value>,
    findings: &'a mut Findings,
}

impl<'a> Section<'a> {
    /// The object at `path`; reports an error if `value` is none.
    pub(super) fn open(
        place: Place,
        value: &'a Value,
        path: ConfigPath,
        findings: &'a mut Findings,
    ) -> Option<Self> {
        match value {
            Value::Object(members) => Some(Self { place, path, members, findings }),
            other => {
                let misfit = coerce::misfit("an object ({ ... })", other, None);
                findings.error(path, misfit.message, None);
                None
            }
        }
    }

    /// The value of a key; null counts as absent.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A whole number inside its range.
    pub(super) fn whole_number(&mut self, option: &IntegerOption) -> i64 {
        let Some(value) = self.value(option.name) else { return option.default };
        match coerce::whole_number(value) {
            Ok(number) if option.range.contains(&number) => number,
            Ok(number) => {
                self.error(option.name, out_of_range(number, option), None);
                option.default
            }
            Err(misfit) => self.misfit(option.name, misfit, option.default),
        }
    }

    /// A number of milliseconds, at least `least`.
    pub(super) fn milliseconds(&mut self, option: &IntegerOption, least: u64) -> Duration {
        let millis = u64::try_from(self.whole_number(option)).unwrap_or(0);
        Duration::from_millis(millis.max(least))
    }

    /// A whole number as a size; below zero counts as zero.
    pub(super) fn size(&mut self, option: &IntegerOption) -> usize {
        usize::try_from(self.whole_number(option)).unwrap_or(0)
    }

    /// True or false.
    pub(super) fn boolean(&mut self, option: &BooleanOption) -> bool {
        let Some(value) = self.value(option.name) else { return option.default };
        coerce::boolean(value).unwrap_or_else(|misfit| self.misfit(option.name, misfit, option.default))
    }

    /// A text, or its default.
    pub(super) fn text(&mut self, option: &TextOption) -> Option<String> {
        let default = option.default.map(str::to_owned);
        let Some(value) = self.value(option.name) else { return default };
        coerce::text(value).map_or_else(|misfit| self.misfit(option.name, misfit, default), Some)
    }

    /// A text; an empty one counts as absent.
    pub(super) fn non_empty_text(&mut self, option: &TextOption) -> Option<String> {
        let text = self.text(option).filter(|text| !text.is_empty());
        text.or_else(|| option.default.map(str::to_owned))
    }

    /// One of the option's names; `None` after an error.
    pub(super) fn choice(&mut self, option: &ChoiceOption) -> Option<&'static str> {
        let Some(value) = self.value(option.name) else {
            if option.default.is_none() {
                let hint = format!("choose one of {}", option.names.join(", "));
                self.missing(option.name, Some(hint));
            }
            return option.default;
        };
        let found = option.names.iter().find(|name| value.as_str() == Some(name)).copied();
        if found.is_none() {
            let (message, hint) = not_a_choice(value, option);
            self.error(option.name, message, Some(hint));
        }
        found
    }

    /// The items of an array with their paths; `None` if the key is absent or, with an error, no array.
    pub(super) fn items(&mut self, name: &str) -> Option<Vec<(ConfigPath, &'a Value)>> {
        let value = self.value(name)?;
        let Value::Array(items) = value else {
            let hint = "put it into brackets: [ ... ]".to_owned();
            self.error(name, coerce::misfit("an array", value, None).message, Some(hint));
            return None;
        };
        let path = self.path.key(name);
        Some(items.iter().enumerate().map(|(index, item)| (path.index(index), item)).collect())
    }

    /// Reports an error at a key of this object.
    pub(super) fn error(&mut self, name: &str, message: String, hint: Option<String>) {
        self.findings.error(self.path.key(name), message, hint);
    }

    /// Reports a doubt at a key of this object.
    pub(super) fn warn(&mut self, name: &str, message: &str, hint: &str) {
        self.findings.warn(self.path.key(name), message.to_owned(), Some(hint.to_owned()));
    }

    /// Reports that a key must be there.
    pub(super) fn missing(&mut self, name: &str, hint: Option<String>) {
        let misspelt = self.members.keys().filter(|key| options::row(self.place, key).is_none());
        let similar = misspelt.map(String::as_str).find(|key| nearest(key, [name]).is_some());
        let hint = similar.map(|key| format!("is \"{key}\" meant?")).or(hint);
        self.findings.error(self.path.clone(), format!("the required key \"{name}\" is missing"), hint);
    }

    /// Refuses a key of the Java agent that has no equal here yet, with the advice of the table.
    pub(super) fn refuse(&mut self, name: &str) {
        if let Some(Status::NotSupportedYet(advice)) = options::row(self.place, name).map(|row| row.status) {
            self.error(name, "not supported yet".to_owned(), Some(advice.to_owned()));
        }
    }

    /// Warns of keys that mean nothing here.
    pub(super) fn check_keys(&mut self) {
        for (name, value) in self.members {
            match options::row(self.place, name).map(|row| row.status) {
                None => {
                    let hint = unknown_key_hint(self.place, name);
                    self.findings.warn(self.path.key(name), "unknown key".to_owned(), hint);
                }
                Some(Status::Ignored(instead)) if !value.is_null() => {
                    self.warn(name, "has no effect", instead);
                }
                Some(_) => {}
            }
        }
    }

    /// Everything found so far, for reading an object inside this one.
    pub(super) fn findings(&mut self) -> &mut Findings {
        self.findings
    }

    fn misfit<T>(&mut self, name: &str, misfit: Misfit, default: T) -> T {
        self.error(name, misfit.message, misfit.hint);
        default
    }
}

fn unknown_key_hint(place: Place, name: &str) -> Option<String> {
    let elsewhere = |other: Place| other != place && options::row(other, name).is_some();
    if elsewhere(Place::Flow) {
        Some("it belongs into an object of \"flows\"".to_owned())
    } else if elsewhere(Place::ProcessingOption) {
        Some("it belongs into an object of \"dataProcessingOptions\"".to_owned())
    } else if elsewhere(Place::Agent) {
        Some("it belongs at the top level of the file".to_owned())
    } else {
        let mut names = options::rows(place).iter().map(options::OptionRow::name);
        let nested =
            names.clone().find(|known| known.split_once('.').is_some_and(|(group, _)| group == name));
        match nested {
            Some(known) => Some(format!("write names with a dot as one key, for example \"{known}\"")),
            None => did_you_mean(name, &mut names),
        }
    }
}

fn not_a_choice(value: &Value, option: &ChoiceOption) -> (String, String) {
    let message = coerce::misfit(&format!("one of {}", option.names.join(", ")), value, None).message;
    let near = value.as_str().and_then(|text| did_you_mean(text, option.names.iter().copied()));
    (message, near.unwrap_or_else(|| "the names are case-sensitive".to_owned()))
}

fn out_of_range(number: i64, option: &IntegerOption) -> String {
    let (least, most) = (*option.range.start(), *option.range.end());
    let unit =
        ["Millis", "Seconds", "Days", "Bytes", "Records"].iter().find(|unit| option.name.ends_with(*unit));
    let unit = match unit {
        Some(&"Millis") => " milliseconds".to_owned(),
        Some(unit) => format!(" {}", unit.to_ascii_lowercase()),
        None => String::new(),
    };
    if most >= i64::from(i32::MAX) {
        format!("{number} is outside of the valid range: at least {least}{unit}")
    } else {
        format!("{number} is outside of the valid range: {least} to {most}{unit}")
    }
}
