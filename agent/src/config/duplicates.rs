//! Finds keys that stand twice in one object of a JSON text, which JSON allows and the Java agent does not
//! mention.
//!
//! Invariant: only looks; the tree is built elsewhere, with the last of the values, as the Java agent does.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::path::ConfigPath;

/// The paths of all keys that have stood in their object before.
pub(super) fn duplicate_keys(json: &str) -> Vec<ConfigPath> {
    let mut duplicates = Vec::new();
    let seed = Look { path: ConfigPath::root(), duplicates: &mut duplicates };
    // A broken text is reported by whoever builds the tree.
    let _ = seed.deserialize(&mut serde_json::Deserializer::from_str(json));
    duplicates
}

/// Looks at the value at `path`.
#[derive(Debug)]
struct Look<'d> {
    path: ConfigPath,
    duplicates: &'d mut Vec<ConfigPath>,
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            let path = self.path.key(&key);
            if !seen.insert(key) {
                self.duplicates.push(path.clone());
            }
            members.next_value_seed(Look { path, duplicates: self.duplicates })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        while items
            .next_element_seed(Look { path: self.path.index(index), duplicates: self.duplicates })?
            .is_some()
        {
            index += 1;
        }
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_given_twice_are_found() {
        let table: [(&str, &[&str]); 4] = [
            (r#"{"a":1,"b":[{"a":1},{"c":null,"c":"x"}]}"#, &["b[1].c"]),
            (r#"{"a":{"x":1.5},"a":{"x":-2},"a":true}"#, &["a", "a"]),
            (r#"{"a":1,"\u0061":2}"#, &["a"]),
            (r#"{"a":1,"#, &[]),
        ];
        for (text, expected) in table {
            let found: Vec<String> = duplicate_keys(text).iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
