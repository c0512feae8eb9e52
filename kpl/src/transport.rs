//! The seam to the service: two calls, each made once, each with an honest answer.
//!
//! Invariant: an implementation never retries by itself, and never waits without a time limit.

use std::future::Future;
use std::pin::Pin;

use crate::metric::datum::PutMetricDataRequest;
use crate::put_records::{CallError, PutRecordsRequest, PutRecordsResponse, ShardListing};
use crate::types::StreamName;

#[cfg(feature = "glue")]
use crate::glue::{
    registry_calls::{CreateSchemaRequest, SchemaVersion, StoredSchemaVersion},
    schema::{Schema, SchemaVersionId},
};

#[cfg(feature = "aws")]
pub(crate) mod aws;

/// The answer to a call, on its way.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, CallError>> + Send>>;

/// A service that takes records. Implement it to send somewhere else, or to test without a network.
///
/// A call must be made at most once (the producer decides about retries), must end within a time limit of the
/// implementation's own and the request's [`transfer_time`](PutRecordsRequest::transfer_time) (with an error whose code is
/// `Timeout`, by which the producer learns that the line is slow), and must say in [`CallError::doubt`] whether a failed call can have stored records.
pub trait Transport: Send + Sync + 'static {
    /// Makes one PutRecords call.
    fn put_records(&self, request: PutRecordsRequest) -> Answer<PutRecordsResponse>;

    /// Lists all open shards of a stream, over as many pages as there are, and tells the stream's record distribution
    /// strategy if it can. Asked when a stream is first used, when a record shows that the shards changed, and now and
    /// then while there is traffic.
    fn list_shards(&self, stream: StreamName) -> Answer<ShardListing>;

    /// The same, and the shards that closed within the last ten minutes in
    /// [`ShardListing::recently_closed`](crate::ShardListing::recently_closed). Asked when a record was stored in a shard
    /// that the listing of open shards did not show. Lists the open shards by default.
    fn list_recent_shards(&self, stream: StreamName) -> Answer<ShardListing> {
        self.list_shards(stream)
    }

    /// Names where the calls go, for log messages: the URL of the endpoint, and the region if it is known. Asked when
    /// something is logged. Must not hold secrets. `a transport of the program's own` by default.
    fn endpoint(&self) -> String {
        "a transport of the program's own".to_owned()
    }

    /// A stream has nothing in flight any more, perhaps for long: what is kept for the next call can be given back. Called
    /// from the stream's task, and so must not block. Does nothing by default.
    fn rest(&self) {}
}

/// A service that takes metrics: CloudWatch, or a stand-in for it. See
/// [`CloudWatchMetrics`](crate::CloudWatchMetrics).
///
/// The same is asked of it as of a [`Transport`]: a call is made at most once and ends within a time limit.
pub trait MetricDataTransport: Send + Sync + 'static {
    /// Names where the calls go, for log messages, as [`Transport::endpoint`] does.
    fn endpoint(&self) -> String {
        "a transport of the program's own".to_owned()
    }

    /// Makes one PutMetricData call.
    fn put_metric_data(&self, request: PutMetricDataRequest) -> Answer<()>;
}

/// A registry of schemas: Glue's ([`AwsSchemaRegistry`](crate::glue::AwsSchemaRegistry)), or a stand-in for it. `registry`
/// is the registry's name.
///
/// The same is asked of it as of a [`Transport`]: a call is made at most once and ends within a time limit. Errors carry
/// Glue's codes: `EntityNotFoundException` for a schema or version that is not there, `AlreadyExistsException`.
#[cfg(feature = "glue")]
pub trait SchemaRegistry: Send + Sync + 'static {
    /// Makes one GetSchemaByDefinition call.
    fn get_schema_by_definition(&self, registry: String, schema: Schema) -> Answer<SchemaVersion>;

    /// Makes one CreateSchema call.
    fn create_schema(&self, request: CreateSchemaRequest) -> Answer<SchemaVersion>;

    /// Makes one RegisterSchemaVersion call.
    fn register_schema_version(&self, registry: String, schema: Schema) -> Answer<SchemaVersion>;

    /// Makes one GetSchemaVersion call.
    fn get_schema_version(&self, id: SchemaVersionId) -> Answer<StoredSchemaVersion>;

    /// Makes one PutSchemaVersionMetadata call.
    fn put_schema_version_metadata(&self, id: SchemaVersionId, key: String, value: String) -> Answer<()>;
}
