//! Reading a configuration from any format of serde's that describes itself, such as JSON, YAML or TOML.
//!
//! Invariant: every entry is obeyed or a problem, and all problems are reported at once.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::config::option::Effect;
use crate::config::suggest::nearest;
use crate::config::value::{Value, shortened};
use crate::config::{Config, ConfigError, table};

/// A map of the options' names to their values; times are whole milliseconds, and what is left out keeps its default.
/// The connection's options stand beside the others.
///
/// Unknown names, and options of the KPL without effect here, are problems; all problems are in one error.
///
/// ```
/// let text = r#"{ "record_ttl": null, "region": "eu-west-1", "metrics_level": "none" }"#;
/// let config: kpl::Config = serde_json::from_str(text)?;
/// assert_eq!(config.connection.region.as_deref(), Some("eu-west-1"));
///
/// let error = serde_json::from_str::<kpl::Config>(r#"{ "record_tll": 1, "rate_limit": 0 }"#).unwrap_err();
/// assert!(error.to_string().contains("record_tll is no option: did you mean record_ttl?"));
/// assert!(error.to_string().contains("rate_limit is 0: give 1 or more"));
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Options)
    }
}

struct Options;

impl<'de> Visitor<'de> for Options {
    type Value = Config;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of the producer's options")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Config, A::Error> {
        let (mut config, mut problems, mut seen) = (Config::default(), Vec::new(), BTreeSet::new());
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value::<Value>()?;
            if let Err(problem) = take(&mut config, &name, value) {
                problems.push(format!("{} {problem}", shortened(&name)));
            } else if !seen.insert(name.clone()) {
                problems.push(format!("{name} stands there twice"));
            }
        }
        ConfigError::unless_empty(problems).map_err(A::Error::custom)?;
        Ok(config)
    }
}

fn take(config: &mut Config, name: &str, value: Value) -> Result<(), String> {
    let Some(option) = table::named(name) else {
        let meant = nearest(name, table::options().map(|option| option.name));
        return Err(meant.map_or_else(
            || "is no option".to_owned(),
            |meant| format!("is no option: did you mean {meant}?"),
        ));
    };
    match &option.effect {
        Effect::Obeyed(_) => option.apply(config, value),
        Effect::None { granted: Some(granted), .. } if value.plain() == *granted => Ok(()),
        Effect::None { because, .. } => Err(format!("has no effect: {because}")),
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an option's value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Other(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry::<String, Value>()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }
}

#[cfg(test)]
mod tests;
