//! Glue: the calls of its Schema Registry, kept in memory.
//!
//! Compatibility is not checked: each new version is AVAILABLE at once.
//!
//! Invariant: one definition of a schema has one version, whoever registers it and however often.

mod schemas;

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::aws_error::AwsError;
use crate::backend::Instruments;
use crate::options::SandboxOptions;
use crate::reply::Answer;
use schemas::{Schemas, Version};

/// The registry that AWS has in each account.
const DEFAULT_REGISTRY: &str = "default-registry";
const FORMATS: [&str; 3] = ["AVRO", "JSON", "PROTOBUF"];

/// The registries. They need not be created.
pub(crate) struct Glue {
    schemas: Mutex<Schemas>,
    arn_prefix: String,
}

impl Glue {
    pub(crate) fn new(options: &SandboxOptions) -> Self {
        let arn_prefix = format!("arn:aws:glue:{}:{}:schema/", options.region, options.account_id);
        Self { schemas: Mutex::default(), arn_prefix }
    }

    pub(crate) fn carry_out(
        &self,
        operation: &str,
        tree: &Value,
        instruments: Instruments<'_>,
    ) -> Result<Answer, AwsError> {
        let mut schemas = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        match operation {
            "CreateSchema" => self.create(&mut schemas, tree, instruments.id()),
            "GetSchemaByDefinition" => self.by_definition(&schemas, tree),
            "RegisterSchemaVersion" => self.register(&mut schemas, tree, instruments.id()),
            "GetSchemaVersion" => self.version(&schemas, tree),
            "PutSchemaVersionMetadata" => put_metadata(&mut schemas, tree),
            "QuerySchemaVersionMetadata" => query_metadata(&schemas, tree),
            "GetTags" => self.tags(&schemas, tree),
            other => Err(AwsError::unknown_operation(other)),
        }
        .map(Answer::Tree)
    }

    fn create(&self, schemas: &mut Schemas, tree: &Value, version_id: String) -> Result<Value, AwsError> {
        let registry = tree["RegistryId"]["RegistryName"].as_str().unwrap_or(DEFAULT_REGISTRY);
        let (name, format) = (text(tree, "SchemaName")?, text(tree, "DataFormat")?);
        if !FORMATS.contains(&format) {
            return Err(invalid("DataFormat is AVRO, JSON or PROTOBUF"));
        }
        let key = (registry.to_owned(), name.to_owned());
        schemas.create(&key, format, tree["Tags"].clone())?;
        let version = schemas.register(&key, text(tree, "SchemaDefinition")?, version_id)?;
        Ok(json!({
            "RegistryName": registry,
            "SchemaName": name,
            "SchemaArn": self.arn(&key),
            "DataFormat": format,
            "Compatibility": tree["Compatibility"].as_str().unwrap_or("NONE"),
            "SchemaCheckpoint": 1,
            "LatestSchemaVersion": 1,
            "NextSchemaVersion": 2,
            "SchemaStatus": "AVAILABLE",
            "Tags": tree["Tags"],
            "SchemaVersionId": version.id,
            "SchemaVersionStatus": "AVAILABLE",
        }))
    }

    fn by_definition(&self, schemas: &Schemas, tree: &Value) -> Result<Value, AwsError> {
        let key = self.key(&tree["SchemaId"])?;
        let version = schemas.by_definition(&key, text(tree, "SchemaDefinition")?)?;
        Ok(self.described(version))
    }

    fn register(&self, schemas: &mut Schemas, tree: &Value, version_id: String) -> Result<Value, AwsError> {
        let key = self.key(&tree["SchemaId"])?;
        let version = schemas.register(&key, text(tree, "SchemaDefinition")?, version_id)?;
        Ok(json!({"SchemaVersionId": version.id, "VersionNumber": version.number, "Status": "AVAILABLE"}))
    }

    fn version(&self, schemas: &Schemas, tree: &Value) -> Result<Value, AwsError> {
        let version = match tree["SchemaVersionId"].as_str() {
            Some(id) => schemas.by_id(id)?,
            None => schemas.latest(&self.key(&tree["SchemaId"])?)?,
        };
        Ok(self.described(version))
    }

    fn described(&self, version: &Version) -> Value {
        json!({
            "SchemaVersionId": version.id,
            "SchemaDefinition": version.definition,
            "DataFormat": version.format,
            "SchemaArn": self.arn(&version.key),
            "VersionNumber": version.number,
            "Status": "AVAILABLE",
            "CreatedTime": "2026-01-01T00:00:00.000Z",
        })
    }

    fn tags(&self, schemas: &Schemas, tree: &Value) -> Result<Value, AwsError> {
        let key = self.key_of_arn(text(tree, "ResourceArn")?)?;
        Ok(json!({"Tags": schemas.tags(&key)?}))
    }

    fn arn(&self, (registry, name): &(String, String)) -> String {
        format!("{}{registry}/{name}", self.arn_prefix)
    }

    fn key(&self, id: &Value) -> Result<(String, String), AwsError> {
        if let Some(arn) = id["SchemaArn"].as_str() {
            return self.key_of_arn(arn);
        }
        let registry = id["RegistryName"].as_str().unwrap_or(DEFAULT_REGISTRY);
        Ok((registry.to_owned(), text(id, "SchemaName")?.to_owned()))
    }

    fn key_of_arn(&self, arn: &str) -> Result<(String, String), AwsError> {
        let names = arn.strip_prefix(&self.arn_prefix).and_then(|names| names.split_once('/'));
        let (registry, name) = names.ok_or_else(|| invalid("no ARN of a schema"))?;
        Ok((registry.to_owned(), name.to_owned()))
    }
}

fn put_metadata(schemas: &mut Schemas, tree: &Value) -> Result<Value, AwsError> {
    let (id, pair) = (text(tree, "SchemaVersionId")?, &tree["MetadataKeyValue"]);
    let (key, value) = (text(pair, "MetadataKey")?, text(pair, "MetadataValue")?);
    schemas.put_metadata(id, key, value)?;
    Ok(json!({"SchemaVersionId": id, "MetadataKey": key, "MetadataValue": value}))
}

fn query_metadata(schemas: &Schemas, tree: &Value) -> Result<Value, AwsError> {
    let id = text(tree, "SchemaVersionId")?;
    let info = |value: &String| json!({"MetadataValue": value, "CreatedTime": "2026-01-01T00:00:00.000Z"});
    let pairs = schemas.by_id(id)?.metadata.iter();
    let map: serde_json::Map<_, _> = pairs.map(|(key, value)| (key.clone(), info(value))).collect();
    Ok(json!({"SchemaVersionId": id, "MetadataInfoMap": map}))
}

fn text<'a>(tree: &'a Value, name: &str) -> Result<&'a str, AwsError> {
    tree[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| invalid(&format!("{name} is missing")))
}

fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidInputException", message)
}
