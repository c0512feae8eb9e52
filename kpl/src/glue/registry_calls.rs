//! Requests to the registry and its answers, in Glue's terms.
//!
//! Invariant: none of its own.

use std::collections::BTreeMap;

use crate::glue::configuration::Compatibility;
use crate::glue::schema::{DataFormat, Schema, SchemaVersionId};

/// Glue's code for a schema, or a version of one, that is not there (Glue API reference).
pub(crate) const NOT_FOUND: &str = "EntityNotFoundException";
/// Glue's code for a schema that another producer has just created.
pub(crate) const ALREADY_EXISTS: &str = "AlreadyExistsException";

/// Codes that say something about the request itself, so that making it again is of no use.
const ABOUT_THE_REQUEST: &[&str] = &[
    NOT_FOUND,
    ALREADY_EXISTS,
    "InvalidInputException",
    "ResourceNumberLimitExceededException",
    "SerializationException",
    "ValidationException",
    "ConstructionFailure",
];

/// One version of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaVersion {
    /// Its id.
    pub id: SchemaVersionId,
    /// Whether it may be used.
    pub status: SchemaVersionStatus,
}

/// How far the registry has come with a version (Glue API reference, `SchemaVersionStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaVersionStatus {
    /// It may be used.
    Available,
    /// Its compatibility is being checked.
    Pending,
    /// It is not compatible with the versions before it.
    Failure,
    /// It is being deleted.
    Deleting,
    /// A status that this crate does not know.
    Unknown,
}

/// A version with the schema that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSchemaVersion {
    /// The version.
    pub version: SchemaVersion,
    /// The schema's text.
    pub definition: String,
    /// The schema's format; `None` for one that this crate does not know.
    pub data_format: Option<DataFormat>,
}

/// A CreateSchema call.
#[derive(Debug, Clone)]
pub struct CreateSchemaRequest {
    /// The registry's name.
    pub registry_name: String,
    /// The schema, which becomes its own first version.
    pub schema: Schema,
    /// What later versions have to be compatible with.
    pub compatibility: Compatibility,
    /// For people; `None` for none.
    pub description: Option<String>,
    /// AWS tags of the schema.
    pub tags: BTreeMap<String, String>,
}

/// Whether a call that failed with this code may succeed when it is made again.
pub(crate) fn can_heal(code: &str) -> bool {
    !ABOUT_THE_REQUEST.contains(&code)
}
