//! Schemas of the AWS Glue Schema Registry on records (cargo feature `glue`).
//!
//! A record with a [`Schema`] is checked against it, and its data gets the registry's header: 18 bytes with the id of the
//! schema's version. AWS's de-serialisers, the KCL among them, read it and find the schema in the registry; so does
//! [`decode`].
//!
//! ```
//! use kpl::glue::{
//!     CreateSchemaRequest, DataFormat, GlueSchemaRegistryConfiguration, GlueSchemaRegistrySerializer, Schema,
//!     SchemaRegistry, SchemaVersion, SchemaVersionId, SchemaVersionStatus, StoredSchemaVersion, decode,
//! };
//! use kpl::{Answer, StreamName};
//!
//! // A registry that knows every schema, in place of AwsSchemaRegistry::from_configuration(&configuration).await.
//! struct OneVersion;
//! fn version<T: Send + 'static>(answer: fn(SchemaVersion) -> T) -> Answer<T> {
//!     let version = SchemaVersion { id: SchemaVersionId([1; 16]), status: SchemaVersionStatus::Available };
//!     Box::pin(async move { Ok(answer(version)) })
//! }
//! impl SchemaRegistry for OneVersion {
//!     fn get_schema_by_definition(&self, _: String, _: Schema) -> Answer<SchemaVersion> { version(|it| it) }
//!     fn create_schema(&self, _: CreateSchemaRequest) -> Answer<SchemaVersion> { version(|it| it) }
//!     fn register_schema_version(&self, _: String, _: Schema) -> Answer<SchemaVersion> { version(|it| it) }
//!     fn get_schema_version(&self, _: SchemaVersionId) -> Answer<StoredSchemaVersion> {
//!         version(|version| StoredSchemaVersion { version, definition: String::new(), data_format: None })
//!     }
//!     fn put_schema_version_metadata(&self, _: SchemaVersionId, _: String, _: String) -> Answer<()> { version(|_| ()) }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let configuration = GlueSchemaRegistryConfiguration::default();
//! let serializer = GlueSchemaRegistrySerializer::new(OneVersion, configuration);
//! let schema = Schema::new(DataFormat::Json, r#"{"properties": {"id": {"type": "integer"}}}"#, "orders")?;
//! let stream = StreamName::new("orders")?;
//!
//! let data = serializer.encode(&stream, &schema, br#"{"id": 7}"#).await?;
//! assert_eq!(decode(&data)?.payload, r#"{"id": 7}"#);
//! assert!(serializer.encode(&stream, &schema, br#"{"id": "7"}"#).await.is_err());
//! # Ok(())
//! # }
//! ```
//!
//! With a producer: `Producer::builder(transport).glue_schema_registry(serializer)` and
//! `UserRecord::new(stream, key, data).with_schema(schema)`. `send` encodes the record before it takes room for it, so a
//! record that waits for the registry holds up no other; `try_send` encodes it if the version is known. A record that
//! comes back from a producer is encoded and has no schema any more: send it again as it is.
//!
//! # What the AWS library does, and this one
//!
//! As the KPL (`addUserRecord` with a `Schema`), a record brings data that is already encoded. Its bytes are not changed:
//! Avro is a bare datum, and of Protobuf no message index is put in front (AWS's serialisers do that when they encode an
//! object; add it yourself for consumers that use AWS's Protobuf de-serialiser to make objects).
//!
//! | | AWS's library (1.1.24) | here |
//! |---|---|---|
//! | JSON | checked; drafts 4, 6, 7, without `$schema` 4; no references to other documents | the same, and drafts 2019-09 and 2020-12 |
//! | Avro | not checked | the definition has to parse and the data to be one datum; `validate` switches it off |
//! | Protobuf | not checked | not checked |
//! | versions remembered | 200, for 24 hours | the same |
//! | look-up | on the caller's thread; a failed call fails the record | once for all records that wait; repeated for 30 s while that can help |
//! | new definitions | registered if `schemaAutoRegistrationEnabled` | the same; another producer's race is no failure |
//! | a version that is being checked | looked at every 3 s, 10 times | looked at after 0.3 s, then up to every 3 s, within the time limit |
//!
//! Permissions: `glue:GetSchemaByDefinition`; for auto-registration `glue:CreateSchema`, `glue:RegisterSchemaVersion`,
//! `glue:GetSchemaVersion` and `glue:PutSchemaVersionMetadata`, with `glue:TagResource` if there are tags.

pub(crate) mod cache;
pub(crate) mod configuration;
pub(crate) mod error;
pub(crate) mod framing;
pub(crate) mod registry_calls;
mod resolver;
pub(crate) mod schema;
mod serializer;
pub(crate) mod validator;

pub use crate::transport::SchemaRegistry;
pub use crate::transport::aws::glue::AwsSchemaRegistry;
pub use configuration::{Compatibility, GlueSchemaRegistryConfiguration, SchemaCompression};
pub use error::GlueError;
pub use framing::{Framed, FramingError, HEADER_BYTES, decode, decode_within};
pub use registry_calls::{CreateSchemaRequest, SchemaVersion, SchemaVersionStatus, StoredSchemaVersion};
pub use schema::{DataFormat, InvalidSchema, InvalidSchemaVersionId, Schema, SchemaVersionId};
pub use serializer::GlueSchemaRegistrySerializer;
