//! The Glue Schema Registry through the AWS SDK.
//!
//! Invariant: that of [`aws`](crate::transport::aws).

use aws_config::{Region, SdkConfig};
use aws_sdk_glue::Client;
use aws_sdk_glue::types::{
    Compatibility as SdkCompatibility, DataFormat as SdkFormat, MetadataKeyValuePair, RegistryId, SchemaId,
    SchemaVersionStatus as SdkStatus,
};

use crate::glue::configuration::{Compatibility, GlueSchemaRegistryConfiguration};
use crate::glue::registry_calls::{
    CreateSchemaRequest, SchemaVersion, SchemaVersionStatus, StoredSchemaVersion,
};
use crate::glue::schema::{DataFormat, Schema, SchemaVersionId};
use crate::put_records::{CallError, Doubt};
use crate::transport::aws::{BEHAVIOR, CallTimeouts, call_error, client_config};
use crate::transport::{Answer, SchemaRegistry};

/// A [`SchemaRegistry`] in AWS Glue.
#[derive(Debug, Clone)]
pub struct AwsSchemaRegistry {
    client: Client,
}

impl AwsSchemaRegistry {
    /// Resolves credentials as every AWS tool does, and the region too if the configuration has none.
    pub async fn from_configuration(configuration: &GlueSchemaRegistryConfiguration) -> Self {
        let loader = aws_config::defaults(BEHAVIOR());
        let loader = match &configuration.region {
            Some(region) => loader.region(Region::new(region.clone())),
            None => loader,
        };
        let loader = match &configuration.endpoint {
            Some(endpoint) => loader.endpoint_url(endpoint),
            None => loader,
        };
        Self::new(&loader.load().await, CallTimeouts::default())
    }

    /// Uses the region, credentials and endpoint of `config`. Its retries and time limits are replaced.
    #[must_use]
    pub fn new(config: &SdkConfig, timeouts: CallTimeouts) -> Self {
        Self::from_builder(aws_sdk_glue::config::Builder::from(config), timeouts)
    }

    /// The same from a builder of the SDK: for credentials, a region or an endpoint for Glue alone.
    #[must_use]
    pub fn from_builder(builder: aws_sdk_glue::config::Builder, timeouts: CallTimeouts) -> Self {
        Self { client: Client::from_conf(client_config!(builder, timeouts)) }
    }
}

/// Makes a call that answers with a schema version; `$status` is the answer's name for the version's status. (The calls
/// have types of their own.)
macro_rules! version_from {
    ($call:expr, $status:ident) => {{
        let call = $call;
        Box::pin(async move {
            let output = call.send().await.map_err(|error| call_error(&error))?;
            version(output.schema_version_id(), output.$status())
        })
    }};
}

impl SchemaRegistry for AwsSchemaRegistry {
    fn get_schema_by_definition(&self, registry: String, schema: Schema) -> Answer<SchemaVersion> {
        let call = self.client.get_schema_by_definition().schema_id(schema_id(registry, &schema));
        version_from!(call.schema_definition(schema.definition()), status)
    }

    fn create_schema(&self, request: CreateSchemaRequest) -> Answer<SchemaVersion> {
        let call = self
            .client
            .create_schema()
            .registry_id(RegistryId::builder().registry_name(request.registry_name).build())
            .schema_name(request.schema.name())
            .data_format(sdk_format(request.schema.data_format()))
            .compatibility(sdk_compatibility(request.compatibility))
            .set_description(request.description)
            .set_tags(
                Some(request.tags.into_iter().collect())
                    .filter(|tags: &std::collections::HashMap<_, _>| !tags.is_empty()),
            )
            .schema_definition(request.schema.definition());
        version_from!(call, schema_version_status)
    }

    fn register_schema_version(&self, registry: String, schema: Schema) -> Answer<SchemaVersion> {
        let call = self.client.register_schema_version().schema_id(schema_id(registry, &schema));
        version_from!(call.schema_definition(schema.definition()), status)
    }

    fn get_schema_version(&self, id: SchemaVersionId) -> Answer<StoredSchemaVersion> {
        let call = self.client.get_schema_version().schema_version_id(id.to_string());
        Box::pin(async move {
            let output = call.send().await.map_err(|error| call_error(&error))?;
            Ok(StoredSchemaVersion {
                version: version(output.schema_version_id(), output.status())?,
                data_format: output.data_format().and_then(format),
                definition: output.schema_definition.unwrap_or_default(),
            })
        })
    }

    fn put_schema_version_metadata(&self, id: SchemaVersionId, key: String, value: String) -> Answer<()> {
        let pair = MetadataKeyValuePair::builder().metadata_key(key).metadata_value(value).build();
        let call = self.client.put_schema_version_metadata().schema_version_id(id.to_string());
        Box::pin(async move {
            let put = call.metadata_key_value(pair).send().await;
            put.map(|_| ()).map_err(|error| call_error(&error))
        })
    }
}

fn schema_id(registry: String, schema: &Schema) -> SchemaId {
    SchemaId::builder().registry_name(registry).schema_name(schema.name()).build()
}

fn version(id: Option<&str>, status: Option<&SdkStatus>) -> Result<SchemaVersion, CallError> {
    let id = id.and_then(|id| id.parse().ok()).ok_or_else(|| CallError {
        code: "ResponseUnreadable".into(),
        message: format!("the answer's schema version id is {id:?}").into(),
        doubt: Doubt::NotWritten,
    })?;
    let status = match status {
        Some(SdkStatus::Available) => SchemaVersionStatus::Available,
        Some(SdkStatus::Pending) => SchemaVersionStatus::Pending,
        Some(SdkStatus::Failure) => SchemaVersionStatus::Failure,
        Some(SdkStatus::Deleting) => SchemaVersionStatus::Deleting,
        _ => SchemaVersionStatus::Unknown,
    };
    Ok(SchemaVersion { id, status })
}

fn format(format: &SdkFormat) -> Option<DataFormat> {
    match format {
        SdkFormat::Avro => Some(DataFormat::Avro),
        SdkFormat::Json => Some(DataFormat::Json),
        SdkFormat::Protobuf => Some(DataFormat::Protobuf),
        _ => None,
    }
}

fn sdk_format(format: DataFormat) -> SdkFormat {
    match format {
        DataFormat::Avro => SdkFormat::Avro,
        DataFormat::Json => SdkFormat::Json,
        DataFormat::Protobuf => SdkFormat::Protobuf,
    }
}

fn sdk_compatibility(compatibility: Compatibility) -> SdkCompatibility {
    match compatibility {
        Compatibility::None => SdkCompatibility::None,
        Compatibility::Disabled => SdkCompatibility::Disabled,
        Compatibility::Backward => SdkCompatibility::Backward,
        Compatibility::BackwardAll => SdkCompatibility::BackwardAll,
        Compatibility::Forward => SdkCompatibility::Forward,
        Compatibility::ForwardAll => SdkCompatibility::ForwardAll,
        Compatibility::Full => SdkCompatibility::Full,
        Compatibility::FullAll => SdkCompatibility::FullAll,
    }
}
