//! All services behind one door: a call comes in, faults are asked, the service carries it out.
//!
//! Invariant: every AWS call is counted once when it arrives, and no fault touches the control requests.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::Response;
use serde_json::Value;

use crate::aws_error::AwsError;
use crate::call::{Call, Protocol, Service};
use crate::cloudwatch::CloudWatch;
use crate::codec;
use crate::counters::{Counters, LiveCounters};
use crate::faults::{CallEnd, Faults};
use crate::firehose::Firehose;
use crate::glue::Glue;
use crate::kinesis::{Kinesis, PutRecordsBody};
use crate::options::SandboxOptions;
use crate::pause::pause;
use crate::reply::{self, Answer};
use crate::sts::Sts;

/// The connection is to be closed without an answer, because a fault rule says so.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped by a fault rule")]
pub(crate) struct Dropped;

/// The services, the faults and the counters of one sandbox.
pub(crate) struct Backend {
    pub(crate) kinesis: Kinesis,
    pub(crate) firehose: Firehose,
    pub(crate) cloudwatch: CloudWatch,
    pub(crate) faults: Faults,
    sts: Sts,
    glue: Glue,
    counters: LiveCounters,
    ids: AtomicU64,
    discard: bool,
}

/// What every service asks and tells while it carries out a call.
#[derive(Clone, Copy)]
pub(crate) struct Instruments<'a> {
    pub(crate) faults: &'a Faults,
    pub(crate) counters: &'a LiveCounters,
    ids: &'a AtomicU64,
}

/// What a call says, as far as it had to be read.
enum Input<'a> {
    Tree(Value),
    /// PutRecords whose records are discarded.
    Discard(PutRecordsBody<'a>),
}

impl Instruments<'_> {
    /// An id that no other request or record has.
    pub(crate) fn id(self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.ids.fetch_add(1, Ordering::Relaxed))
    }
}

impl Backend {
    pub(crate) fn new(options: SandboxOptions) -> Self {
        Self {
            kinesis: Kinesis::new(&options),
            firehose: Firehose::new(&options),
            cloudwatch: CloudWatch::default(),
            sts: Sts::new(&options),
            glue: Glue::new(&options),
            counters: LiveCounters::default(),
            ids: AtomicU64::new(0),
            discard: options.discard_records,
            faults: Faults::new(options.faults, options.seed),
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters.read(self.faults.fired_in_total())
    }

    /// An id for a request.
    pub(crate) fn request_id(&self) -> String {
        self.instruments().id()
    }

    /// Answers one AWS call, or has its connection dropped.
    pub(crate) async fn answer(&self, call: &Call, body: &[u8]) -> Result<Response<Body>, Dropped> {
        let request_id = self.request_id();
        self.counters.count_call(call.action());
        let input = match self.read(call, body) {
            Ok(input) => input,
            Err(error) => return Ok(reply::refusal(call, &error, &request_id)),
        };
        let verdict = self.faults.judge_call(call, input.stream(call.service).as_deref());
        pause(verdict.delay).await;
        let outcome = match verdict.end {
            CallEnd::Hang => std::future::pending().await,
            CallEnd::DropBefore => return Err(Dropped),
            CallEnd::Refuse(error) => Err(error),
            CallEnd::DropAfter => {
                // Whatever came of it, nobody is told.
                let _ = self.carry_out(call, input).await;
                return Err(Dropped);
            }
            CallEnd::Answer => self.carry_out(call, input).await,
        };
        Ok(match outcome {
            Ok(answer) => reply::success(call, answer, &request_id),
            Err(error) => reply::refusal(call, &error, &request_id),
        })
    }

    fn read<'a>(&self, call: &Call, body: &'a [u8]) -> Result<Input<'a>, AwsError> {
        let json = matches!(call.protocol, Protocol::Json { .. });
        if self.discard && json && call.service == Service::Kinesis && call.operation == "PutRecords" {
            return PutRecordsBody::read(body).map(Input::Discard);
        }
        codec::read_tree(call.protocol, body).map(Input::Tree)
    }

    async fn carry_out(&self, call: &Call, input: Input<'_>) -> Result<Answer, AwsError> {
        let operation = call.operation.as_str();
        let tree = match input {
            Input::Discard(body) => {
                return self.kinesis.discard_records(&body, self.instruments()).await.map(Answer::Json);
            }
            Input::Tree(tree) => tree,
        };
        match call.service {
            Service::Kinesis => {
                self.kinesis.carry_out(operation, call.protocol, tree, self.instruments()).await
            }
            Service::Firehose => self.firehose.carry_out(operation, &tree, self.instruments()),
            Service::CloudWatch => self.cloudwatch.carry_out(operation, &tree, &self.counters),
            Service::Sts => self.sts.carry_out(operation, &tree),
            Service::Glue => self.glue.carry_out(operation, &tree, self.instruments()),
        }
    }

    fn instruments(&self) -> Instruments<'_> {
        Instruments { faults: &self.faults, counters: &self.counters, ids: &self.ids }
    }
}

impl Input<'_> {
    fn stream(&self, service: Service) -> Option<String> {
        match (self, service) {
            (Self::Discard(body), _) => body.stream().map(str::to_owned),
            (Self::Tree(tree), Service::Kinesis) => Kinesis::stream_of(tree),
            (Self::Tree(tree), Service::Firehose) => Firehose::stream_of(tree),
            (Self::Tree(_), Service::CloudWatch | Service::Sts | Service::Glue) => None,
        }
    }
}
