//! The way to a schema's version: look it up, register it if that is wanted, wait until it may be used.
//!
//! Invariant: it ends within the configuration's time, plus one call's; a call is made again only if that can help.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::core::jitter::full_jitter;
use crate::glue::configuration::GlueSchemaRegistryConfiguration;
use crate::glue::error::GlueError;
use crate::glue::registry_calls::{
    ALREADY_EXISTS, CreateSchemaRequest, NOT_FOUND, SchemaVersion, SchemaVersionStatus, can_heal,
};
use crate::glue::schema::{Schema, SchemaVersionId};
use crate::put_records::CallError;
use crate::transport::{Answer, SchemaRegistry};
use crate::types::{Moment, StreamName};

/// Between two looks at a version whose compatibility is being checked: a tenth of the AWS library's at first, then as
/// there.
const FIRST_LOOK: Duration = Duration::from_millis(300);
const LAST_LOOK: Duration = Duration::from_secs(3);

/// The metadata under which the registry shows where a version is used.
const TRANSPORT_METADATA: &str = "x-amz-meta-transport";

/// One schema on its way to its version.
pub(crate) struct Resolver<'a> {
    pub(crate) registry: &'a Arc<dyn SchemaRegistry>,
    pub(crate) configuration: &'a GlueSchemaRegistryConfiguration,
    pub(crate) clock: Clock,
    pub(crate) schema: &'a Schema,
    pub(crate) stream: &'a StreamName,
    pub(crate) deadline: Moment,
}

impl Resolver<'_> {
    /// The id of the schema's version.
    pub(crate) async fn version_id(&self) -> Result<SchemaVersionId, GlueError> {
        let found = self
            .call("GetSchemaByDefinition", || {
                self.registry.get_schema_by_definition(self.registry_name(), self.schema.clone())
            })
            .await;
        let version = match found {
            Ok(version) => version,
            Err(error) if code_of(&error) != NOT_FOUND => return Err(error),
            Err(_) if !self.configuration.schema_auto_registration_enabled => {
                return Err(GlueError::NotRegistered {
                    schema: self.schema.name().to_owned(),
                    registry: self.registry_name(),
                });
            }
            Err(_) => {
                let version = self.register().await?;
                self.put_metadata(version.id).await;
                version
            }
        };
        self.available(version).await
    }

    /// Adds a version to the schema; creates the schema if there is none.
    async fn register(&self) -> Result<SchemaVersion, GlueError> {
        match self.register_version().await {
            Err(error) if code_of(&error) == NOT_FOUND => {}
            answer => return answer,
        }
        let created = self.call("CreateSchema", || self.registry.create_schema(self.create_request())).await;
        match created {
            // Another producer was faster.
            Err(error) if code_of(&error) == ALREADY_EXISTS => self.register_version().await,
            answer => answer,
        }
    }

    async fn register_version(&self) -> Result<SchemaVersion, GlueError> {
        self.call("RegisterSchemaVersion", || {
            self.registry.register_schema_version(self.registry_name(), self.schema.clone())
        })
        .await
    }

    fn create_request(&self) -> CreateSchemaRequest {
        CreateSchemaRequest {
            registry_name: self.registry_name(),
            schema: self.schema.clone(),
            compatibility: self.configuration.compatibility,
            description: self.configuration.description.clone(),
            tags: self.configuration.tags.clone(),
        }
    }

    /// Metadata is for people who look at the registry: without it records are as good.
    async fn put_metadata(&self, id: SchemaVersionId) {
        let transport = [(TRANSPORT_METADATA.to_owned(), self.stream.as_str().to_owned())];
        let own = self.configuration.metadata.iter().map(|(key, value)| (key.clone(), value.clone()));
        for (key, value) in transport.into_iter().chain(own) {
            let put = self.registry.put_schema_version_metadata(id, key.clone(), value).await;
            if let Err(error) = put {
                tracing::warn!(schema = self.schema.name(), %id, key, %error, "metadata of a schema version could not be put");
            }
        }
    }

    /// Waits until the registry has checked a version.
    async fn available(&self, mut version: SchemaVersion) -> Result<SchemaVersionId, GlueError> {
        let mut pause = FIRST_LOOK;
        while version.status == SchemaVersionStatus::Pending && self.clock.now() < self.deadline {
            self.clock.sleep_until(self.clock.now().plus(pause)).await;
            pause = (pause * 2).min(LAST_LOOK);
            let looked =
                self.call("GetSchemaVersion", || self.registry.get_schema_version(version.id)).await?;
            version = looked.version;
        }
        match version.status {
            SchemaVersionStatus::Available => Ok(version.id),
            status => {
                Err(GlueError::NotAvailable { schema: self.schema.name().to_owned(), id: version.id, status })
            }
        }
    }

    /// Makes a call, again and again while that can help and there is time.
    async fn call<A>(&self, operation: &'static str, make: impl Fn() -> Answer<A>) -> Result<A, GlueError> {
        let mut attempts = 1;
        loop {
            let error = match make().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let again_at = self.clock.now().plus(full_jitter(attempts, &mut fastrand::Rng::new()));
            if !can_heal(&error.code) || again_at >= self.deadline {
                return Err(self.failed(operation, attempts, error));
            }
            tracing::debug!(schema = self.schema.name(), operation, attempts, %error, "the registry's answer; trying again");
            self.clock.sleep_until(again_at).await;
            attempts += 1;
        }
    }

    fn failed(&self, operation: &'static str, attempts: u32, error: CallError) -> GlueError {
        let CallError { code, message, .. } = error;
        GlueError::Call {
            operation,
            schema: self.schema.name().to_owned(),
            attempts,
            code: code.to_string(),
            message: message.to_string(),
        }
    }

    fn registry_name(&self) -> String {
        self.configuration.registry_name.clone()
    }
}

fn code_of(error: &GlueError) -> &str {
    match error {
        GlueError::Call { code, .. } => code,
        _ => "",
    }
}
