//! ListShards with pages and filters.
//!
//! Invariant: a page's token holds the stream and the last shard of the page, so a token alone continues a listing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ferrokinesis::types::Shard;
use serde_json::{Value, json};

use super::Kinesis;
use crate::aws_error::AwsError;

/// AWS's page.
const DEFAULT_PAGE: u64 = 1000;

/// Where a listing goes on.
struct Position {
    stream: String,
    after_shard: Option<String>,
}

impl Kinesis {
    pub(super) async fn list_shards(&self, checked: &Value, filter: &Value) -> Result<Value, AwsError> {
        let position = Position::of(checked)?;
        let stream = self.store.get_stream(&position.stream).await?;
        let page =
            usize::try_from(checked["MaxResults"].as_u64().unwrap_or(DEFAULT_PAGE)).unwrap_or(usize::MAX);
        let mut shards: Vec<Shard> = stream
            .shards
            .into_iter()
            .filter(|shard| position.precedes(shard) && passes(shard, filter))
            .collect();
        let more = shards.len() > page;
        shards.truncate(page);
        let mut answer = json!({"Shards": shards});
        if let Some(last) = shards.last().filter(|_| more) {
            answer["NextToken"] = json!(token(&position.stream, &last.shard_id));
        }
        Ok(answer)
    }
}

impl Position {
    fn of(checked: &Value) -> Result<Self, AwsError> {
        match (checked["StreamName"].as_str(), checked["NextToken"].as_str()) {
            (Some(stream), None) => {
                let after_shard = checked["ExclusiveStartShardId"].as_str().map(str::to_owned);
                Ok(Self { stream: stream.to_owned(), after_shard })
            }
            (None, Some(token)) => {
                Self::in_token(token).ok_or_else(|| AwsError::invalid_argument("invalid NextToken"))
            }
            (Some(_), Some(_)) => {
                Err(AwsError::invalid_argument("NextToken and StreamName cannot be provided together"))
            }
            (None, None) => {
                Err(AwsError::invalid_argument("either NextToken, StreamName or StreamARN must be provided"))
            }
        }
    }

    fn in_token(token: &str) -> Option<Self> {
        let plain = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        let (stream, shard) = plain.split_once('/')?;
        Some(Self { stream: stream.to_owned(), after_shard: Some(shard.to_owned()) })
    }

    fn precedes(&self, shard: &Shard) -> bool {
        self.after_shard.as_deref().is_none_or(|last| shard.shard_id.as_str() > last)
    }
}

fn token(stream: &str, last_shard: &str) -> String {
    STANDARD.encode(format!("{stream}/{last_shard}"))
}

/// Whether the shard passes the request's ShardFilter. Nothing is ever trimmed here, so the other filter types mean
/// all shards.
fn passes(shard: &Shard, filter: &Value) -> bool {
    match filter["Type"].as_str() {
        Some("AT_LATEST") => shard.sequence_number_range.ending_sequence_number.is_none(),
        Some("AFTER_SHARD_ID") => filter["ShardId"].as_str().is_none_or(|id| shard.shard_id.as_str() > id),
        _ => true,
    }
}
