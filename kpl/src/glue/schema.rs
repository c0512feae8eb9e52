//! A schema as a record names it, and the id that the registry gives each of its versions.
//!
//! Invariant: a schema's name and definition are within the registry's limits; a version's id prints and parses as the
//! UUID that Glue uses.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// Characters of a schema's definition (Glue API reference, `SchemaDefinitionString`).
const DEFINITION_CHARACTERS: usize = 170_000;
/// Characters of a schema's name (Glue API reference, `SchemaRegistryNameString`).
const NAME_CHARACTERS: usize = 255;

/// The format of a schema and of the data under it, in Glue's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataFormat {
    /// Apache Avro: a datum in the binary encoding, without a container file's header.
    Avro,
    /// JSON Schema.
    Json,
    /// Protocol Buffers.
    Protobuf,
}

/// A schema for the data of records: format, definition and name. Cloning copies a pointer, so make one and keep it.
///
/// ```
/// use kpl::glue::{DataFormat, Schema};
///
/// let schema = Schema::new(DataFormat::Json, r#"{"type": "object"}"#, "orders")?;
/// assert_eq!(schema.name(), "orders");
/// assert!(Schema::new(DataFormat::Json, "", "orders").is_err());
/// # Ok::<(), kpl::glue::InvalidSchema>(())
/// ```
#[derive(Clone)]
pub struct Schema(Arc<Parts>);

struct Parts {
    data_format: DataFormat,
    definition: String,
    name: String,
    /// The hash of all of it: definitions are long, and each record looks its schema up.
    hash: u64,
}

/// Why a schema cannot be one of the registry's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSchema {
    /// There is no definition.
    #[error("the schema definition is empty: give the schema's text")]
    EmptyDefinition,
    /// The definition is longer than the registry takes.
    #[error("the schema definition has {characters} characters: the registry takes 170000")]
    DefinitionTooLong {
        /// How many it has.
        characters: usize,
    },
    /// The name is not one of the registry's.
    #[error("the schema's name has to be 1 to 255 of A-Z, a-z, 0-9, '-', '_', '$', '#' and '.'")]
    Name,
}

/// The id of one version of a schema: 16 bytes, written as a UUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SchemaVersionId(pub [u8; 16]);

/// A text that is no UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a schema version id has 32 hexadecimal digits, with hyphens after the 8th, 12th, 16th and 20th")]
pub struct InvalidSchemaVersionId;

// === impl DataFormat ===

impl DataFormat {
    /// The format in Glue's spelling: `AVRO`, `JSON` or `PROTOBUF`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }
}

impl fmt::Display for DataFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

// === impl Schema ===

impl Schema {
    /// A schema.
    ///
    /// # Errors
    ///
    /// [`InvalidSchema`]: an empty or over-long definition, or a name that the registry does not take. Whether the
    /// definition is right in its format shows when the first record is encoded.
    pub fn new(
        data_format: DataFormat,
        definition: impl Into<String>,
        name: impl Into<String>,
    ) -> Result<Self, InvalidSchema> {
        let (definition, name) = (definition.into(), name.into());
        if definition.is_empty() {
            return Err(InvalidSchema::EmptyDefinition);
        }
        let characters = definition.chars().count();
        if characters > DEFINITION_CHARACTERS {
            return Err(InvalidSchema::DefinitionTooLong { characters });
        }
        if !is_name(&name) {
            return Err(InvalidSchema::Name);
        }
        let mut hasher = DefaultHasher::new();
        (data_format, &definition, &name).hash(&mut hasher);
        Ok(Self(Arc::new(Parts { data_format, definition, name, hash: hasher.finish() })))
    }

    /// Its format.
    #[must_use]
    pub fn data_format(&self) -> DataFormat {
        self.0.data_format
    }

    /// Its text.
    #[must_use]
    pub fn definition(&self) -> &str {
        &self.0.definition
    }

    /// Its name in the registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_$#.".contains(&byte);
    (1..=NAME_CHARACTERS).contains(&text.len()) && text.bytes().all(allowed)
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        let content = |schema: &Self| (schema.0.hash, schema.0.data_format);
        Arc::ptr_eq(&self.0, &other.0)
            || (content(self) == content(other)
                && self.name() == other.name()
                && self.definition() == other.definition())
    }
}

impl Eq for Schema {}

impl Hash for Schema {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Schema({} {:?})", self.data_format(), self.name())
    }
}

// === impl SchemaVersionId ===

impl fmt::Display for SchemaVersionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let hyphen = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(formatter, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SchemaVersionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for SchemaVersionId {
    type Err = InvalidSchemaVersionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hyphens_stand_right =
            text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-');
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
        if !hyphens_stand_right || digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(InvalidSchemaVersionId);
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let digit = |at: usize| (pair[at] as char).to_digit(16).unwrap_or(0) as u8;
            *byte = digit(0) << 4 | digit(1);
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_id_is_read_as_it_is_written() {
        let text = "01234567-89ab-cdef-0011-2233445566ff";
        let id: SchemaVersionId = text.parse().expect("a UUID");
        assert_eq!((id.to_string().as_str(), id.0[0], id.0[15]), (text, 0x01, 0xff));
        assert_eq!(text.to_uppercase().parse(), Ok(id));
        for wrong in
            ["", "x", &text[1..], &text.replace('-', ""), &text.replace('a', "g"), &text.replace("-8", "8-")]
        {
            assert_eq!(wrong.parse::<SchemaVersionId>(), Err(InvalidSchemaVersionId), "{wrong}");
        }
    }

    #[test]
    fn schemas_are_equal_by_their_content() {
        let schema =
            |format, definition: &str, name: &str| Schema::new(format, definition, name).expect("valid");
        let one = schema(DataFormat::Json, "{}", "a");
        assert_eq!(one, schema(DataFormat::Json, "{}", "a"));
        for other in [
            schema(DataFormat::Avro, "{}", "a"),
            schema(DataFormat::Json, "{ }", "a"),
            schema(DataFormat::Json, "{}", "b"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn names_and_definitions_have_limits() {
        assert_eq!(Schema::new(DataFormat::Json, "", "a"), Err(InvalidSchema::EmptyDefinition));
        let name = |name: &str| Schema::new(DataFormat::Json, "{}", name).map(|_| ());
        assert_eq!(name(&"a".repeat(255)), Ok(()));
        for wrong in ["", "with space", "ä", &"a".repeat(256)] {
            assert_eq!(name(wrong), Err(InvalidSchema::Name), "{wrong}");
        }
        let definition = |length| Schema::new(DataFormat::Json, "é".repeat(length), "a").map(|_| ());
        assert_eq!(definition(170_000), Ok(()));
        assert_eq!(definition(170_001), Err(InvalidSchema::DefinitionTooLong { characters: 170_001 }));
    }
}
