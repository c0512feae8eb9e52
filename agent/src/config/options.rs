//! The table of all options of a configuration file: every key, where it stands, its type, default, range and
//! meaning.
//!
//! Invariant: this table is the only place that knows names, defaults and ranges. Resolving reads them from
//! here, "unknown key" means "not in here", and documentation is to be printed from here.

pub mod agent;
pub mod flow;
pub mod processing;

use std::ops::RangeInclusive;

/// The kind of object an option stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The top level of the file.
    Agent,
    /// An object in `flows`.
    Flow,
    /// An object in `dataProcessingOptions`.
    ProcessingOption,
}

/// What this agent does with an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has the documented effect.
    Honoured,
    /// Accepted in silence, without effect by design; the reason.
    NoEffect(&'static str),
    /// Accepted with a warning, because its author will miss the effect; what to do instead.
    Ignored(&'static str),
    /// Refused, because what is sent would differ from what the Java agent sends; what to do instead.
    NotSupportedYet(&'static str),
}

/// A whole number.
#[derive(Debug, Clone)]
pub struct IntegerOption {
    /// The key.
    pub name: &'static str,
    /// The value when the key is absent or null.
    pub default: i64,
    /// The values allowed.
    pub range: RangeInclusive<i64>,
}

/// True or false.
#[derive(Debug, Clone, Copy)]
pub struct BooleanOption {
    /// The key.
    pub name: &'static str,
    /// The value when the key is absent or null.
    pub default: bool,
}

/// A text.
#[derive(Debug, Clone, Copy)]
pub struct TextOption {
    /// The key.
    pub name: &'static str,
    /// The value when the key is absent or null.
    pub default: Option<&'static str>,
}

/// One of a few names, compared exactly.
#[derive(Debug, Clone, Copy)]
pub struct ChoiceOption {
    /// The key.
    pub name: &'static str,
    /// The value when the key is absent or null; without it the key is required.
    pub default: Option<&'static str>,
    /// The names to choose from.
    pub names: &'static [&'static str],
}

/// An array or any other value that is read by its own code.
#[derive(Debug, Clone, Copy)]
pub struct ValueOption {
    /// The key.
    pub name: &'static str,
    /// What it holds, for people.
    pub holds: &'static str,
}

/// The type of an option with everything that belongs to the type.
#[derive(Debug, Clone)]
pub enum Shape {
    /// A whole number.
    Integer(IntegerOption),
    /// True or false.
    Boolean(BooleanOption),
    /// A text.
    Text(TextOption),
    /// One of a few names.
    Choice(ChoiceOption),
    /// Anything else.
    Value(ValueOption),
}

/// One row of the table.
#[derive(Debug, Clone)]
pub struct OptionRow {
    /// Key, type, default and range.
    pub shape: Shape,
    /// What this agent does with it.
    pub status: Status,
    /// What it is for, in one line.
    pub doc: &'static str,
}

impl OptionRow {
    /// The key.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.shape {
            Shape::Integer(option) => option.name,
            Shape::Boolean(option) => option.name,
            Shape::Text(option) => option.name,
            Shape::Choice(option) => option.name,
            Shape::Value(option) => option.name,
        }
    }

    const fn honoured(shape: Shape, doc: &'static str) -> Self {
        Self { shape, status: Status::Honoured, doc }
    }

    const fn without_effect(shape: Shape, why: &'static str, doc: &'static str) -> Self {
        Self { shape, status: Status::NoEffect(why), doc }
    }

    const fn ignored(shape: Shape, instead: &'static str, doc: &'static str) -> Self {
        Self { shape, status: Status::Ignored(instead), doc }
    }

    const fn not_supported(shape: Shape, instead: &'static str, doc: &'static str) -> Self {
        Self { shape, status: Status::NotSupportedYet(instead), doc }
    }
}

/// The rows of one place, in the order in which documentation lists them.
#[must_use]
pub fn rows(place: Place) -> &'static [OptionRow] {
    match place {
        Place::Agent => agent::ROWS,
        Place::Flow => flow::ROWS,
        Place::ProcessingOption => processing::ROWS,
    }
}

/// The row of the key `name` in `place`.
#[must_use]
pub fn row(place: Place, name: &str) -> Option<&'static OptionRow> {
    rows(place).iter().find(|row| row.name() == name)
}

const fn whole_number(name: &'static str, default: i64, range: RangeInclusive<i64>) -> IntegerOption {
    IntegerOption { name, default, range }
}

const fn boolean(name: &'static str, default: bool) -> BooleanOption {
    BooleanOption { name, default }
}

const fn text(name: &'static str, default: Option<&'static str>) -> TextOption {
    TextOption { name, default }
}

const fn value(name: &'static str, holds: &'static str) -> ValueOption {
    ValueOption { name, holds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const PLACES: [Place; 3] = [Place::Agent, Place::Flow, Place::ProcessingOption];

    #[test]
    fn no_key_stands_twice_in_one_place() {
        for place in PLACES {
            let mut seen = HashSet::new();
            for row in rows(place) {
                assert!(seen.insert(row.name()), "{} in {place:?}", row.name());
                assert!(!row.doc.is_empty(), "{}", row.name());
            }
        }
    }

    #[test]
    fn defaults_are_values_that_would_be_accepted() {
        for row in PLACES.into_iter().flat_map(rows) {
            match &row.shape {
                Shape::Integer(option) => assert!(option.range.contains(&option.default), "{}", option.name),
                Shape::Choice(option) => {
                    assert!(
                        option.default.is_none_or(|name| option.names.contains(&name)),
                        "{}",
                        option.name
                    );
                }
                Shape::Boolean(_) | Shape::Text(_) | Shape::Value(_) => {}
            }
        }
    }
}
