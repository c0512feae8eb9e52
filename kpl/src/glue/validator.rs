//! Whether data fits its schema: JSON by JSON Schema, Avro by decoding it; Protobuf is not looked at.
//!
//! A JSON schema says by `$schema` which draft it follows; without one it is draft 4, as for AWS's serialiser. References
//! to other documents are not followed, as there: what they name would have to be fetched.
//!
//! Invariant: nothing is read but the schema and the data.

use std::io::Read;

use apache_avro::reader::datum::GenericDatumReader;
use serde_json::Value;

use crate::glue::error::GlueError;
use crate::glue::schema::{DataFormat, Schema};

/// A schema ready to check data.
pub(crate) enum Validator {
    /// A JSON schema.
    Json(Box<jsonschema::Validator>),
    /// An Avro schema.
    Avro(Box<apache_avro::Schema>),
    /// A schema that data is not checked against.
    Unchecked,
}

impl Validator {
    /// The validator of a schema.
    pub(crate) fn of(schema: &Schema) -> Result<Self, GlueError> {
        let validator = match schema.data_format() {
            DataFormat::Json => json(schema.definition()),
            DataFormat::Avro => apache_avro::Schema::parse_str(schema.definition())
                .map(|parsed| Self::Avro(Box::new(parsed)))
                .map_err(|error| error.to_string()),
            DataFormat::Protobuf => Ok(Self::Unchecked),
        };
        validator.map_err(|why| GlueError::InvalidDefinition {
            schema: schema.name().to_owned(),
            data_format: schema.data_format(),
            why,
        })
    }

    /// Checks the data of a record of this schema.
    pub(crate) fn check(&self, schema: &Schema, data: &[u8]) -> Result<(), GlueError> {
        let checked = match self {
            Self::Json(validator) => check_json(validator, data),
            Self::Avro(avro) => check_avro(avro, data),
            Self::Unchecked => Ok(()),
        };
        checked.map_err(|why| GlueError::InvalidData {
            schema: schema.name().to_owned(),
            data_format: schema.data_format(),
            why,
        })
    }
}

fn json(definition: &str) -> Result<Validator, String> {
    let definition: Value = serde_json::from_str(definition).map_err(|error| error.to_string())?;
    let options = match definition.get("$schema") {
        Some(_) => jsonschema::options(),
        None => jsonschema::options().with_draft(jsonschema::Draft::Draft4),
    };
    let validator = options.build(&definition).map_err(|error| error.to_string())?;
    Ok(Validator::Json(Box::new(validator)))
}

fn check_json(validator: &jsonschema::Validator, data: &[u8]) -> Result<(), String> {
    let value: Value = serde_json::from_slice(data).map_err(|error| format!("no JSON: {error}"))?;
    validator.validate(&value).map_err(|error| format!("{error} (at {:?})", error.instance_path().as_str()))
}

/// A datum that notes when more is read than there is: the decoder takes a string that is cut off for an empty one.
struct Datum<'a> {
    rest: &'a [u8],
    ran_out: bool,
}

impl Read for Datum<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.ran_out |= buffer.len() > self.rest.len();
        self.rest.read(buffer)
    }
}

fn check_avro(schema: &apache_avro::Schema, data: &[u8]) -> Result<(), String> {
    let mut datum = Datum { rest: data, ran_out: false };
    let reader = GenericDatumReader::builder(schema).build().map_err(|error| error.to_string())?;
    reader.read_value(&mut datum).map_err(|error| error.to_string())?;
    match datum.rest.len() {
        0 if datum.ran_out => Err("the datum is cut off".to_owned()),
        0 => Ok(()),
        bytes => Err(format!("{bytes} bytes follow the datum")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str =
        r#"{"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}"#;
    const USER: &str =
        r#"{"type": "record", "name": "User", "fields": [{"name": "name", "type": "string"}]}"#;

    fn check(format: DataFormat, definition: &str, data: &[u8]) -> Result<(), GlueError> {
        let schema = Schema::new(format, definition, "s").expect("a schema");
        Validator::of(&schema)?.check(&schema, data)
    }

    #[test]
    fn json_is_checked() {
        assert_eq!(check(DataFormat::Json, ORDER, br#"{"id": 1}"#), Ok(()));
        for wrong in [&br#"{"id": "1"}"#[..], b"{}", b"[]", b"", b"{", b"{\"id\": 1} x", b"\xff"] {
            assert!(
                matches!(check(DataFormat::Json, ORDER, wrong), Err(GlueError::InvalidData { .. })),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_json_schema_without_a_draft_is_of_draft_4() {
        let exclusive = |draft: &str| format!(r#"{{{draft} "minimum": 1, "exclusiveMinimum": true}}"#);
        assert!(check(DataFormat::Json, &exclusive(""), b"1").is_err(), "a boolean in draft 4");
        let seven = r#""$schema": "http://json-schema.org/draft-07/schema#","#;
        let refused = check(DataFormat::Json, &exclusive(seven), b"2");
        assert!(
            matches!(refused, Err(GlueError::InvalidDefinition { .. })),
            "a number since draft 6: {refused:?}"
        );
    }

    #[test]
    fn references_to_other_documents_are_refused_and_not_fetched() {
        let refused = check(DataFormat::Json, r#"{"$ref": "http://127.0.0.1:9/schema.json"}"#, b"1");
        assert!(matches!(refused, Err(GlueError::InvalidDefinition { .. })), "{refused:?}");
    }

    #[test]
    fn avro_is_checked() {
        assert_eq!(check(DataFormat::Avro, USER, b"\x04ab"), Ok(()));
        for wrong in [&b""[..], b"\x04a", b"\x04abc", b"\x01"] {
            assert!(
                matches!(check(DataFormat::Avro, USER, wrong), Err(GlueError::InvalidData { .. })),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_definition_that_is_none_is_reported() {
        for (format, definition) in [
            (DataFormat::Json, "{"),
            (DataFormat::Json, r#"{"type": "no such type"}"#),
            (DataFormat::Avro, "{}"),
            (DataFormat::Avro, "record User"),
        ] {
            let refused = check(format, definition, b"1");
            assert!(matches!(refused, Err(GlueError::InvalidDefinition { .. })), "{definition}: {refused:?}");
        }
    }

    #[test]
    fn protobuf_is_not_looked_at() {
        assert_eq!(check(DataFormat::Protobuf, "syntax = \"proto3\";", b"\xff"), Ok(()));
    }
}
