//! GetMetricStatistics and GetMetricData, without percentiles and formulas.
//!
//! Sources: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html> and
//! `API_GetMetricData.html` beside it. Invariant: a datum counts in the one period that holds its moment; the start of
//! a span belongs to it, its end does not.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::Kept;
use super::metric_datum::{Dimension, MetricDatum};
use super::read::{self, invalid, items, missing};
use super::statistics::{Statistic, Summary};
use crate::aws_error::AwsError;
use crate::codec::moment;

const MINUTE: u64 = 60;
/// Periods below a minute.
const SHORT_PERIODS: [u64; 5] = [1, 5, 10, 20, 30];
/// The most data points of a GetMetricStatistics.
const MOST_POINTS: f64 = 1440.0;
/// The unit of a datum that was put without one.
const NO_UNIT: &str = "None";

/// A span of time in periods; all in seconds, moments since 1970.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: f64,
    end: f64,
    period: u64,
}

/// Which data are asked for.
#[derive(Debug)]
struct Wanted {
    namespace: String,
    name: String,
    dimensions: Vec<Dimension>,
    unit: Option<String>,
}

pub(super) fn metric_statistics(tree: &Value, kept: &VecDeque<Kept>) -> Result<Value, AwsError> {
    let wanted = Wanted::read(tree, &tree["Unit"])?;
    let span = Span::read(tree, &tree["Period"])?;
    let statistics = statistics(tree)?;
    if (span.end - span.start) / span.period as f64 > MOST_POINTS {
        return Err(combination(format!(
            "the span has more than {MOST_POINTS} periods of {} s; take a longer period or a shorter span",
            span.period
        )));
    }
    let mut points: BTreeMap<(i64, &str), Summary> = BTreeMap::new();
    for (datum, start) in wanted.periods(kept, span) {
        let unit = datum.unit.as_deref().unwrap_or(NO_UNIT);
        add(&mut points, (start, unit), datum);
    }
    let points = points.into_iter().map(|((start, unit), summary)| {
        let mut point = json!({"Timestamp": start, "Unit": unit});
        for statistic in &statistics {
            point[statistic.name()] = json!(summary.figure(*statistic));
        }
        point
    });
    Ok(json!({"Label": wanted.name, "Datapoints": points.collect::<Vec<_>>()}))
}

pub(super) fn metric_data(tree: &Value, kept: &VecDeque<Kept>) -> Result<Value, AwsError> {
    let queries = items(&tree["MetricDataQueries"]);
    if queries.is_empty() {
        return Err(missing("MetricDataQueries"));
    }
    let answered = |query: &&Value| query["ReturnData"] != json!(false) && query["ReturnData"] != "false";
    let results: Result<Vec<Value>, _> =
        queries.iter().filter(answered).map(|query| result(tree, query, kept)).collect();
    Ok(json!({"MetricDataResults": results?, "Messages": []}))
}

fn result(tree: &Value, query: &Value, kept: &VecDeque<Kept>) -> Result<Value, AwsError> {
    let id = read::text(query, "Id")?;
    if !query["Expression"].is_null() {
        let message = format!("the sandbox has no metric math: query {id} has an Expression");
        return Err(AwsError::new(400, "ValidationError", message));
    }
    let stat = &query["MetricStat"];
    let wanted = Wanted::read(&stat["Metric"], &stat["Unit"])?;
    let span = Span::read(tree, &stat["Period"])?;
    let statistic = statistic(&stat["Stat"])?;
    let mut points: BTreeMap<i64, Summary> = BTreeMap::new();
    for (datum, start) in wanted.periods(kept, span) {
        add(&mut points, start, datum);
    }
    let mut points: Vec<(i64, f64)> =
        points.into_iter().map(|(start, summary)| (start, summary.figure(statistic))).collect();
    if tree["ScanBy"] != "TimestampAscending" {
        points.reverse();
    }
    let (moments, values): (Vec<i64>, Vec<f64>) = points.into_iter().unzip();
    let label = query["Label"].as_str().unwrap_or(&wanted.name);
    Ok(json!({"Id": id, "Label": label, "Timestamps": moments, "Values": values, "StatusCode": "Complete"}))
}

impl Wanted {
    fn read(metric: &Value, unit: &Value) -> Result<Self, AwsError> {
        let mut dimensions: Vec<Dimension> =
            items(&metric["Dimensions"]).iter().map(read::dimension).collect::<Result<_, _>>()?;
        dimensions.sort_unstable();
        Ok(Self {
            namespace: read::text(metric, "Namespace")?,
            name: read::text(metric, "MetricName")?,
            dimensions,
            unit: unit.as_str().map(str::to_owned),
        })
    }

    /// The data within the span, each with the start of its period.
    fn periods<'a>(
        &'a self,
        kept: &'a VecDeque<Kept>,
        span: Span,
    ) -> impl Iterator<Item = (&'a MetricDatum, i64)> {
        let placed = move |kept: &'a Kept| Some((&kept.datum, span.period_of(kept.moment)?));
        kept.iter().filter(|kept| self.is(&kept.datum)).filter_map(placed)
    }

    fn is(&self, datum: &MetricDatum) -> bool {
        let mut dimensions = datum.dimensions.clone();
        dimensions.sort_unstable();
        datum.namespace == self.namespace
            && datum.name == self.name
            && dimensions == self.dimensions
            && self.unit.as_deref().is_none_or(|unit| unit == datum.unit.as_deref().unwrap_or(NO_UNIT))
    }
}

impl Span {
    fn read(tree: &Value, period: &Value) -> Result<Self, AwsError> {
        let period = read::number(period).ok_or_else(|| missing("Period"))?;
        // A conversion to an integer never leaves its range.
        let seconds = period as u64;
        let fits = seconds > 0 && (SHORT_PERIODS.contains(&seconds) || seconds.is_multiple_of(MINUTE));
        if !fits || seconds as f64 != period {
            return Err(invalid(format!("Period {period} is neither 1, 5, 10, 20, 30 nor a multiple of 60")));
        }
        let moment = |field: &str| moment::read(&tree[field]).ok_or_else(|| missing(field));
        let (start, end) = (moment("StartTime")?, moment("EndTime")?);
        if start >= end {
            return Err(invalid(
                "the parameter StartTime must be less than the parameter EndTime".to_owned(),
            ));
        }
        let grain = seconds.min(MINUTE) as f64;
        Ok(Self { start: (start / grain).floor() * grain, end, period: seconds })
    }

    /// The start of the period that holds a moment.
    fn period_of(self, moment: f64) -> Option<i64> {
        let within = (self.start..self.end).contains(&moment);
        let period = self.period as f64;
        within.then(|| (self.start + ((moment - self.start) / period).floor() * period) as i64)
    }
}

fn add<K: Ord>(points: &mut BTreeMap<K, Summary>, key: K, datum: &MetricDatum) {
    let summary = Summary::of(&datum.value);
    points.entry(key).and_modify(|before| *before = before.and(summary)).or_insert(summary);
}

fn statistics(tree: &Value) -> Result<Vec<Statistic>, AwsError> {
    if !items(&tree["ExtendedStatistics"]).is_empty() {
        return Err(invalid("the sandbox has no percentiles: leave ExtendedStatistics out".to_owned()));
    }
    let statistics: Vec<Statistic> =
        items(&tree["Statistics"]).iter().map(statistic).collect::<Result<_, _>>()?;
    if statistics.is_empty() {
        let message = "at least one of the parameters Statistics and ExtendedStatistics must be specified";
        return Err(combination(message.to_owned()));
    }
    Ok(statistics)
}

fn statistic(name: &Value) -> Result<Statistic, AwsError> {
    let statistic = name.as_str().and_then(Statistic::from_name);
    statistic.ok_or_else(|| {
        invalid(format!("the sandbox knows SampleCount, Average, Sum, Minimum and Maximum, not {name}"))
    })
}

fn combination(message: String) -> AwsError {
    AwsError::new(400, "InvalidParameterCombination", message)
}
