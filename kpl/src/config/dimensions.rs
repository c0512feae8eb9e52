//! Reading and checking the additional metric dimensions.
//!
//! Invariant: what passes is taken by CloudWatch beside the producer's own dimensions.

use std::collections::BTreeSet;

use crate::config::choices::{AdditionalMetricDimension, Choice, MetricsGranularity};
use crate::config::value::Value;

/// Dimensions of one metric (CloudWatch API reference, `MetricDatum`), less the producer's own three.
const ADDITIONAL_DIMENSIONS: usize = 30 - OWN_DIMENSIONS.len();

/// The dimensions that the producer's own metrics have.
const OWN_DIMENSIONS: [&str; 3] = ["StreamName", "ShardId", "ErrorCode"];

/// A file's list as dimensions. The error goes on after the option's name.
pub(super) fn read(list: Vec<Value>) -> Result<Vec<AdditionalMetricDimension>, String> {
    let mut dimensions = Vec::with_capacity(list.len());
    let mut problems = Vec::new();
    for (place, value) in list.into_iter().enumerate() {
        match dimension(value) {
            Ok(dimension) => dimensions.push(dimension),
            Err(problem) => problems.push(format!("[{place}] {problem}")),
        }
    }
    if problems.is_empty() { Ok(dimensions) } else { Err(problems.join(", and ")) }
}

fn dimension(value: Value) -> Result<AdditionalMetricDimension, String> {
    let Value::Map(entries) = value else { return Err(format!("is {value}: {FIELDS}")) };
    let (mut name, mut text, mut granularity) = (None, None, None);
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("name", Value::Text(given)) => name = Some(given),
            ("value", Value::Text(given)) => text = Some(given),
            ("granularity", Value::Text(given)) => granularity = MetricsGranularity::named(&given),
            (_, value) => return Err(format!("has {key:?} = {value}: {FIELDS}")),
        }
    }
    match (name, text, granularity) {
        (Some(name), Some(value), Some(granularity)) => {
            Ok(AdditionalMetricDimension { name, value, granularity })
        }
        _ => Err(format!("is not whole: {FIELDS}")),
    }
}

const FIELDS: &str = "give the texts name, value and granularity (global, stream or shard)";

/// The error goes on after the option's name.
pub(super) fn check(dimensions: &[AdditionalMetricDimension]) -> Result<(), String> {
    if dimensions.len() > ADDITIONAL_DIMENSIONS {
        return Err(format!("are {}: give {ADDITIONAL_DIMENSIONS} at most", dimensions.len()));
    }
    let mut names = BTreeSet::from(OWN_DIMENSIONS);
    let problems: Vec<_> = dimensions
        .iter()
        .filter_map(|dimension| {
            let name = &dimension.name;
            if !is_dimension_text(name) || name.starts_with(':') {
                return Some(format!("have the name {name:?}: {DIMENSION_TEXT}, not beginning with ':'"));
            }
            if !names.insert(name) {
                return Some(format!("have the name {name:?}, which is taken: give another"));
            }
            let lawful = is_dimension_text(&dimension.value);
            (!lawful).then(|| format!("have the value {:?} for {name}: {DIMENSION_TEXT}", dimension.value))
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join(", and ")) }
}

const DIMENSION_TEXT: &str = "give 1 to 255 ASCII characters, not blank";

fn is_dimension_text(text: &str) -> bool {
    text.len() <= 255 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_few_plain_and_different() {
        use MetricsGranularity::Global;
        let new = |name: &str, value: &str| AdditionalMetricDimension::new(name, value, Global);
        let many = |count: usize| -> Vec<_> { (0..count).map(|n| new(&format!("d{n}"), "v")).collect() };
        assert_eq!(check(&many(27)), Ok(()));
        assert!(check(&many(28)).is_err());
        for (name, value, lawful) in [
            ("Host", "a", true),
            (" H ", " v ", true),
            ("", "a", false),
            ("  ", "a", false),
            (":Host", "a", false),
            ("H\u{f6}st", "a", false),
            ("ShardId", "a", false),
            ("Host", "", false),
            ("Host", "\n", false),
            (&"n".repeat(255), &"v".repeat(255), true),
            (&"n".repeat(256), "v", false),
            ("Host", &"v".repeat(256), false),
        ] {
            assert_eq!(check(&[new(name, value)]).is_ok(), lawful, "{name:?} = {value:?}");
        }
        let twice = check(&[new("Host", "a"), new("Host", "b"), new("x", "")]).expect_err("two problems");
        assert!(twice.contains("taken") && twice.contains("for x"), "{twice}");
    }
}
