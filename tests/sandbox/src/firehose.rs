//! Firehose: delivery streams that keep what they receive, to be read back.
//!
//! Invariant: a record that was answered with a RecordId can be read back, in the order in which it was stored, unless
//! records are discarded.

mod delivery_streams;
mod limits;
mod put;
mod tags;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::aws_error::AwsError;
use crate::backend::Instruments;
use crate::options::SandboxOptions;
use crate::reply::Answer;
use delivery_streams::DeliveryStreams;
use tags::Tags;

/// AWS's page of ListDeliveryStreams.
const DEFAULT_PAGE: u64 = 10;

/// The delivery streams.
#[derive(Debug)]
pub(crate) struct Firehose {
    streams: DeliveryStreams,
    discard: bool,
    arn_prefix: String,
}

impl Firehose {
    pub(crate) fn new(options: &SandboxOptions) -> Self {
        Self {
            streams: DeliveryStreams::default(),
            discard: options.discard_records,
            arn_prefix: format!("arn:aws:firehose:{}:{}:deliverystream/", options.region, options.account_id),
        }
    }

    /// The delivery stream that a call is about.
    pub(crate) fn stream_of(tree: &Value) -> Option<String> {
        tree["DeliveryStreamName"].as_str().map(str::to_owned)
    }

    pub(crate) fn carry_out(
        &self,
        operation: &str,
        tree: &Value,
        instruments: Instruments<'_>,
    ) -> Result<Answer, AwsError> {
        match operation {
            "PutRecord" => self.put_record(tree, instruments),
            "PutRecordBatch" => self.put_record_batch(tree, instruments),
            "CreateDeliveryStream" => self.create_tagged(name(tree)?, Tags::read(tree)?),
            "DescribeDeliveryStream" => self.describe(name(tree)?),
            "ListDeliveryStreams" => Ok(self.list(tree)),
            "DeleteDeliveryStream" => self.streams.delete(name(tree)?).map(|()| json!({})),
            "TagDeliveryStream" => {
                self.streams.with_tags(name(tree)?, |tags| tags.add(tree)).map(|()| json!({}))
            }
            "UntagDeliveryStream" => self.untag(tree),
            "ListTagsForDeliveryStream" => self.streams.with_tags(name(tree)?, |tags| Ok(tags.list(tree))),
            other => Err(AwsError::unknown_operation(other)),
        }
        .map(Answer::Tree)
    }

    pub(crate) fn create(&self, name: &str) -> Result<Value, AwsError> {
        self.create_tagged(name, Tags::default())
    }

    fn untag(&self, tree: &Value) -> Result<Value, AwsError> {
        let remove = |tags: &mut Tags| {
            tags.remove(tree);
            Ok(json!({}))
        };
        self.streams.with_tags(name(tree)?, remove)
    }

    fn create_tagged(&self, name: &str, tags: Tags) -> Result<Value, AwsError> {
        self.streams.create(name, tags)?;
        Ok(json!({"DeliveryStreamARN": self.arn(name)}))
    }

    /// What the delivery stream received; `None` if there is no such delivery stream.
    pub(crate) fn delivered(&self, name: &str) -> Option<Vec<Bytes>> {
        self.streams.delivered(name)
    }

    fn describe(&self, name: &str) -> Result<Value, AwsError> {
        self.streams.check_exists(name)?;
        Ok(json!({"DeliveryStreamDescription": {
            "DeliveryStreamName": name,
            "DeliveryStreamARN": self.arn(name),
            "DeliveryStreamStatus": "ACTIVE",
            "DeliveryStreamType": "DirectPut",
            "VersionId": "1",
            "Destinations": [],
            "HasMoreDestinations": false,
        }}))
    }

    fn list(&self, tree: &Value) -> Value {
        let after = tree["ExclusiveStartDeliveryStreamName"].as_str().unwrap_or_default();
        let page = usize::try_from(tree["Limit"].as_u64().unwrap_or(DEFAULT_PAGE)).unwrap_or(usize::MAX);
        let mut names: Vec<String> =
            self.streams.names().into_iter().filter(|name| name.as_str() > after).collect();
        let more = names.len() > page;
        names.truncate(page);
        json!({"DeliveryStreamNames": names, "HasMoreDeliveryStreams": more})
    }

    fn arn(&self, name: &str) -> String {
        format!("{}{name}", self.arn_prefix)
    }
}

fn name(tree: &Value) -> Result<&str, AwsError> {
    tree["DeliveryStreamName"]
        .as_str()
        .ok_or_else(|| AwsError::invalid_argument("DeliveryStreamName is missing"))
}
