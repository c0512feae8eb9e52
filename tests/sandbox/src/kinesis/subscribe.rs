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
use ferrokinesis::{event_stream, sequence, shard_iterator};
use futures_util::stream;
use serde_json::{Value, json};

use super::{Kinesis, arn, distribution, reading, resharding};
use crate::aws_error::AwsError;
use crate::call::Protocol;
use crate::codec::cbor::{self, Timestamps};
use crate::pause::pause;

/// How long a subscription lasts.
const SESSION_MS: u64 = 5 * 60 * 1000;
/// How often the shard is looked at for new records.
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// After such a silence an event without records says that the subscription is alive. Java's SDK gives up after 10 s.
const LONGEST_SILENCE_MS: u64 = 2000;
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
        last_event_ms: u64,
    },
    /// The last event was sent.
    Ended,
}

impl Kinesis {
    pub(super) async fn subscribe(
        &self,
        checked: &Value,
        position: &Value,
        protocol: Protocol,
    ) -> Result<Body, AwsError> {
        let stream = self.subscribed_stream(checked["ConsumerARN"].as_str().unwrap_or_default()).await?;
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
                self.position = Position::Reading { iterator, last_event_ms: 0 };
                Some((Ok(Bytes::from(event_stream::encode_initial_response())), self))
            }
            Position::Reading { iterator, last_event_ms } => {
                let (event, position) = look_until(&self.store, iterator, last_event_ms, self.end_ms).await?;
                self.position = position;
                Some((Ok(frame(&event, self.protocol)), self))
            }
        }
    }
}

/// Looks until there is something to send; `None` if the time is over or the shard cannot be read any more.
async fn look_until(
    store: &Store,
    iterator: String,
    last_event_ms: u64,
    end_ms: u64,
) -> Option<(Value, Position)> {
    let place = Place::of(&iterator)?;
    loop {
        let now_ms = current_time_ms();
        if now_ms >= end_ms {
            return None;
        }
        if place.has_news(store).await? || now_ms >= last_event_ms + LONGEST_SILENCE_MS {
            return next_event(store, iterator).await;
        }
        pause(LOOK_PAUSE).await;
    }
}

async fn next_event(store: &Store, iterator: String) -> Option<(Value, Position)> {
    let request = json!({"ShardIterator": iterator, "Limit": EVENT_RECORDS});
    let mut answer = actions::dispatch(store, Operation::GetRecords, request).await.ok()??;
    distribution::leave_out_filled_in(&mut answer);
    let Some(next) = answer["NextShardIterator"].as_str() else {
        return Some((last_event(store, &iterator).await, Position::Ended));
    };
    let event = json!({
        "Records": answer["Records"],
        "ContinuationSequenceNumber": Place::of(next)?.sequence_number,
        "MillisBehindLatest": answer["MillisBehindLatest"],
    });
    Some((event, Position::Reading { iterator: next.to_owned(), last_event_ms: current_time_ms() }))
}

/// Where an iterator stands.
struct Place {
    stream: String,
    shard: i64,
    sequence_number: String,
}

impl Place {
    fn of(iterator: &str) -> Option<Self> {
        let (_, stream, shard, sequence_number) = shard_iterator::decode_shard_iterator(iterator).ok()?;
        let (_, shard) = sequence::resolve_shard_id(&shard).ok()?;
        Some(Self { stream, shard, sequence_number })
    }

    /// Whether there is something to read: records, or the end of the shard.
    async fn has_news(&self, store: &Store) -> Option<bool> {
        let stream = store.get_stream(&self.stream).await.ok()?;
        if !resharding::is_open(stream.shards.get(usize::try_from(self.shard).ok()?)?) {
            return Some(true);
        }
        let from = format!("{}/{}", sequence::shard_ix_to_hex(self.shard), self.sequence_number);
        let to = sequence::shard_ix_to_hex(self.shard + 1);
        Some(!store.get_records_range_limited(&self.stream, &from, &to, 1).await.is_empty())
    }
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
