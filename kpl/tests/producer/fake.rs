//! A service that follows a script: it stores, throttles, loses answers, holds calls back and panics as told.
//!
//! Invariant: what it stores is what a consumer would see, user record by user record.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kpl::aggregation_format::{Decoded, decode};
use kpl::{
    Answer, CallError, Doubt, EntryError, EntryPlaced, HashKey, PutRecordsEntry, PutRecordsRequest,
    PutRecordsResponse, ShardDescription, ShardListing, StreamName, Transport,
};
use tokio::sync::watch;

use crate::support::{now, pause};

/// How long a call takes.
pub(crate) const LATENCY: Duration = Duration::from_millis(5);

/// What the service does with one PutRecords call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    /// Stores every entry.
    Store,
    /// Stores the entries for whose place this gives no error code.
    FailEntries(fn(usize) -> Option<&'static str>),
    /// Stores the entries of all shards but this one, which throttles.
    ThrottleShard(u128),
    /// Stores nothing and answers with this code.
    FailCall(&'static str),
    /// Stores everything, but nobody hears of it.
    LoseAnswer,
    /// Waits for [`Fake::release`], then stores everything.
    Hold,
    /// Panics.
    Panic,
    /// Answers with a result too few.
    Miscount,
}

/// What the service does with one ListShards call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Listing {
    /// Answers with this code.
    Fail(&'static str),
    /// Never answers.
    Hang,
    /// Panics.
    Panic,
}

/// One PutRecords call as it came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) at: Duration,
    pub(crate) stream: StreamName,
    pub(crate) entries: Vec<PutRecordsEntry>,
}

/// The service. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Fake(Arc<State>);

struct State {
    shards: u128,
    desk: Mutex<Desk>,
    released: watch::Sender<bool>,
}

#[derive(Default)]
struct Desk {
    replies: VecDeque<Reply>,
    always: Option<Reply>,
    /// What it does with the calls of single streams, whatever else the script says.
    of_streams: HashMap<StreamName, Reply>,
    listings: VecDeque<Listing>,
    calls: Vec<Call>,
    listed: Vec<StreamName>,
    stored: Vec<Vec<u8>>,
}

impl Fake {
    /// A service whose streams have so many shards.
    pub(crate) fn new(shards: u128) -> Self {
        let (released, _) = watch::channel(false);
        Self(Arc::new(State { shards, desk: Mutex::default(), released }))
    }

    /// What it does with every call of this stream.
    pub(crate) fn of_stream(self, stream: &StreamName, reply: Reply) -> Self {
        self.desk(|desk| desk.of_streams.insert(stream.clone(), reply));
        self
    }

    /// What it does with the next calls; afterwards it stores.
    pub(crate) fn replies(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.desk(|desk| desk.replies.extend(replies));
        self
    }

    /// What it does with all calls without a reply of their own.
    pub(crate) fn always(self, reply: Reply) -> Self {
        self.desk(|desk| desk.always = Some(reply));
        self
    }

    /// What it does with the next listings; afterwards it answers them.
    pub(crate) fn listings(self, listings: impl IntoIterator<Item = Listing>) -> Self {
        self.desk(|desk| desk.listings.extend(listings));
        self
    }

    /// Lets the calls go on that are held back, and holds back no more.
    pub(crate) fn release(&self) {
        self.0.released.send_replace(true);
    }

    /// The PutRecords calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.desk(|desk| desk.calls.clone())
    }

    /// The streams whose shards were listed, once for each call.
    pub(crate) fn listed(&self) -> Vec<StreamName> {
        self.desk(|desk| desk.listed.clone())
    }

    /// The data of every user record stored, sorted.
    pub(crate) fn stored(&self) -> Vec<Vec<u8>> {
        let mut stored = self.desk(|desk| desk.stored.clone());
        stored.sort_unstable();
        stored
    }

    fn desk<R>(&self, act: impl FnOnce(&mut Desk) -> R) -> R {
        act(&mut self.0.desk.lock().expect("no panic under this lock"))
    }

    fn store(&self, entry: &PutRecordsEntry) -> Result<EntryPlaced, EntryError> {
        let data = match decode(&entry.data) {
            Decoded::Plain => vec![entry.data.to_vec()],
            Decoded::Decompressed(data) => vec![data.to_vec()],
            Decoded::Aggregated(records) => records.iter().map(|record| record.data.to_vec()).collect(),
        };
        self.desk(|desk| desk.stored.extend(data));
        Ok(EntryPlaced {
            shard_id: shard_id(self.shard_of(entry)).as_str().into(),
            sequence_number: "49".into(),
        })
    }

    fn shard_of(&self, entry: &PutRecordsEntry) -> u128 {
        let number = entry.hash_key().0 / (u128::MAX / self.0.shards).max(1);
        number.min(self.0.shards - 1)
    }

    async fn carry_out(
        self,
        reply: Reply,
        request: PutRecordsRequest,
    ) -> Result<PutRecordsResponse, CallError> {
        pause(LATENCY).await;
        let entries = &request.entries;
        match reply {
            Reply::FailCall(code) => return Err(failure(code, Doubt::NotWritten)),
            Reply::Hold => {
                let mut released = self.0.released.subscribe();
                released.wait_for(|released| *released).await.expect("the service outlives its calls");
            }
            Reply::Panic => panic!("the script says so"),
            Reply::Store
            | Reply::LoseAnswer
            | Reply::FailEntries(_)
            | Reply::ThrottleShard(_)
            | Reply::Miscount => {}
        }
        let mut results: Vec<_> = entries
            .iter()
            .enumerate()
            .map(|(place, entry)| match reply {
                Reply::FailEntries(code) if code(place).is_some() => Err(EntryError {
                    code: code(place).unwrap_or_default().into(),
                    message: "as the script says".into(),
                }),
                Reply::ThrottleShard(shard) if self.shard_of(entry) == shard => Err(EntryError {
                    code: "ProvisionedThroughputExceededException".into(),
                    message: "as the script says".into(),
                }),
                _ => self.store(entry),
            })
            .collect();
        match reply {
            Reply::LoseAnswer => return Err(failure("Timeout", Doubt::MayHaveBeenWritten)),
            Reply::Miscount => results.truncate(entries.len() - 1),
            _ => {}
        }
        Ok(PutRecordsResponse { entries: results })
    }
}

impl Transport for Fake {
    fn put_records(&self, request: PutRecordsRequest) -> Answer<PutRecordsResponse> {
        let reply = self.desk(|desk| {
            let call = Call { at: now(), stream: request.stream.clone(), entries: request.entries.clone() };
            desk.calls.push(call);
            if let Some(reply) = desk.of_streams.get(&request.stream) {
                return *reply;
            }
            desk.replies.pop_front().or(desk.always).unwrap_or(Reply::Store)
        });
        Box::pin(self.clone().carry_out(reply, request))
    }

    fn list_shards(&self, stream: StreamName) -> Answer<ShardListing> {
        let listing = self.desk(|desk| {
            desk.listed.push(stream);
            desk.listings.pop_front()
        });
        let shards = self.0.shards;
        Box::pin(async move {
            pause(LATENCY).await;
            match listing {
                None => Ok((0..shards).map(|number| description(number, shards)).collect::<Vec<_>>().into()),
                Some(Listing::Fail(code)) => Err(failure(code, Doubt::NotWritten)),
                Some(Listing::Hang) => std::future::pending().await,
                Some(Listing::Panic) => panic!("the script says so"),
            }
        })
    }
}

fn description(number: u128, shards: u128) -> ShardDescription {
    let width = u128::MAX / shards;
    let end = if number + 1 == shards { u128::MAX } else { (number + 1) * width - 1 };
    ShardDescription {
        shard_id: shard_id(number).as_str().into(),
        starting_hash_key: HashKey(number * width),
        ending_hash_key: HashKey(end),
    }
}

fn shard_id(number: u128) -> String {
    format!("shardId-{number:012}")
}

fn failure(code: &str, doubt: Doubt) -> CallError {
    CallError { code: code.into(), message: "as the script says".into(), doubt }
}
