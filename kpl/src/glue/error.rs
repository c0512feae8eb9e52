//! Why a record could not be encoded with its schema.
//!
//! Invariant: each message says what failed, where, why, and what to do.

use crate::glue::registry_calls::SchemaVersionStatus;
use crate::glue::schema::{DataFormat, SchemaVersionId};

/// Why a record could not be encoded with its schema. The record was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlueError {
    /// The definition is not a schema of its format.
    #[error("the definition of schema {schema} is not {data_format}: {why}; correct the definition")]
    InvalidDefinition {
        /// The schema's name.
        schema: String,
        /// The format that it is said to have.
        data_format: DataFormat,
        /// The parser's words.
        why: String,
    },
    /// The data does not fit the schema.
    #[error("the data does not fit the {data_format} schema {schema}: {why}; correct the data or the schema")]
    InvalidData {
        /// The schema's name.
        schema: String,
        /// Its format.
        data_format: DataFormat,
        /// The validator's words.
        why: String,
    },
    /// The registry does not have this definition, and it may not be registered.
    #[error(
        "schema {schema} is not in the registry {registry} with this definition, and auto-registration is off: register \
         it, or set schema_auto_registration_enabled"
    )]
    NotRegistered {
        /// The schema's name.
        schema: String,
        /// The registry's name.
        registry: String,
    },
    /// The registry has the version, and it may not be used.
    #[error(
        "version {id} of schema {schema} is not available ({status:?}): if the registry refused it, make the definition \
         compatible with the versions before it, or change the schema's compatibility setting"
    )]
    NotAvailable {
        /// The schema's name.
        schema: String,
        /// The version.
        id: SchemaVersionId,
        /// What the registry says of it.
        status: SchemaVersionStatus,
    },
    /// A call to the registry failed, again and again if that could have helped.
    #[error(
        "{operation} for schema {schema} failed after {attempts} attempts: {code}: {message}; check that glue:{operation} is \
         allowed, and the region, endpoint and name of the registry"
    )]
    Call {
        /// The operation, such as `GetSchemaByDefinition`.
        operation: &'static str,
        /// The schema's name.
        schema: String,
        /// How often the call was made.
        attempts: u32,
        /// The code of the last answer.
        code: String,
        /// The message of the last answer.
        message: String,
    },
    /// The record has a schema, and the producer has no registry.
    #[error(
        "the record has a schema and the producer has no registry: give it one (ProducerBuilder::glue_schema_registry)"
    )]
    NoRegistry,
    /// `try_send` cannot wait for the registry, which was not asked about this schema yet.
    #[error(
        "the version of schema {schema} is not known yet: send the first record with send, which waits for the registry"
    )]
    NotYetKnown {
        /// The schema's name.
        schema: String,
    },
}
