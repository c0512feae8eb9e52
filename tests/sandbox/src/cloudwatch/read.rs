//! From the tree of a PutMetricData, whatever its protocol, to metric data.
//!
//! Invariant: a number may stand as a number or as text, because the query protocol knows only text.

use ferrokinesis::util::current_time_ms;
use serde_json::Value;

use super::Kept;
use super::metric_datum::{Dimension, MetricDatum, MetricValue};
use crate::aws_error::AwsError;
use crate::codec::moment;

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
const MAX_DATA: usize = 1000;
const MAX_DIMENSIONS: usize = 30;
const MAX_VALUES: usize = 150;

/// All data of the call, those of entities too.
pub(super) fn metric_data(tree: &Value) -> Result<Vec<Kept>, AwsError> {
    let namespace = text(tree, "Namespace")?;
    let of_entities = items(&tree["EntityMetricData"]).iter().flat_map(|entity| items(&entity["MetricData"]));
    let data: Vec<&Value> = items(&tree["MetricData"]).iter().chain(of_entities).collect();
    if data.is_empty() {
        return Err(missing("MetricData"));
    }
    if data.len() > MAX_DATA {
        return Err(invalid(format!(
            "the collection MetricData must not have a size greater than {MAX_DATA}"
        )));
    }
    let received = current_time_ms() as f64 / 1000.0;
    let kept = |datum: &Value| {
        let moment = match &datum["Timestamp"] {
            Value::Null => received,
            given => moment::read(given).ok_or_else(|| invalid(format!("Timestamp {given} is no moment")))?,
        };
        Ok(Kept { moment, datum: metric_datum(&namespace, datum)? })
    };
    data.into_iter().map(kept).collect()
}

fn metric_datum(namespace: &str, datum: &Value) -> Result<MetricDatum, AwsError> {
    let dimensions = items(&datum["Dimensions"]);
    if dimensions.len() > MAX_DIMENSIONS {
        return Err(invalid(format!("a metric has at most {MAX_DIMENSIONS} dimensions")));
    }
    Ok(MetricDatum {
        namespace: namespace.to_owned(),
        name: text(datum, "MetricName")?,
        dimensions: dimensions.iter().map(dimension).collect::<Result<_, _>>()?,
        unit: datum["Unit"].as_str().map(str::to_owned),
        value: metric_value(datum)?,
        storage_resolution: number(&datum["StorageResolution"]).map(|seconds| seconds as u32),
    })
}

pub(super) fn dimension(dimension: &Value) -> Result<Dimension, AwsError> {
    Ok(Dimension { name: text(dimension, "Name")?, value: text(dimension, "Value")? })
}

fn metric_value(datum: &Value) -> Result<MetricValue, AwsError> {
    let values = items(&datum["Values"]);
    match (number(&datum["Value"]), &datum["StatisticValues"], values) {
        (Some(value), Value::Null, []) => Ok(MetricValue::Value(value)),
        (None, statistics @ Value::Object(_), []) => statistic_values(statistics),
        (None, Value::Null, [_, ..]) => values_and_counts(values, items(&datum["Counts"])),
        _ => Err(AwsError::new(
            400,
            "InvalidParameterCombination",
            "a metric datum takes exactly one of Value, StatisticValues and Values",
        )),
    }
}

fn statistic_values(statistics: &Value) -> Result<MetricValue, AwsError> {
    let part = |field: &str| number(&statistics[field]).ok_or_else(|| missing(field));
    Ok(MetricValue::StatisticValues {
        sample_count: part("SampleCount")?,
        sum: part("Sum")?,
        minimum: part("Minimum")?,
        maximum: part("Maximum")?,
    })
}

fn values_and_counts(values: &[Value], counts: &[Value]) -> Result<MetricValue, AwsError> {
    let values = numbers(values, "Values")?;
    let counts = if counts.is_empty() { vec![1.0; values.len()] } else { numbers(counts, "Counts")? };
    if values.len() > MAX_VALUES || counts.len() != values.len() {
        return Err(invalid(format!("Values and Counts must be of one length, at most {MAX_VALUES}")));
    }
    Ok(MetricValue::ValuesAndCounts { values, counts })
}

fn numbers(items: &[Value], field: &str) -> Result<Vec<f64>, AwsError> {
    items.iter().map(|item| number(item).ok_or_else(|| invalid(format!("{field} must be numbers")))).collect()
}

pub(super) fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    number.is_finite().then_some(number)
}

pub(super) fn text(tree: &Value, field: &str) -> Result<String, AwsError> {
    tree[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(|| missing(field))
}

pub(super) fn items(tree: &Value) -> &[Value] {
    tree.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn missing(field: &str) -> AwsError {
    AwsError::new(400, "MissingParameter", format!("the parameter {field} is required"))
}

pub(super) fn invalid(message: String) -> AwsError {
    AwsError::new(400, "InvalidParameterValue", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(datum: &Value) -> Result<MetricValue, String> {
        let data =
            metric_data(&json!({"Namespace": "n", "MetricData": [datum]})).map_err(|error| error.code)?;
        Ok(data.into_iter().next().unwrap().datum.value)
    }

    #[test]
    fn a_datum_has_exactly_one_form_of_value() {
        let statistics = json!({"SampleCount": "2", "Sum": 5, "Minimum": 1, "Maximum": 4.0});
        for (datum, wanted) in [
            (json!({"MetricName": "m", "Value": 1.5}), Ok(MetricValue::Value(1.5))),
            (json!({"MetricName": "m", "Value": "1.5"}), Ok(MetricValue::Value(1.5))),
            (
                json!({"MetricName": "m", "StatisticValues": statistics}),
                Ok(MetricValue::StatisticValues { sample_count: 2.0, sum: 5.0, minimum: 1.0, maximum: 4.0 }),
            ),
            (
                json!({"MetricName": "m", "Values": [1, 2]}),
                Ok(MetricValue::ValuesAndCounts { values: vec![1.0, 2.0], counts: vec![1.0, 1.0] }),
            ),
            (json!({"MetricName": "m", "Values": [1, 2], "Counts": [1]}), Err("InvalidParameterValue")),
            (json!({"MetricName": "m", "Value": 1, "Values": [1]}), Err("InvalidParameterCombination")),
            (json!({"MetricName": "m"}), Err("InvalidParameterCombination")),
            (json!({"Value": 1}), Err("MissingParameter")),
            (json!({"MetricName": "m", "StatisticValues": {"Sum": 1}}), Err("MissingParameter")),
        ] {
            assert_eq!(one(&datum), wanted.map_err(str::to_owned), "{datum}");
        }
    }

    #[test]
    fn data_of_entities_count_and_a_call_without_data_is_refused() {
        let datum = json!({"MetricName": "m", "Value": 1, "Dimensions": [{"Name": "a", "Value": "b"}]});
        let tree = json!({"Namespace": "n", "EntityMetricData": [{"MetricData": [datum.clone()]}]});
        assert_eq!(metric_data(&tree).unwrap()[0].datum.dimensions[0].value, "b");
        assert_eq!(metric_data(&json!({"Namespace": "n"})).unwrap_err().code, "MissingParameter");
        assert_eq!(metric_data(&json!({"MetricData": [datum]})).unwrap_err().code, "MissingParameter");
        let many = vec![json!({"MetricName": "m", "Value": 1}); 1001];
        assert_eq!(
            metric_data(&json!({"Namespace": "n", "MetricData": many})).unwrap_err().code,
            "InvalidParameterValue"
        );
    }
}
