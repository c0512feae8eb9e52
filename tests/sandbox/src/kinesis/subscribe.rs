//! SubscribeToShard: a shard's records as events, until the shard ends or five minutes have passed.
//!
//! Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShardEvent.html>. Invariant: an event
//! has either a ContinuationSequenceNumber or, at the end of a closed shard, its ChildShards. A consumer that gets both
//! subscribes again to a shard that has ended.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use ferrokinesis::actions::{self, Operation};
use ferrokinesis::store::Store;
use ferrokinesis::types::{ConsumerStatus, StreamStatus};
use ferrokinesis::util::current_time_ms;
use ferrokinesis::{event_stream, shard_iterator};
use futures_util::stream;
use serde_json::{Value, json};

use super::{Kinesis, arn, distribution, reading};
use crate::aws_error::AwsError;
use crate::call::Protocol;
use crate::codec::cbor::{self, Timestamps};
use crate::pause::pause;

/// How long a subscription lasts.
const SESSION_MS: u64 = 5 * 60 * 1000;
/// How often the shard is looked at for new records.
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// An event without records says after so many looks that the subscription is alive.
const LOOKS_UNTIL_SIGN_OF_LIFE: u32 = 100;
/// The most records of an event.
const EVENT_RECORDS: u64 = 500;

/// A subscription that goes on.
struct Subscription {
    store: Store,
    protocol: Protocol,
    end_ms: u64,
    position: Position,
}

enum Position {
    /// The answer to the call itself is yet to be sent.
    Start {
        iterator: String,
    },
    Reading {
        iterator: String,
        idle_looks: u32,
    },
    /// The last event was sent.
    Ended,
}

impl Kinesis {
    pub(super) async fn subscribe(&self, checked: &Value, protocol: Protocol) -> Result<Body, AwsError> {
        let stream = self.subscribed_stream(checked["ConsumerARN"].as_str().unwrap_or_default()).await?;
        let position = &checked["StartingPosition"];
        let iterator = json!({
            "StreamName": stream,
            "ShardId": checked["ShardId"],
            "ShardIteratorType": position["Type"],
            "StartingSequenceNumber": position["SequenceNumber"],
            "Timestamp": position["Timestamp"],
        });
        let answer = self.shard_iterator(iterator).await?;
        let iterator = answer["ShardIterator"].as_str().unwrap_or_default().to_owned();
        let subscription = Subscription {
            store: self.store.clone(),
            protocol,
            end_ms: current_time_ms() + SESSION_MS,
            position: Position::Start { iterator },
        };
        Ok(Body::from_stream(stream::unfold(subscription, Subscription::next)))
    }

    /// The stream of a consumer, both of them ready.
    async fn subscribed_stream(&self, consumer_arn: &str) -> Result<String, AwsError> {
        let unknown = || AwsError::not_found(format!("Consumer {consumer_arn} not found."));
        let consumer = self.store.get_consumer(consumer_arn).await.ok_or_else(unknown)?;
        let name = arn::stream_in(consumer_arn).ok_or_else(unknown)?;
        let stream = self.store.get_stream(name).await?;
        let in_use = |what: &str| {
            AwsError::new(400, "ResourceInUseException", format!("{what} {consumer_arn} is not ACTIVE."))
        };
        if consumer.consumer_status != ConsumerStatus::Active {
            return Err(in_use("Consumer"));
        }
        if !matches!(stream.stream_status, StreamStatus::Active | StreamStatus::Updating) {
            return Err(in_use("The stream of consumer"));
        }
        Ok(name.to_owned())
    }
}

impl Subscription {
    /// The next bytes of the answer; `None` after the last ones.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        match self.position {
            Position::Ended => None,
            Position::Start { iterator } => {
                self.position = Position::Reading { iterator, idle_looks: LOOKS_UNTIL_SIGN_OF_LIFE };
                Some((Ok(Bytes::from(event_stream::encode_initial_response())), self))
            }
            Position::Reading { iterator, idle_looks } => {
                let (event, position) = look_until(&self.store, iterator, idle_looks, self.end_ms).await?;
                self.position = position;
                Some((Ok(frame(&event, self.protocol)), self))
            }
        }
    }
}

/// Looks until there is something to send; `None` if the time is over or the shard cannot be read any more.
async fn look_until(
    store: &Store,
    mut iterator: String,
    mut idle_looks: u32,
    end_ms: u64,
) -> Option<(Value, Position)> {
    while current_time_ms() < end_ms {
        let request = json!({"ShardIterator": iterator, "Limit": EVENT_RECORDS});
        let mut answer = actions::dispatch(store, Operation::GetRecords, request).await.ok()??;
        distribution::leave_out_filled_in(&mut answer);
        let Some(next) = answer["NextShardIterator"].as_str() else {
            return Some((last_event(store, &iterator).await, Position::Ended));
        };
        let idle = answer["Records"].as_array().is_none_or(Vec::is_empty);
        idle_looks = if idle { idle_looks + 1 } else { 0 };
        iterator = next.to_owned();
        if !idle || idle_looks > LOOKS_UNTIL_SIGN_OF_LIFE {
            let (_, _, _, continuation) = shard_iterator::decode_shard_iterator(next).ok()?;
            let event = json!({
                "Records": answer["Records"],
                "ContinuationSequenceNumber": continuation,
                "MillisBehindLatest": answer["MillisBehindLatest"],
            });
            return Some((event, Position::Reading { iterator, idle_looks: 0 }));
        }
        pause(LOOK_PAUSE).await;
    }
    None
}

async fn last_event(store: &Store, iterator: &str) -> Value {
    let children = reading::child_shards(store, iterator).await;
    json!({"Records": [], "MillisBehindLatest": 0, "ChildShards": children})
}

fn frame(event: &Value, protocol: Protocol) -> Bytes {
    let (payload, content_type) = match protocol {
        Protocol::KinesisCbor => {
            (cbor::write(event, Timestamps::Milliseconds), ferrokinesis::constants::CONTENT_TYPE_CBOR)
        }
        Protocol::RpcV2Cbor => (cbor::write(event, Timestamps::Tagged), "application/cbor"),
        Protocol::Json { .. } | Protocol::Query => (event.to_string().into_bytes(), "application/json"),
    };
    Bytes::from(event_stream::encode_subscribe_event(&payload, content_type))
}
