//! CreateStream with what it takes besides name, count and mode.
//!
//! Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html>. Invariant: a stream of which
//! a part was refused does not exist.

use ferrokinesis::actions::{self, Operation};
use ferrokinesis::types::{Stream, StreamMode};
use serde_json::{Value, json};

use super::{Kinesis, check};
use crate::aws_error::AwsError;
use crate::reply::Answer;

/// KiB of a record: what a stream has, and the most that it can have.
const RECORD_SIZES_KIB: std::ops::RangeInclusive<u64> = 1024..=10_240;

/// What a new stream is to have.
pub(super) struct Extras {
    on_demand: bool,
    tags: Value,
    record_size_kib: Option<u32>,
}

impl Extras {
    pub(super) fn read(tree: &Value, on_demand: bool) -> Result<Self, AwsError> {
        let record_size_kib = match &tree["MaxRecordSizeInKiB"] {
            Value::Null => None,
            size => Some(record_size(size)?),
        };
        let tags = match &tree["Tags"] {
            Value::Object(tags) if tags.is_empty() => Value::Null,
            tags => tags.clone(),
        };
        Ok(Self { on_demand, tags, record_size_kib })
    }

    fn apply(&self, stream: &mut Stream) {
        if self.on_demand {
            stream.stream_mode_details.stream_mode = StreamMode::OnDemand;
        }
        if let Some(size) = self.record_size_kib {
            stream.max_record_size_kib = size;
        }
    }
}

impl Kinesis {
    pub(super) async fn create(&self, checked: Value, extras: &Extras) -> Result<Answer, AwsError> {
        let name = checked["StreamName"].as_str().unwrap_or_default().to_owned();
        let _change = self.known_streams.change();
        let answer = self.change_or_describe(Operation::CreateStream, checked).await?;
        let apply = |stream: &mut Stream| {
            extras.apply(stream);
            Ok(())
        };
        self.store.update_stream(&name, apply).await?;
        if let Err(refused) = self.tag(&name, &extras.tags).await {
            self.change_or_describe(Operation::DeleteStream, json!({"StreamName": name})).await?;
            return Err(refused);
        }
        Ok(answer)
    }

    async fn tag(&self, name: &str, tags: &Value) -> Result<(), AwsError> {
        if tags.is_null() {
            return Ok(());
        }
        let checked = check(Operation::AddTagsToStream, &json!({"StreamName": name, "Tags": tags}))?;
        actions::dispatch(&self.store, Operation::AddTagsToStream, checked).await?;
        Ok(())
    }
}

fn record_size(size: &Value) -> Result<u32, AwsError> {
    let fitting = size.as_u64().filter(|size| RECORD_SIZES_KIB.contains(size));
    fitting.and_then(|size| u32::try_from(size).ok()).ok_or_else(|| {
        let message = format!("MaxRecordSizeInKiB is {size}; a stream takes 1024 to 10240");
        AwsError::new(400, "ValidationException", message)
    })
}
