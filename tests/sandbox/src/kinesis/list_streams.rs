//! ListStreams: names and summaries, in pages.
//!
//! Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListStreams.html>. Invariant: an answer with
//! HasMoreStreams has a NextToken, and the other way round.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ferrokinesis::types::Stream;
use serde_json::{Value, json};

use super::Kinesis;
use crate::aws_error::AwsError;

/// AWS's page, and the most that a Limit gives.
const PAGE: u64 = 100;

impl Kinesis {
    pub(super) async fn list_streams(&self, checked: &Value, token: &Value) -> Result<Value, AwsError> {
        let after = after(checked, token)?;
        let page = checked["Limit"].as_u64().map_or(PAGE, |limit| limit.min(PAGE)) as usize;
        let mut names = self.store.list_stream_names().await;
        names.retain(|name| after.as_ref().is_none_or(|after| name > after));
        let more = names.len() > page;
        names.truncate(page);
        let mut summaries = Vec::with_capacity(names.len());
        for name in &names {
            // A stream that has just been deleted has no summary.
            if let Ok(stream) = self.store.get_stream(name).await {
                summaries.push(summary(&stream));
            }
        }
        let mut answer = json!({"StreamNames": names, "HasMoreStreams": more, "StreamSummaries": summaries});
        if let Some(last) = names.last().filter(|_| more) {
            answer["NextToken"] = json!(STANDARD.encode(last));
        }
        Ok(answer)
    }
}

fn after(checked: &Value, token: &Value) -> Result<Option<String>, AwsError> {
    let Some(token) = token.as_str() else {
        return Ok(checked["ExclusiveStartStreamName"].as_str().map(str::to_owned));
    };
    let name = STANDARD.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
    name.map(Some).ok_or_else(|| AwsError::invalid_argument("invalid NextToken"))
}

fn summary(stream: &Stream) -> Value {
    json!({
        "StreamName": stream.stream_name,
        "StreamARN": stream.stream_arn,
        "StreamStatus": stream.stream_status,
        "StreamModeDetails": stream.stream_mode_details,
        "StreamCreationTimestamp": stream.stream_creation_timestamp,
    })
}
