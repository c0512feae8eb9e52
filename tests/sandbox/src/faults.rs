//! The armed fault rules: what happens to a call, and to the entries of a put.
//!
//! Rules are asked in the order in which they were given. Every [`FaultEffect::Delay`] that fires adds up; of the
//! other effects on a call the first that fires decides. An entry gets the first `throttle` or `fail` that fires.
//!
//! Invariant: all chance comes from one generator, seeded when rules are set and asked only under one lock, so the
//! same seed, rules and order of calls give the same faults.

mod operations;
mod parse;
pub(crate) mod rule;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::aws_error::AwsError;
use crate::call::{Call, Service};
use rule::{FaultEffect, FaultRule};

/// How often a rule was met and fired.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultStatus {
    /// The rule.
    pub rule: FaultRule,
    /// Calls that its filters matched.
    pub matched: u64,
    /// Calls, or entries for `throttle` and `fail`, that it struck.
    pub fired: u64,
}

/// What happens to one call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CallVerdict {
    /// Wait this long first.
    pub(crate) delay: Duration,
    pub(crate) end: CallEnd,
}

/// How one call ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CallEnd {
    /// It is carried out and answered.
    Answer,
    /// It is refused and not carried out.
    Refuse(AwsError),
    /// The connection is closed; the call is not carried out.
    DropBefore,
    /// The call is carried out and the connection closed.
    DropAfter,
    /// Nothing ever happens.
    Hang,
}

/// What happens to one entry of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryFault {
    /// The shard or the delivery stream is too busy.
    Throttled,
    /// The entry fails with this code.
    Failed { code: String },
}

/// One put, as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Put<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) entries: usize,
}

/// The rules of one sandbox.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    armed: Vec<FaultStatus>,
    random: fastrand::Rng,
    fired_in_total: u64,
}

impl Faults {
    pub(crate) fn new(rules: Vec<FaultRule>, seed: u64) -> Self {
        let state = State { armed: arm(rules), random: fastrand::Rng::with_seed(seed), fired_in_total: 0 };
        Self { seed, state: Mutex::new(state) }
    }

    /// Puts other rules in the place of all rules and starts the random numbers anew.
    pub(crate) fn replace(&self, rules: Vec<FaultRule>) {
        let mut state = self.lock();
        state.armed = arm(rules);
        state.random = fastrand::Rng::with_seed(self.seed);
    }

    pub(crate) fn status(&self) -> Vec<FaultStatus> {
        self.lock().armed.clone()
    }

    /// Faults fired since the start, by rules that were replaced too.
    pub(crate) fn fired_in_total(&self) -> u64 {
        self.lock().fired_in_total
    }

    pub(crate) fn judge_call(&self, call: &Call, stream: Option<&str>) -> CallVerdict {
        self.lock().judge_call(call, stream)
    }

    /// One verdict for every entry of the put; `shard_of` is asked only by rules that name a shard.
    pub(crate) fn judge_entries(
        &self,
        put: Put<'_>,
        shard_of: impl Fn(usize) -> Option<u32>,
    ) -> Vec<Option<EntryFault>> {
        self.lock().judge_entries(put, &shard_of)
    }

    /// Whether some rule strikes entries, so that the shards of entries are worth knowing.
    pub(crate) fn strike_entries(&self) -> bool {
        self.lock().armed.iter().any(|armed| armed.rule.effect().strikes_entries())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic elsewhere cannot leave the state half changed: every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn arm(rules: Vec<FaultRule>) -> Vec<FaultStatus> {
    rules.into_iter().map(|rule| FaultStatus { rule, matched: 0, fired: 0 }).collect()
}

impl FaultStatus {
    /// Counts a call that the filters match, and says whether the rule may strike it.
    fn meets(&mut self, service: Service, operation: &str, stream: Option<&str>) -> bool {
        let matches = self.rule.matches(service, operation, stream);
        self.matched += u64::from(matches);
        matches && self.matched > self.rule.after()
    }

    fn fires(&mut self, random: &mut fastrand::Rng) -> bool {
        let spent = self.rule.times().is_some_and(|times| self.fired >= times);
        let fires = !spent && (self.rule.share() >= 1.0 || random.f64() < self.rule.share());
        self.fired += u64::from(fires);
        fires
    }
}

impl State {
    fn judge_call(&mut self, call: &Call, stream: Option<&str>) -> CallVerdict {
        let mut verdict = CallVerdict { delay: Duration::ZERO, end: CallEnd::Answer };
        for armed in &mut self.armed {
            let on_entries = armed.rule.effect().strikes_entries() && operations::is_put(&call.operation);
            let decided =
                verdict.end != CallEnd::Answer && !matches!(armed.rule.effect(), FaultEffect::Delay(_));
            if on_entries
                || !armed.meets(call.service, &call.operation, stream)
                || decided
                || !armed.fires(&mut self.random)
            {
                continue;
            }
            self.fired_in_total += 1;
            match armed.rule.effect() {
                FaultEffect::Delay(delay) => verdict.delay = verdict.delay.saturating_add(*delay),
                effect => verdict.end = end(effect, call),
            }
        }
        verdict
    }

    fn judge_entries(
        &mut self,
        put: Put<'_>,
        shard_of: &dyn Fn(usize) -> Option<u32>,
    ) -> Vec<Option<EntryFault>> {
        let mut verdicts = vec![None; put.entries];
        for armed in &mut self.armed {
            let on_entries = armed.rule.effect().strikes_entries();
            if !on_entries || !armed.meets(put.service, put.operation, Some(put.stream)) {
                continue;
            }
            for (entry, verdict) in verdicts.iter_mut().enumerate() {
                let in_shard = armed.rule.shard().is_none_or(|shard| shard_of(entry) == Some(shard));
                if verdict.is_none() && in_shard && armed.fires(&mut self.random) {
                    self.fired_in_total += 1;
                    *verdict = entry_fault(armed.rule.effect());
                }
            }
        }
        verdicts
    }
}

fn entry_fault(effect: &FaultEffect) -> Option<EntryFault> {
    match effect {
        FaultEffect::Throttle { .. } => Some(EntryFault::Throttled),
        FaultEffect::Fail { code, .. } => Some(EntryFault::Failed { code: code.clone() }),
        _ => None,
    }
}

fn end(effect: &FaultEffect, call: &Call) -> CallEnd {
    match effect {
        FaultEffect::Throttle { .. } => CallEnd::Refuse(throttled_call(call)),
        FaultEffect::Fail { code, .. } => CallEnd::Refuse(failed(code)),
        FaultEffect::Error500 => CallEnd::Refuse(AwsError::internal()),
        FaultEffect::DropBefore => CallEnd::DropBefore,
        FaultEffect::DropAfter => CallEnd::DropAfter,
        FaultEffect::Hang => CallEnd::Hang,
        FaultEffect::Delay(_) => CallEnd::Answer,
    }
}

/// How AWS refuses a whole call that is not a put because of its rate.
fn throttled_call(call: &Call) -> AwsError {
    match (call.service, call.operation.as_str()) {
        (Service::Kinesis, "GetRecords" | "GetShardIterator") => {
            AwsError::new(400, "ProvisionedThroughputExceededException", "Rate exceeded for shard.")
        }
        (Service::Kinesis, _) => {
            AwsError::new(400, "LimitExceededException", "Rate exceeded for the operation.")
        }
        (Service::Firehose, _) => AwsError::new(400, "LimitExceededException", "Rate exceeded"),
        (Service::Glue, _) => AwsError::new(400, "ThrottlingException", "Rate exceeded"),
        (Service::CloudWatch | Service::Sts, _) => AwsError::new(400, "Throttling", "Rate exceeded"),
    }
}

/// A whole call that fails with `code`, under the status that AWS uses for such a code.
pub(crate) fn failed(code: &str) -> AwsError {
    let status = match code {
        "InternalFailure" | "InternalServerError" | "InternalServiceError" | "InternalFailureException" => {
            500
        }
        "ServiceUnavailable" | "ServiceUnavailableException" => 503,
        _ => 400,
    };
    AwsError::new(status, code, failed_message(code))
}

/// The message beside `code`.
pub(crate) fn failed_message(code: &str) -> String {
    match code {
        "InternalFailure" => "Internal service failure.".to_owned(),
        other => format!("{other}, injected by a fault rule"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Protocol;

    fn faults(rules: &[&str]) -> Faults {
        Faults::new(rules.iter().map(|rule| rule.parse().unwrap()).collect(), 7)
    }

    fn call(operation: &str) -> Call {
        Call {
            service: Service::Kinesis,
            operation: operation.to_owned(),
            protocol: Protocol::Json { minor: 1 },
        }
    }

    fn put(stream: &str, entries: usize) -> Put<'_> {
        Put { service: Service::Kinesis, operation: "PutRecords", stream, entries }
    }

    fn struck(verdicts: &[Option<EntryFault>]) -> Vec<usize> {
        verdicts.iter().enumerate().filter(|(_, verdict)| verdict.is_some()).map(|(entry, _)| entry).collect()
    }

    #[test]
    fn after_leaves_calls_alone_and_times_ends_a_rule() {
        let faults = faults(&["drop-before:after=1,times=2,op=PutRecords"]);
        let ends: Vec<_> = ["PutRecords", "ListShards", "PutRecords", "PutRecords", "PutRecords"]
            .map(|operation| faults.judge_call(&call(operation), Some("s")).end)
            .into();
        let answer = CallEnd::Answer;
        assert_eq!(
            ends,
            [answer, CallEnd::Answer, CallEnd::DropBefore, CallEnd::DropBefore, CallEnd::Answer]
        );
        assert_eq!(
            (faults.status()[0].matched, faults.status()[0].fired, faults.fired_in_total()),
            (4, 2, 2)
        );
    }

    #[test]
    fn delays_add_up_and_the_first_ending_wins() {
        let faults = faults(&["delay:ms=20", "hang", "error500", "delay:ms=5"]);
        let verdict = faults.judge_call(&call("GetRecords"), None);
        assert_eq!(verdict, CallVerdict { delay: Duration::from_millis(25), end: CallEnd::Hang });
        assert_eq!(faults.status().iter().map(|status| status.fired).collect::<Vec<_>>(), [1, 1, 0, 1]);
    }

    #[test]
    fn shards_and_streams_filter_entries() {
        let faults = faults(&["throttle:shard=1,stream=a", "fail:times=1,code=X"]);
        let verdicts = faults.judge_entries(put("a", 4), |entry| u32::try_from(entry % 2).ok());
        assert_eq!(struck(&verdicts), [0, 1, 3]);
        assert_eq!(verdicts[0], Some(EntryFault::Failed { code: "X".to_owned() }));
        assert_eq!(verdicts[1], Some(EntryFault::Throttled));
        assert_eq!(struck(&faults.judge_entries(put("b", 4), |_| Some(1))), [0_usize; 0]);
    }

    #[test]
    fn a_put_is_not_refused_whole_by_an_entry_rule_but_other_calls_are_when_named() {
        let faults = faults(&["throttle", "fail:op=GetRecords"]);
        assert_eq!(faults.judge_call(&call("PutRecords"), Some("s")).end, CallEnd::Answer);
        assert_eq!(faults.judge_call(&call("ListShards"), Some("s")).end, CallEnd::Answer);
        assert_eq!(faults.judge_call(&call("GetRecords"), None).end, CallEnd::Refuse(AwsError::internal()));
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let draw = || struck(&faults(&["fail:share=0.3"]).judge_entries(put("s", 200), |_| None));
        let first = draw();
        assert_eq!(first, draw());
        assert!((30..90).contains(&first.len()), "about 60 of 200, not {}", first.len());
        let replaced = faults(&["fail:share=0.3"]);
        replaced.judge_entries(put("s", 3), |_| None);
        replaced.replace(vec!["fail:share=0.3".parse().unwrap()]);
        assert_eq!(struck(&replaced.judge_entries(put("s", 200), |_| None)), first);
    }
}
