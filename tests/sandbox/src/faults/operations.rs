//! The operations that a fault rule can name.
//!
//! Invariant: a rule that names no known operation is refused when it is parsed, so a typing error never means "no
//! faults".

use ferrokinesis::actions::Operation;

/// Operations of the services that are not Kinesis.
const OTHER_OPERATIONS: [&str; 23] = [
    "CreateDeliveryStream",
    "DeleteDeliveryStream",
    "DescribeDeliveryStream",
    "ListDeliveryStreams",
    "PutRecordBatch",
    "PutMetricData",
    "ListMetrics",
    "AssumeRole",
    "GetCallerIdentity",
    "PutRecord",
    "GetMetricStatistics",
    "GetMetricData",
    "TagDeliveryStream",
    "UntagDeliveryStream",
    "ListTagsForDeliveryStream",
    "UpdateStreamRecordDistributionStrategy",
    "CreateSchema",
    "GetSchemaByDefinition",
    "RegisterSchemaVersion",
    "GetSchemaVersion",
    "PutSchemaVersionMetadata",
    "QuerySchemaVersionMetadata",
    "GetTags",
];

/// The operations that write records.
pub(crate) const PUTS: [&str; 3] = ["PutRecord", "PutRecords", "PutRecordBatch"];

/// Whether some service of the sandbox has the operation.
pub(crate) fn is_known(operation: &str) -> bool {
    operation.parse::<Operation>().is_ok() || OTHER_OPERATIONS.contains(&operation)
}

/// Whether the operation writes records, so that `throttle` and `fail` strike its entries.
pub(crate) fn is_put(operation: &str) -> bool {
    PUTS.contains(&operation)
}
