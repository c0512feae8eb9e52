//! From `fault:parameter=value,...` to a [`FaultRule`].
//!
//! Invariant: every parameter is either used by the fault or refused with the list of those that are.

use std::str::FromStr;
use std::time::Duration;

use super::operations;
use super::rule::{FaultEffect, FaultRule, FaultRuleError, OperationFilter};

const FAULTS: [&str; 7] = ["throttle", "fail", "delay", "drop-before", "drop-after", "error500", "hang"];
const COMMON_PARAMETERS: [&str; 5] = ["share", "op", "stream", "times", "after"];
const SERVICES: [&str; 5] = ["kinesis", "firehose", "cloudwatch", "sts", "glue"];

/// The parameters of one rule that nobody has taken yet.
struct Parameters<'a> {
    rule: &'a str,
    fault: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
}

/// Reads one rule.
pub(super) fn rule(text: &str) -> Result<FaultRule, FaultRuleError> {
    let text = text.trim();
    let (fault, rest) = text.split_once(':').unwrap_or((text, ""));
    let own = own_parameters(text, fault)?;
    let mut parameters = Parameters::split(text, fault, rest, own)?;
    Ok(FaultRule {
        effect: effect(fault, &mut parameters)?,
        share: parameters.share()?,
        operation: parameters.operation()?,
        stream: parameters.take("stream").map(str::to_owned),
        times: parameters.number("times")?,
        after: parameters.number("after")?.unwrap_or(0),
        text: text.to_owned(),
    })
}

fn own_parameters(rule: &str, fault: &str) -> Result<&'static [&'static str], FaultRuleError> {
    match fault {
        "throttle" => Ok(&["shard"]),
        "fail" => Ok(&["shard", "code"]),
        "delay" => Ok(&["ms"]),
        "drop-before" | "drop-after" | "error500" | "hang" => Ok(&[]),
        word => Err(FaultRuleError::UnknownFault {
            rule: rule.to_owned(),
            word: word.to_owned(),
            valid: FAULTS.join(", "),
        }),
    }
}

fn effect(fault: &str, parameters: &mut Parameters<'_>) -> Result<FaultEffect, FaultRuleError> {
    Ok(match fault {
        "throttle" => FaultEffect::Throttle { shard: parameters.shard()? },
        "fail" => FaultEffect::Fail {
            code: parameters.take("code").unwrap_or("InternalFailure").to_owned(),
            shard: parameters.shard()?,
        },
        "delay" => FaultEffect::Delay(parameters.delay()?),
        "drop-before" => FaultEffect::DropBefore,
        "drop-after" => FaultEffect::DropAfter,
        "hang" => FaultEffect::Hang,
        _ => FaultEffect::Error500,
    })
}

impl<'a> Parameters<'a> {
    fn split(rule: &'a str, fault: &'a str, rest: &'a str, own: &[&str]) -> Result<Self, FaultRuleError> {
        let mut parameters = Self { rule, fault, pairs: Vec::new() };
        for pair in rest.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !own.contains(&key) && !COMMON_PARAMETERS.contains(&key) {
                return Err(parameters.unknown(key, own));
            }
            if parameters.pairs.iter().any(|(known, _)| *known == key) {
                return Err(FaultRuleError::Repeated { rule: rule.to_owned(), key: key.to_owned() });
            }
            if value.is_empty() {
                return Err(parameters.bad(key, value, "a value; write key=value"));
            }
            parameters.pairs.push((key, value));
        }
        Ok(parameters)
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        let place = self.pairs.iter().position(|(known, _)| *known == key)?;
        Some(self.pairs.swap_remove(place).1)
    }

    fn number<N: FromStr>(&mut self, key: &str) -> Result<Option<N>, FaultRuleError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => value
                .parse()
                .map(Some)
                .map_err(|_| self.bad(key, value, "a whole number that is not negative")),
        }
    }

    fn share(&mut self) -> Result<f64, FaultRuleError> {
        let Some(value) = self.take("share") else {
            return Ok(1.0);
        };
        match value.parse() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
            _ => Err(self.bad("share", value, "a number from 0 to 1")),
        }
    }

    fn shard(&mut self) -> Result<Option<u32>, FaultRuleError> {
        let Some(value) = self.take("shard") else {
            return Ok(None);
        };
        let number = value.strip_prefix("shardId-").unwrap_or(value);
        let shard =
            number.parse().map_err(|_| self.bad("shard", value, "a shard's number or its shardId-..."))?;
        Ok(Some(shard))
    }

    fn delay(&mut self) -> Result<Duration, FaultRuleError> {
        match self.number("ms")? {
            Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
            None => Err(FaultRuleError::Missing {
                rule: self.rule.to_owned(),
                key: "ms",
                example: "delay:ms=200,share=0.2",
            }),
        }
    }

    fn operation(&mut self) -> Result<Option<OperationFilter>, FaultRuleError> {
        let Some(value) = self.take("op") else {
            return Ok(None);
        };
        let (service, name) = match value.split_once(':') {
            Some((service, name)) => (Some(service), name),
            None => (None, value),
        };
        if service.is_some_and(|service| !SERVICES.contains(&service)) {
            return Err(self.bad("op", value, "an operation of kinesis, firehose, cloudwatch, sts or glue"));
        }
        if !operations::is_known(name) {
            return Err(self.bad(
                "op",
                value,
                "an operation of the sandbox; one is PutRecords, one is firehose:PutRecord",
            ));
        }
        Ok(Some(OperationFilter { service: service.map(str::to_owned), name: name.to_owned() }))
    }

    fn unknown(&self, key: &str, own: &[&str]) -> FaultRuleError {
        FaultRuleError::UnknownParameter {
            rule: self.rule.to_owned(),
            fault: self.fault.to_owned(),
            key: key.to_owned(),
            valid: [own, &COMMON_PARAMETERS].concat().join(", "),
        }
    }

    fn bad(&self, key: &str, value: &str, expected: &'static str) -> FaultRuleError {
        FaultRuleError::BadValue {
            rule: self.rule.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read() {
        let throttle = rule(" throttle:shard=shardId-000000000003,share=0.5 ").unwrap();
        assert_eq!((throttle.shard(), throttle.share()), (Some(3), 0.5));
        assert_eq!(throttle.to_string(), "throttle:shard=shardId-000000000003,share=0.5");

        let fail = rule("fail:times=2,after=3,op=firehose:PutRecordBatch,stream=logs").unwrap();
        assert_eq!(*fail.effect(), FaultEffect::Fail { code: "InternalFailure".to_owned(), shard: None });
        assert_eq!((fail.times(), fail.after(), fail.stream.as_deref()), (Some(2), 3, Some("logs")));

        for (text, effect) in [
            ("delay:ms=200,share=0.2", FaultEffect::Delay(Duration::from_millis(200))),
            ("drop-before", FaultEffect::DropBefore),
            ("drop-after:share=0.05", FaultEffect::DropAfter),
            ("error500:", FaultEffect::Error500),
            ("hang:share=0", FaultEffect::Hang),
            ("throttle", FaultEffect::Throttle { shard: None }),
        ] {
            assert_eq!(*rule(text).unwrap().effect(), effect, "{text}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_is_valid() {
        for (text, wanted) in [
            (
                "throtle:share=1",
                "unknown fault `throtle`; use one of throttle, fail, delay, drop-before, drop-after, error500, hang",
            ),
            ("", "unknown fault ``"),
            ("hang:shard=1", "`hang` has no parameter `shard`; use one of share, op, stream, times, after"),
            ("fail:code=X,share=2", "`share=2` is not a number from 0 to 1"),
            ("fail:share=NaN", "`share=NaN` is not a number from 0 to 1"),
            ("delay:share=1", "`ms` is missing; write for example delay:ms=200,share=0.2"),
            ("delay:ms=soon", "`ms=soon` is not a whole number that is not negative"),
            ("hang:times=1,times=2", "`times` stands twice"),
            ("hang:times", "`times=` is not a value"),
            ("hang:op=PutRecordz", "`op=PutRecordz` is not an operation of the sandbox"),
            ("hang:op=s3:PutRecord", "`op=s3:PutRecord` is not an operation of kinesis"),
            ("throttle:shard=x", "`shard=x` is not a shard's number"),
        ] {
            let error = rule(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{text}: {error}");
            assert!(error.starts_with(&format!("fault rule `{text}`: ")), "{error}");
        }
    }
}
