//! Walks YAML text down to a path.
//!
//! YAML has too many ways to write a key for a scanner of our own. So the parser itself is sent down the path
//! and made to fail on purpose where the path ends (a scalar fails by itself, as the wrong type): its error
//! carries the position. Invariant: no tree is built.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::config::path::Step;
use crate::config::problem::Position;

/// The position of the key or the item at the end of `steps`.
pub(super) fn find(text: &str, steps: &[Step]) -> Option<Position> {
    let document = serde_yaml::Deserializer::from_str(text);
    let location = Descend(steps).deserialize(document).err()?.location()?;
    Some(Position { line: location.line(), column: location.column() })
}

/// Goes down these steps and fails at their end.
#[derive(Debug, Clone, Copy)]
struct Descend<'s>(&'s [Step]);

impl<'de> DeserializeSeed<'de> for Descend<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Descend<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (name, rest) = match self.0.split_first() {
            None => return Err(arrived()),
            Some((Step::Key(name), rest)) => (Some(name.as_str()), rest),
            Some((Step::Index(_), rest)) => (None, rest),
        };
        let stop_at_key = rest.is_empty();
        while let Some(matched) = members.next_key_seed(MatchKey { name, stop_at_key })? {
            if matched {
                members.next_value_seed(Descend(rest))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        match self.0.split_first() {
            None => return Err(arrived()),
            Some((Step::Index(wanted), rest)) => {
                for _ in 0..*wanted {
                    items.next_element::<IgnoredAny>()?;
                }
                items.next_element_seed(Descend(rest))?;
            }
            Some((Step::Key(_), _)) => {}
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Tells whether a key is the wanted one, and fails there if the path ends at it.
#[derive(Debug, Clone, Copy)]
struct MatchKey<'s> {
    name: Option<&'s str>,
    stop_at_key: bool,
}

impl<'de> DeserializeSeed<'de> for MatchKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MatchKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        let matched = self.name == Some(key);
        if matched && self.stop_at_key { Err(arrived()) } else { Ok(matched) }
    }
}

fn arrived<E: Error>() -> E {
    E::custom("the path ends here")
}
