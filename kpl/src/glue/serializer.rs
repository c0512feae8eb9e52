//! Data in, framed data out: checked against its schema, with the id of the schema's version in front.
//!
//! Invariant: records of one schema that come while its version is being looked up cause one look-up, and share its
//! outcome; a failed look-up is not remembered.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::glue::cache::Cache;
use crate::glue::configuration::GlueSchemaRegistryConfiguration;
use crate::glue::error::GlueError;
use crate::glue::framing;
use crate::glue::resolver::Resolver;
use crate::glue::schema::{Schema, SchemaVersionId};
use crate::glue::validator::Validator;
use crate::transport::SchemaRegistry;
use crate::types::StreamName;

/// Encodes data with schemas of one registry. Cloning is cheap, and clones share what they know.
///
/// A producer uses it for records with a schema ([`ProducerBuilder::glue_schema_registry`](crate::ProducerBuilder::glue_schema_registry));
/// for borrowed records, call [`encode`](Self::encode) and send the result.
#[derive(Clone)]
pub struct GlueSchemaRegistrySerializer(Arc<Inner>);

struct Inner {
    registry: Arc<dyn SchemaRegistry>,
    configuration: GlueSchemaRegistryConfiguration,
    cache: Mutex<Cache<Slot>>,
    clock: OnceLock<Clock>,
}

/// What is known of one schema.
#[derive(Default)]
struct Slot {
    validator: OnceLock<Result<Validator, GlueError>>,
    version: OnceCell<Result<SchemaVersionId, GlueError>>,
    /// The version before this slot was made, for when the registry cannot be asked.
    earlier: Option<SchemaVersionId>,
}

impl Slot {
    /// The version, or the one before it as long as it is not known.
    fn known(&self) -> Option<SchemaVersionId> {
        self.version.get().and_then(|outcome| outcome.as_ref().ok().copied()).or(self.earlier)
    }
}

impl GlueSchemaRegistrySerializer {
    /// A serialiser over a registry: [`AwsSchemaRegistry`](crate::glue::AwsSchemaRegistry), or one of your own.
    pub fn new(registry: impl SchemaRegistry, configuration: GlueSchemaRegistryConfiguration) -> Self {
        let cache = Cache::new(configuration.cache_size, configuration.time_to_live);
        let (registry, cache) = (Arc::new(registry), Mutex::new(cache));
        Self(Arc::new(Inner { registry, configuration, cache, clock: OnceLock::new() }))
    }

    /// Encodes data for `stream`. Waits for the registry when the schema's version is not known, at most for
    /// [`GlueSchemaRegistryConfiguration::timeout`] and one call.
    ///
    /// Has to be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`GlueError`]: the data does not fit, or the version cannot be had. Records that waited for the same look-up get
    /// the same error; the next one asks anew.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing; another record that waits goes on with the look-up.
    pub async fn encode(
        &self,
        stream: &StreamName,
        schema: &Schema,
        data: &[u8],
    ) -> Result<Bytes, GlueError> {
        let slot = self.slot(schema);
        self.validated(&slot, schema, data)?;
        let outcome = slot.version.get_or_init(|| self.look_up(&slot, stream, schema)).await.clone();
        if outcome.is_err() {
            self.cache().forget(schema, &slot);
        }
        Ok(framing::encode(outcome?, self.0.configuration.compression, data))
    }

    /// Encodes data if the schema's version is known, without waiting.
    ///
    /// # Errors
    ///
    /// [`GlueError::NotYetKnown`], and what [`encode`](Self::encode) says of data that does not fit.
    pub fn encode_now(&self, schema: &Schema, data: &[u8]) -> Result<Bytes, GlueError> {
        let slot = self.slot(schema);
        self.validated(&slot, schema, data)?;
        let unknown = || GlueError::NotYetKnown { schema: schema.name().to_owned() };
        let id = slot.known().ok_or_else(unknown)?;
        Ok(framing::encode(id, self.0.configuration.compression, data))
    }

    fn validated(&self, slot: &Slot, schema: &Schema, data: &[u8]) -> Result<(), GlueError> {
        if !self.0.configuration.validate {
            return Ok(());
        }
        match slot.validator.get_or_init(|| Validator::of(schema)) {
            Ok(validator) => validator.check(schema, data),
            Err(error) => Err(error.clone()),
        }
    }

    async fn look_up(
        &self,
        slot: &Slot,
        stream: &StreamName,
        schema: &Schema,
    ) -> Result<SchemaVersionId, GlueError> {
        let inner = &*self.0;
        let clock = self.clock();
        let resolver = Resolver {
            registry: &inner.registry,
            configuration: &inner.configuration,
            clock,
            schema,
            stream,
            deadline: clock.now().plus(inner.configuration.timeout),
        };
        match (resolver.version_id().await, slot.earlier) {
            (Err(error @ GlueError::Call { .. }), Some(earlier)) => {
                tracing::warn!(schema = schema.name(), %error, "the registry cannot be asked; the version known before counts");
                Ok(earlier)
            }
            (outcome, _) => outcome,
        }
    }

    fn slot(&self, schema: &Schema) -> Arc<Slot> {
        let now = self.clock().now();
        self.cache().slot(schema, now, |old| Slot { earlier: old.and_then(Slot::known), ..Slot::default() })
    }

    fn clock(&self) -> Clock {
        *self.0.clock.get_or_init(Clock::start)
    }

    fn cache(&self) -> MutexGuard<'_, Cache<Slot>> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for GlueSchemaRegistrySerializer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let configuration = &self.0.configuration;
        formatter
            .debug_struct("GlueSchemaRegistrySerializer")
            .field("configuration", configuration)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
