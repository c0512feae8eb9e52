//! A stream's open shards, page by page, and how the service distributes records over them.
//!
//! Invariant: a listing is complete or an error, and it ends, whatever the service answers; that the record
//! distribution strategy is not known never fails a listing, nor holds it up for more than a second.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::list_shards::ListShardsInput;
use aws_sdk_kinesis::types::{self as sdk, Shard, ShardFilter, ShardFilterType};

use aws_smithy_types::DateTime;
use tracing::Instrument as _;

use crate::error_class::ErrorClass;
use crate::limits::SHARDS_PER_PAGE;
use crate::put_records::{
    CallError, Doubt, RESPONSE_UNREADABLE, RecordDistributionStrategy, ShardDescription, ShardListing,
};
use crate::transport::aws::{CallTimeouts, call_error, timeout_config};
use crate::types::{HashKey, StreamName};

/// More pages than any stream has: a million shards. The quota of an account is some ten thousand.
const MAX_PAGES: usize = 1_000;

/// As many shards as stand in those pages.
const MAX_SHARDS: usize = MAX_PAGES * SHARDS_PER_PAGE as usize;

/// How long the shards wait for the strategy. Records wait for the shards, and where they land tells the strategy, too.
const STRATEGY_PATIENCE: Duration = Duration::from_secs(1);

/// Whether it was logged already that the strategy of streams cannot be asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct SaidOnce(Arc<AtomicBool>);

/// Which shards are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The open ones.
    Open,
    /// Those that closed within this time, too (Kinesis API reference, `ShardFilter`, `FROM_TIMESTAMP`).
    ClosedWithin(Duration),
}

/// Lists the shards of `stream`.
pub(super) async fn list(
    client: Client,
    stream: StreamName,
    scope: Scope,
    timeouts: CallTimeouts,
    said: SaidOnce,
) -> Result<ShardListing, CallError> {
    let client = with_timeouts(&client, timeouts);
    let summary_span = tracing::debug_span!("describe_stream_summary", %stream);
    let strategy = strategy(&client, &stream).instrument(summary_span);
    let (shards, strategy) = both(pages(&client, &stream, scope), strategy).await;
    let (shards, recently_closed) = shards?;
    let record_distribution_strategy = match strategy {
        Some(Ok(strategy)) => strategy,
        Some(Err(error)) => {
            said.say(&stream, &error);
            None
        }
        None => {
            tracing::debug!(%stream, "DescribeStreamSummary takes longer than the listing: the strategy is not known this time");
            None
        }
    };
    Ok(ShardListing { shards, recently_closed, record_distribution_strategy })
}

/// What both resolve to; `None` for a strategy that is too late.
async fn both<P, S>(pages: impl Future<Output = P>, strategy: impl Future<Output = S>) -> (P, Option<S>) {
    let (mut pages, mut strategy) = (pin!(pages), pin!(strategy));
    tokio::select! {
        strategy = &mut strategy => (pages.await, Some(strategy)),
        pages = &mut pages => (pages, tokio::time::timeout(STRATEGY_PATIENCE, strategy).await.ok()),
    }
}

/// The client with other time limits, which are the same for every page.
fn with_timeouts(client: &Client, timeouts: CallTimeouts) -> Client {
    Client::from_conf(client.config().to_builder().timeout_config(timeout_config(timeouts)).build())
}

/// Open shards, and closed ones as far as they were asked for.
async fn pages(
    client: &Client,
    stream: &StreamName,
    scope: Scope,
) -> Result<(Vec<ShardDescription>, Vec<ShardDescription>), CallError> {
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    // Their hashes: a token has up to a megabyte (Kinesis API reference, `ListShards`).
    let (mut tokens, hasher) = (HashSet::new(), RandomState::new());
    let mut next_token = None;
    while tokens.len() < MAX_PAGES {
        let (page, token) = page(client, stream, scope, next_token).await?;
        for shard in &page {
            let shards = if is_open(shard) { &mut open } else { &mut closed };
            shards.push(description(shard)?);
        }
        if open.len() + closed.len() > MAX_SHARDS {
            return Err(endless(&format!("there are more than {MAX_SHARDS} shards")));
        }
        let Some(token) = token else {
            if scope == Scope::Open {
                closed.clear();
            }
            return Ok((open, closed));
        };
        if !tokens.insert(hasher.hash_one(&token)) {
            return Err(endless(&format!("page {} leads back to an earlier one", tokens.len() + 1)));
        }
        next_token = Some(token);
    }
    Err(endless(&format!("there are more than {MAX_PAGES} pages")))
}

async fn page(
    client: &Client,
    stream: &StreamName,
    scope: Scope,
    next_token: Option<String>,
) -> Result<(Vec<Shard>, Option<String>), CallError> {
    let input = ListShardsInput::builder().max_results(SHARDS_PER_PAGE);
    let input = match (next_token, stream.arn()) {
        // The service refuses a token together with anything that names the stream again.
        (Some(token), _) => input.next_token(token),
        (None, Some(arn)) => input.stream_arn(arn).set_shard_filter(filter(scope)),
        (None, None) => input.stream_name(stream.as_str()).set_shard_filter(filter(scope)),
    };
    let output = input.send_with(client).await.map_err(|error| call_error(&error))?;
    tracing::debug!(%stream, shards = output.shards().len(), more = output.next_token.is_some(), "a page of ListShards");
    let token = output.next_token;
    Ok((output.shards.unwrap_or_default(), token))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the service is asked by its own clock's time, not by the producer's moments"
)]
fn filter(scope: Scope) -> Option<ShardFilter> {
    let filter = match scope {
        Scope::Open => ShardFilter::builder().r#type(ShardFilterType::AtLatest),
        Scope::ClosedWithin(time) => ShardFilter::builder()
            .r#type(ShardFilterType::FromTimestamp)
            .timestamp(DateTime::from(SystemTime::now() - time)),
    };
    filter.build().ok()
}

/// Emulators and old endpoints ignore the filter and list closed shards too.
fn is_open(shard: &Shard) -> bool {
    shard.sequence_number_range().is_none_or(|range| range.ending_sequence_number().is_none())
}

fn description(shard: &Shard) -> Result<ShardDescription, CallError> {
    let range = shard.hash_key_range().ok_or_else(|| unreadable("a shard without a hash key range"))?;
    let parse =
        |text: &str| text.parse().map_err(|error| unreadable(&format!("in a shard's range: {error}")));
    let (starting_hash_key, ending_hash_key): (HashKey, HashKey) =
        (parse(range.starting_hash_key())?, parse(range.ending_hash_key())?);
    if shard.shard_id().is_empty() || starting_hash_key > ending_hash_key {
        return Err(unreadable(&format!(
            "a shard without an id, or whose range ends before it starts: {shard:?}"
        )));
    }
    Ok(ShardDescription { shard_id: shard.shard_id().into(), starting_hash_key, ending_hash_key })
}

async fn strategy(
    client: &Client,
    stream: &StreamName,
) -> Result<Option<RecordDistributionStrategy>, CallError> {
    let call = client.describe_stream_summary();
    let call = match stream.arn() {
        Some(arn) => call.stream_arn(arn),
        None => call.stream_name(stream.as_str()),
    };
    let output = call.send().await.map_err(|error| call_error(&error))?;
    tracing::debug!("DescribeStreamSummary was answered");
    let summary = output.stream_description_summary;
    Ok(match summary.and_then(|summary| summary.record_distribution_strategy) {
        Some(sdk::RecordDistributionStrategy::Auto) => Some(RecordDistributionStrategy::Auto),
        // Only streams in on-demand mode have one.
        Some(sdk::RecordDistributionStrategy::UserPartitionKey) | None => {
            Some(RecordDistributionStrategy::UserPartitionKey)
        }
        // A strategy of next year: what was known before counts.
        Some(_) => None,
    })
}

impl SaidOnce {
    fn say(&self, stream: &StreamName, error: &CallError) {
        if ErrorClass::of(&error.code) != ErrorClass::Refused {
            tracing::debug!(%stream, %error, "the record distribution strategy is not known this time");
        } else if !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %stream, %error,
                "cannot ask for the record distribution strategy of streams, so they are taken to follow their \
                 partition keys until records land elsewhere: allow kinesis:DescribeStreamSummary if a stream uses AUTO \
                 (said once)"
            );
        }
    }
}

fn endless(what: &str) -> CallError {
    CallError {
        code: "ListingEndless".into(),
        message: format!("the list of shards does not end: {what}").into(),
        doubt: Doubt::NotWritten,
    }
}

fn unreadable(what: &str) -> CallError {
    CallError { code: RESPONSE_UNREADABLE.into(), message: what.into(), doubt: Doubt::MayHaveBeenWritten }
}
