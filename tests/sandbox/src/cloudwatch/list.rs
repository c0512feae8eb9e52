//! ListMetrics.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>. Invariant: each
//! metric is listed once, and its pages come in one order.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::Kept;
use super::metric_datum::{Dimension, MetricDatum};
use super::read::{invalid, items};
use crate::aws_error::AwsError;

/// AWS's page.
const PAGE: usize = 500;

/// Those that pass the filters of the request, from its page on.
pub(super) fn metrics(tree: &Value, kept: &VecDeque<Kept>) -> Result<Value, AwsError> {
    let token = tree["NextToken"].as_str().map(str::parse::<usize>).transpose();
    let first = token.map_err(|_| invalid("invalid NextToken".to_owned()))?.unwrap_or(0);
    let data = kept.iter().map(|kept| &kept.datum).filter(|datum| passes(tree, datum));
    let metrics: BTreeSet<_> = data.map(|datum| (&datum.namespace, &datum.name, &datum.dimensions)).collect();
    let more = metrics.len() > first.saturating_add(PAGE);
    let page = metrics.into_iter().skip(first).take(PAGE).map(|(namespace, name, dimensions)| {
        json!({"Namespace": namespace, "MetricName": name, "Dimensions": described(dimensions)})
    });
    let mut answer = json!({"Metrics": page.collect::<Vec<_>>()});
    if more {
        answer["NextToken"] = json!((first + PAGE).to_string());
    }
    Ok(answer)
}

fn passes(tree: &Value, datum: &MetricDatum) -> bool {
    let wanted = |field: &str, value: &str| tree[field].as_str().is_none_or(|wanted| wanted == value);
    let has = |filter: &Value| {
        datum.dimensions.iter().any(|dimension| {
            filter["Name"] == dimension.name.as_str()
                && filter["Value"].as_str().is_none_or(|value| value == dimension.value)
        })
    };
    wanted("Namespace", &datum.namespace)
        && wanted("MetricName", &datum.name)
        && items(&tree["Dimensions"]).iter().all(has)
}

fn described(dimensions: &[Dimension]) -> Vec<Value> {
    let described = |dimension: &Dimension| json!({"Name": dimension.name, "Value": dimension.value});
    dimensions.iter().map(described).collect()
}
