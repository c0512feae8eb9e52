//! The schemas of all registries and their versions.
//!
//! Invariant: messages of what is not there are AWS's, because its Java client tells by them whether a schema is missing or
//! one version of it.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::aws_error::AwsError;

/// Registry and schema.
pub(super) type Key = (String, String);

/// One version of a schema.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) key: Key,
    pub(super) id: String,
    pub(super) number: usize,
    pub(super) format: String,
    pub(super) definition: String,
    pub(super) metadata: BTreeMap<String, String>,
}

/// The schemas.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    by_key: HashMap<Key, Schema>,
}

#[derive(Debug)]
struct Schema {
    format: String,
    tags: Value,
    versions: Vec<Version>,
}

impl Schemas {
    pub(super) fn create(&mut self, key: &Key, format: &str, tags: Value) -> Result<(), AwsError> {
        if self.by_key.contains_key(key) {
            return Err(AwsError::new(400, "AlreadyExistsException", "Schema already exists."));
        }
        self.by_key.insert(key.clone(), Schema { format: format.to_owned(), tags, versions: Vec::new() });
        Ok(())
    }

    /// The version with this definition, which gets `id` if it is new.
    pub(super) fn register(&mut self, key: &Key, definition: &str, id: String) -> Result<&Version, AwsError> {
        let schema = self.by_key.get_mut(key).ok_or_else(schema_not_found)?;
        let known = schema.versions.iter().position(|version| version.definition == definition);
        let at = known.unwrap_or(schema.versions.len());
        if known.is_none() {
            schema.versions.push(Version {
                key: key.clone(),
                id,
                number: at + 1,
                format: schema.format.clone(),
                definition: definition.to_owned(),
                metadata: BTreeMap::new(),
            });
        }
        schema.versions.get(at).ok_or_else(AwsError::internal)
    }

    pub(super) fn by_definition(&self, key: &Key, definition: &str) -> Result<&Version, AwsError> {
        let mut versions = self.by_key.get(key).ok_or_else(schema_not_found)?.versions.iter();
        versions.find(|version| version.definition == definition).ok_or_else(version_not_found)
    }

    pub(super) fn latest(&self, key: &Key) -> Result<&Version, AwsError> {
        let schema = self.by_key.get(key).ok_or_else(schema_not_found)?;
        schema.versions.last().ok_or_else(version_not_found)
    }

    pub(super) fn by_id(&self, id: &str) -> Result<&Version, AwsError> {
        let mut versions = self.by_key.values().flat_map(|schema| &schema.versions);
        versions.find(|version| version.id == id).ok_or_else(version_not_found)
    }

    pub(super) fn put_metadata(&mut self, id: &str, key: &str, value: &str) -> Result<(), AwsError> {
        let mut versions = self.by_key.values_mut().flat_map(|schema| &mut schema.versions);
        let version = versions.find(|version| version.id == id).ok_or_else(version_not_found)?;
        version.metadata.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    pub(super) fn tags(&self, key: &Key) -> Result<Value, AwsError> {
        self.by_key.get(key).map(|schema| schema.tags.clone()).ok_or_else(schema_not_found)
    }
}

fn schema_not_found() -> AwsError {
    not_found("Schema is not found.")
}

fn version_not_found() -> AwsError {
    not_found("Schema version is not found.")
}

fn not_found(message: &str) -> AwsError {
    AwsError::new(400, "EntityNotFoundException", message)
}
