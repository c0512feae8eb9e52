//! ListShards with pages and filters.
//!
//! Invariant: a page's token holds the stream, the filter and the last shard of the page, so a token alone continues a
//! listing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ferrokinesis::types::Shard;
use ferrokinesis::util::current_time_ms;
use serde_json::{Value, json};

use super::Kinesis;
use super::shard_filter::{ShardFilter, TrimHorizon};
use crate::aws_error::AwsError;

/// AWS's page.
const DEFAULT_PAGE: u64 = 1000;

/// Where a listing goes on.
struct Position {
    stream: String,
    after_shard: Option<String>,
    /// As the request wrote it.
    filter: Value,
}

impl Kinesis {
    pub(super) async fn list_shards(&self, checked: &Value, filter: &Value) -> Result<Value, AwsError> {
        let position = Position::of(checked, filter)?;
        let filter = ShardFilter::read(&position.filter)?;
        let stream = self.store.get_stream(&position.stream).await?;
        let lives = self.lives.of(&position.stream);
        let horizon = TrimHorizon::of(&lives, stream.retention_period_hours, current_time_ms());
        let passes = |shard: &Shard| filter.passes(&shard.shard_id, lives.of(&shard.shard_id), horizon);
        let page =
            usize::try_from(checked["MaxResults"].as_u64().unwrap_or(DEFAULT_PAGE)).unwrap_or(usize::MAX);
        let mut shards: Vec<Shard> =
            stream.shards.into_iter().filter(|shard| position.precedes(shard) && passes(shard)).collect();
        let more = shards.len() > page;
        shards.truncate(page);
        let mut answer = json!({"Shards": shards});
        if let Some(last) = shards.last().filter(|_| more) {
            answer["NextToken"] = json!(position.token(&last.shard_id));
        }
        Ok(answer)
    }
}

impl Position {
    fn of(checked: &Value, filter: &Value) -> Result<Self, AwsError> {
        match (checked["StreamName"].as_str(), checked["NextToken"].as_str()) {
            (Some(stream), None) => {
                let after_shard = checked["ExclusiveStartShardId"].as_str().map(str::to_owned);
                Ok(Self { stream: stream.to_owned(), after_shard, filter: filter.clone() })
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
        let mut tree: Value = serde_json::from_slice(&STANDARD.decode(token).ok()?).ok()?;
        let text = |field: &str| tree[field].as_str().map(str::to_owned);
        let (stream, after_shard) = (text("stream")?, Some(text("after")?));
        Some(Self { stream, after_shard, filter: tree["filter"].take() })
    }

    fn token(&self, last_shard: &str) -> String {
        let tree = json!({"stream": self.stream, "after": last_shard, "filter": self.filter});
        STANDARD.encode(tree.to_string())
    }

    fn precedes(&self, shard: &Shard) -> bool {
        self.after_shard.as_deref().is_none_or(|last| shard.shard_id.as_str() > last)
    }
}
