//! One option: its names, what values it takes, where it stands in [`Config`].
//!
//! Invariant: what [`ConfigOption::apply`] wrote passes [`ConfigOption::check`].

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::choices::AdditionalMetricDimension;
use crate::config::value::Value;
use crate::config::{Config, dimensions, lawful};

/// One row of the table.
pub(super) struct ConfigOption {
    /// The name here and in serde's formats.
    pub(super) name: &'static str,
    /// The name in a `.properties` file.
    pub(super) property: &'static str,
    /// Whether the KPL has it.
    #[cfg_attr(not(test), expect(dead_code, reason = "CONFIGURATION.md is written and compared by a test"))]
    pub(super) origin: Origin,
    /// What it does.
    pub(super) effect: Effect,
    /// What it is for, in one line.
    #[cfg_attr(not(test), expect(dead_code, reason = "CONFIGURATION.md is written and compared by a test"))]
    pub(super) doc: &'static str,
}

/// Who thought an option up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The KPL.
    Kpl,
    /// This crate.
    Ours,
}

/// What an option does here.
pub(super) enum Effect {
    /// It is obeyed.
    Obeyed(Shape),
    /// Nothing.
    None {
        /// Why, and what to do instead.
        because: &'static str,
        /// The value, if there is one, that asks for what is the case anyway.
        granted: Option<&'static str>,
    },
}

/// How a value is read from a configuration and written to it.
pub(super) struct Access<T> {
    pub(super) get: fn(&Config) -> T,
    pub(super) set: fn(&mut Config, T),
}

/// The type of an option with everything that belongs to the type.
pub(super) enum Shape {
    /// True or false.
    Boolean(Access<bool>),
    /// A whole number that is always there.
    Integer { range: RangeInclusive<u64>, access: Access<u64> },
    /// Any whole number, or none.
    OptionalInteger(Access<Option<u64>>),
    /// A time that is always there. In files: milliseconds.
    Time { range: RangeInclusive<Duration>, access: Access<Duration> },
    /// A time, or none, which is for ever. In files: milliseconds.
    OptionalTime { least: Duration, access: Access<Option<Duration>> },
    /// One of a few names.
    Choice { names: fn() -> Vec<&'static str>, get: fn(&Config) -> &'static str, set: fn(&mut Config, &str) },
    /// A text that is always there.
    Text { lawful: lawful::Rule, access: Access<String> },
    /// A text, or none, which in files is the empty text too.
    OptionalText { lawful: lawful::Rule, access: Access<Option<String>>, visible: Visible },
    /// The additional metric dimensions.
    Dimensions(Access<Vec<AdditionalMetricDimension>>),
}

/// Whether a value may be seen in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visible {
    Yes,
    No,
}

impl ConfigOption {
    /// Whether the option's value in `config` is lawful; the error goes on after the option's name.
    pub(super) fn check(&self, config: &Config) -> Result<(), String> {
        match &self.effect {
            Effect::Obeyed(shape) => shape.check(config),
            Effect::None { .. } => Ok(()),
        }
    }

    /// Writes `value`, if it is lawful; the error goes on after the option's name.
    pub(super) fn apply(&self, config: &mut Config, value: Value) -> Result<(), String> {
        let Effect::Obeyed(shape) = &self.effect else { return Ok(()) };
        let mut changed = config.clone();
        shape.set(&mut changed, value)?;
        shape.check(&changed)?;
        *config = changed;
        Ok(())
    }

    /// The option's value in `config` for people; `None` is for none.
    pub(super) fn shown(&self, config: &Config) -> Option<String> {
        match &self.effect {
            Effect::Obeyed(shape) => shape.shown(config),
            Effect::None { .. } => None,
        }
    }
}

impl Shape {
    fn check(&self, config: &Config) -> Result<(), String> {
        match self {
            Self::Boolean(_) | Self::OptionalInteger(_) | Self::Choice { .. } => Ok(()),
            Self::Integer { range, access } => {
                let value = (access.get)(config);
                self.refuse_unless(range.contains(&value), || Value::Integer(value.into()))
            }
            Self::Time { range, access } => self.check_time(range.contains(&(access.get)(config)), config),
            Self::OptionalTime { least, access } => {
                self.check_time((access.get)(config).is_none_or(|time| time >= *least), config)
            }
            Self::Text { lawful, access } => self.check_text(*lawful, Some((access.get)(config))),
            Self::OptionalText { lawful, access, .. } => self.check_text(*lawful, (access.get)(config)),
            Self::Dimensions(access) => dimensions::check(&(access.get)(config)),
        }
    }

    fn check_time(&self, lawful: bool, config: &Config) -> Result<(), String> {
        self.refuse_unless(lawful, || Value::Other(format!("{} ms", self.shown(config).unwrap_or_default())))
    }

    fn check_text(&self, rule: lawful::Rule, text: Option<String>) -> Result<(), String> {
        match text {
            Some(text) => self.refuse_unless((rule.accepts)(&text), || Value::Text(text.clone())),
            None => Ok(()),
        }
    }

    fn refuse_unless(&self, lawful: bool, value: impl FnOnce() -> Value) -> Result<(), String> {
        if lawful { Ok(()) } else { Err(self.refusal(&value())) }
    }

    fn set(&self, config: &mut Config, value: Value) -> Result<(), String> {
        match (self, value) {
            (Self::Boolean(access), Value::Boolean(value)) => (access.set)(config, value),
            (Self::Integer { range, access }, Value::Integer(value)) => {
                let whole = u64::try_from(value).ok().filter(|whole| range.contains(whole));
                (access.set)(config, whole.ok_or_else(|| self.refusal(&Value::Integer(value)))?);
            }
            (Self::OptionalInteger(access), Value::Integer(value)) => {
                let whole = u64::try_from(value).map_err(|_| self.refusal(&Value::Integer(value)))?;
                (access.set)(config, Some(whole));
            }
            (Self::OptionalInteger(access), Value::Absent) => (access.set)(config, None),
            (Self::Time { access, .. }, Value::Integer(value)) => (access.set)(config, self.time(value)?),
            (Self::OptionalTime { access, .. }, Value::Integer(value)) => {
                (access.set)(config, Some(self.time(value)?));
            }
            (Self::OptionalTime { access, .. }, Value::Absent) => (access.set)(config, None),
            (Self::Choice { names, set, .. }, Value::Text(name)) => {
                if !names().iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                    return Err(self.refusal(&Value::Text(name)));
                }
                set(config, &name);
            }
            (Self::Text { access, .. }, Value::Text(text)) => (access.set)(config, text),
            (Self::OptionalText { access, .. }, Value::Text(text)) => {
                (access.set)(config, Some(text).filter(|text| !text.is_empty()));
            }
            (Self::OptionalText { access, .. }, Value::Absent) => (access.set)(config, None),
            (Self::Dimensions(access), Value::List(list)) => (access.set)(config, dimensions::read(list)?),
            (_, value) => return Err(self.refusal(&value)),
        }
        Ok(())
    }

    fn time(&self, milliseconds: i128) -> Result<Duration, String> {
        let whole = u64::try_from(milliseconds).map_err(|_| self.refusal(&Value::Integer(milliseconds)))?;
        Ok(Duration::from_millis(whole))
    }

    fn refusal(&self, value: &Value) -> String {
        let demand = self.demand();
        match self {
            Self::OptionalText { visible: Visible::No, .. } => format!("is not what it has to be: {demand}"),
            _ => format!("is {value}: {demand}"),
        }
    }

    /// What the option wants, as an instruction.
    fn demand(&self) -> String {
        match self {
            Self::Boolean(_) => "give true or false".to_owned(),
            Self::Integer { range, .. } => format!("give {}", range_in_words(*range.start(), *range.end())),
            Self::OptionalInteger(_) => "give a whole number, 0 or more, or leave it out".to_owned(),
            Self::Time { .. } | Self::OptionalTime { .. } => format!("give {} ms", self.values()),
            Self::Choice { names, .. } => format!("give {}", names().join(" or ")),
            Self::Text { lawful, .. } | Self::OptionalText { lawful, .. } => format!("give {}", lawful.wants),
            Self::Dimensions(_) => "give a list of {name, value, granularity}".to_owned(),
        }
    }

    /// The values that the option takes in a file, for people.
    pub(super) fn values(&self) -> String {
        match self {
            Self::Boolean(_) => "true or false".to_owned(),
            Self::Integer { range, .. } => range_in_words(*range.start(), *range.end()),
            Self::OptionalInteger(_) => range_in_words(0, u64::MAX),
            Self::Time { range, .. } => {
                range_in_words(milliseconds(*range.start()), milliseconds(*range.end()))
            }
            Self::OptionalTime { least, .. } => range_in_words(milliseconds(*least), u64::MAX),
            Self::Choice { names, .. } => names().join(", "),
            Self::Text { lawful, .. } | Self::OptionalText { lawful, .. } => lawful.wants.to_owned(),
            Self::Dimensions(_) => "a list of {name, value, granularity}".to_owned(),
        }
    }

    fn shown(&self, config: &Config) -> Option<String> {
        match self {
            Self::Boolean(access) => Some((access.get)(config).to_string()),
            Self::Integer { access, .. } => Some((access.get)(config).to_string()),
            Self::OptionalInteger(access) => (access.get)(config).map(|value| value.to_string()),
            Self::Time { access, .. } => Some(milliseconds((access.get)(config)).to_string()),
            Self::OptionalTime { access, .. } => {
                (access.get)(config).map(|time| milliseconds(time).to_string())
            }
            Self::Choice { get, .. } => Some(get(config).to_owned()),
            Self::Text { access, .. } => Some((access.get)(config)),
            Self::OptionalText { access, visible: Visible::Yes, .. } => (access.get)(config),
            Self::OptionalText { access, visible: Visible::No, .. } => {
                (access.get)(config).map(|_| "***".to_owned())
            }
            Self::Dimensions(access) => {
                let dimensions = (access.get)(config);
                (!dimensions.is_empty()).then(|| format!("{} dimensions", dimensions.len()))
            }
        }
    }
}

fn range_in_words(least: u64, most: u64) -> String {
    if most == u64::MAX { format!("{least} or more") } else { format!("{least} to {most}") }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
