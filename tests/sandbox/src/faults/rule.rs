//! One fault rule: what it does, to which calls, how often.
//!
//! Invariant: a rule that exists makes sense; what makes none is refused by the parser with the words that are valid.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{operations, parse};
use crate::call::Service;

/// What a rule does to what it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultEffect {
    /// An entry is refused as too fast: `ProvisionedThroughputExceededException` in Kinesis,
    /// `ServiceUnavailableException` in Firehose.
    Throttle {
        /// Only entries of this shard; `None` strikes all.
        shard: Option<u32>,
    },
    /// An entry fails.
    Fail {
        /// The error code. Default: `InternalFailure`.
        code: String,
        /// Only entries of this shard; `None` strikes all.
        shard: Option<u32>,
    },
    /// The call waits before it is carried out.
    Delay(Duration),
    /// The connection is closed and nothing is stored.
    DropBefore,
    /// The call is carried out, then the connection is closed without an answer.
    DropAfter,
    /// The call is answered with HTTP 500 and not carried out.
    Error500,
    /// The call is neither carried out nor answered, until the client goes away or the sandbox stops.
    Hang,
}

/// Why a fault rule cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultRuleError {
    /// The word before the colon is no fault.
    #[error("fault rule `{rule}`: unknown fault `{word}`; use one of {valid}")]
    UnknownFault {
        /// The whole rule.
        rule: String,
        /// The word.
        word: String,
        /// The words that are valid.
        valid: String,
    },
    /// A parameter that the fault does not have.
    #[error("fault rule `{rule}`: `{fault}` has no parameter `{key}`; use one of {valid}")]
    UnknownParameter {
        /// The whole rule.
        rule: String,
        /// The fault.
        fault: String,
        /// The parameter.
        key: String,
        /// The parameters that are valid.
        valid: String,
    },
    /// A parameter with a value that it cannot have.
    #[error("fault rule `{rule}`: `{key}={value}` is not {expected}")]
    BadValue {
        /// The whole rule.
        rule: String,
        /// The parameter.
        key: String,
        /// Its value.
        value: String,
        /// What the value must be.
        expected: &'static str,
    },
    /// A parameter without which the fault says nothing.
    #[error("fault rule `{rule}`: `{key}` is missing; write for example {example}")]
    Missing {
        /// The whole rule.
        rule: String,
        /// The parameter.
        key: &'static str,
        /// A rule that has it.
        example: &'static str,
    },
    /// The same parameter twice.
    #[error("fault rule `{rule}`: `{key}` stands twice; leave one")]
    Repeated {
        /// The whole rule.
        rule: String,
        /// The parameter.
        key: String,
    },
}

/// A fault to inject, written `fault:parameter=value,...`.
///
/// | fault | strikes | own parameters |
/// |---|---|---|
/// | `throttle` | entries of a put, as too fast | `shard` |
/// | `fail` | entries of a put, with an error code | `shard`, `code` (`InternalFailure`) |
/// | `delay` | a call, which waits first | `ms` (required) |
/// | `drop-before` | a call: connection closed, nothing stored | |
/// | `drop-after` | a call: stored, connection closed without an answer | |
/// | `error500` | a call: HTTP 500, nothing stored | |
/// | `hang` | a call: never answered, nothing stored | |
///
/// Parameters that all have: `share` (0 to 1, of what the rule could strike; default 1), `op` (an operation such as
/// `PutRecords` or `firehose:PutRecord`; default all, for `throttle` and `fail` all puts), `stream` (a stream or
/// delivery stream), `times` (strike at most so many calls, or entries for `throttle` and `fail`), `after` (leave so
/// many matching calls alone first). `throttle` and `fail` strike a `PutRecord` as a whole, and any other operation
/// as a whole if `op` names it.
///
/// ```
/// use kinesis_sandbox::FaultRule;
///
/// let rule: FaultRule = "fail:share=0.1,code=InternalFailure,op=PutRecords".parse()?;
/// assert_eq!(rule.share(), 0.1);
/// let error = "throtle:share=1".parse::<FaultRule>().unwrap_err();
/// assert!(error.to_string().contains("use one of throttle, fail, delay"));
/// # Ok::<(), kinesis_sandbox::FaultRuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRule {
    pub(super) text: String,
    pub(super) effect: FaultEffect,
    pub(super) share: f64,
    pub(super) operation: Option<OperationFilter>,
    pub(super) stream: Option<String>,
    pub(super) times: Option<u64>,
    pub(super) after: u64,
}

/// `PutRecord`, or `firehose:PutRecord` where two services share the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OperationFilter {
    pub(super) service: Option<String>,
    pub(super) name: String,
}

impl FaultEffect {
    /// Whether the fault strikes single entries of a put, not calls.
    pub fn strikes_entries(&self) -> bool {
        matches!(self, Self::Throttle { .. } | Self::Fail { .. })
    }
}

impl FaultRule {
    /// What the rule does.
    pub fn effect(&self) -> &FaultEffect {
        &self.effect
    }

    /// The probability, 0 to 1, that it strikes what it could strike.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// How often it strikes at most.
    pub fn times(&self) -> Option<u64> {
        self.times
    }

    /// How many matching calls it leaves alone first.
    pub fn after(&self) -> u64 {
        self.after
    }

    /// The number of the shard whose entries it strikes; `None` for all shards, and for faults that strike calls.
    pub fn shard(&self) -> Option<u32> {
        match self.effect {
            FaultEffect::Throttle { shard } | FaultEffect::Fail { shard, .. } => shard,
            _ => None,
        }
    }

    pub(super) fn matches(&self, service: Service, operation: &str, stream: Option<&str>) -> bool {
        let operation_matches = match &self.operation {
            Some(filter) => filter.matches(service, operation),
            None => !self.effect.strikes_entries() || operations::is_put(operation),
        };
        operation_matches && self.stream.as_deref().is_none_or(|wanted| stream == Some(wanted))
    }
}

impl OperationFilter {
    fn matches(&self, service: Service, operation: &str) -> bool {
        self.name == operation && self.service.as_deref().is_none_or(|wanted| wanted == service.prefix())
    }
}

impl FromStr for FaultRule {
    type Err = FaultRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::rule(text)
    }
}

/// The rule as it was written.
impl fmt::Display for FaultRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
