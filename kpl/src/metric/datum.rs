//! What is uploaded to CloudWatch: data, and how many of them go into one PutMetricData call.
//!
//! Invariant: a call keeps to CloudWatch's limits; a datum stays until it is reported as uploaded or given up.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::name::MetricName;
use super::statistic_set::StatisticSet;

/// Metrics in one PutMetricData call (CloudWatch API reference, `PutMetricData`).
const DATA_PER_REQUEST: usize = 1000;

/// Bytes of one PutMetricData call (CloudWatch API reference, `PutMetricData`: 1 MB).
const REQUEST_BYTES: usize = 1_000_000;

/// What a datum and each of its dimensions take besides the text in them. Generous: with the oldest of CloudWatch's
/// protocols, the names of the fields are longer than what they hold.
const DATUM_BYTES: usize = 512;
const DIMENSION_BYTES: usize = 128;

/// Data that are kept while CloudWatch cannot be reached: those of 10,000 shards and some thousand more.
const MAX_DATA: usize = 250_000;

/// One dimension of a metric. Cloning copies pointers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricDimension {
    /// Its name; never blank.
    pub name: Arc<str>,
    /// Its value; never blank.
    pub value: Arc<str>,
}

/// The values of one metric under certain dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricDatum {
    /// The metric.
    pub name: MetricName,
    /// Its dimensions; at most 30.
    pub dimensions: Vec<MetricDimension>,
    /// The values.
    pub values: StatisticSet,
}

/// One PutMetricData call.
#[derive(Debug, Clone, PartialEq)]
pub struct PutMetricDataRequest {
    /// The namespace.
    pub namespace: String,
    /// 1 to 1,000 data, of 1 MB at most.
    pub metric_data: Vec<MetricDatum>,
}

/// Data to be uploaded, those with the fewest dimensions first.
#[derive(Debug, Default)]
pub(crate) struct MetricData {
    sets: BTreeMap<(usize, MetricName, Vec<MetricDimension>), StatisticSet>,
    /// How many could not be kept.
    lost: usize,
}

impl MetricDimension {
    pub(crate) fn new(name: &str, value: &str) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl MetricDatum {
    fn bytes(&self) -> usize {
        let dimension =
            |dimension: &MetricDimension| DIMENSION_BYTES + dimension.name.len() + dimension.value.len();
        DATUM_BYTES + self.name.as_str().len() + self.dimensions.iter().map(dimension).sum::<usize>()
    }
}

impl MetricData {
    /// Adds values to those of the same metric and dimensions.
    pub(crate) fn add(&mut self, name: MetricName, dimensions: &[MetricDimension], values: StatisticSet) {
        let key = (dimensions.len(), name, dimensions.to_vec());
        if let Some(known) = self.sets.get_mut(&key) {
            *known = known.merged(values);
        } else if self.sets.len() < MAX_DATA {
            self.sets.insert(key, values);
        } else {
            self.lost += 1;
        }
    }

    /// As many of the first data as fit into one call; none when there are none.
    pub(crate) fn next_batch(&self) -> Vec<MetricDatum> {
        let mut bytes = 0;
        let data = self.sets.iter().map(|((_, name, dimensions), values)| MetricDatum {
            name: *name,
            dimensions: dimensions.clone(),
            values: *values,
        });
        data.take(DATA_PER_REQUEST)
            .take_while(|datum| {
                // Even the largest datum is far from the limit.
                bytes += datum.bytes();
                bytes <= REQUEST_BYTES
            })
            .collect()
    }

    /// These were uploaded, or are given up.
    pub(crate) fn forget(&mut self, batch: &[MetricDatum]) {
        for MetricDatum { name, dimensions, .. } in batch {
            self.sets.remove(&(dimensions.len(), *name, dimensions.clone()));
        }
    }

    /// Gives everything up; answers how many data that were, those included that could not be kept before.
    pub(crate) fn give_up(&mut self) -> usize {
        let given_up = self.sets.len() + self.take_lost();
        self.sets.clear();
        given_up
    }

    /// How many data could not be kept since this was asked.
    pub(crate) fn take_lost(&mut self) -> usize {
        std::mem::take(&mut self.lost)
    }

    /// Whether there is nothing to upload.
    pub(crate) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize, value_length: usize) -> MetricData {
        let mut data = MetricData::default();
        for number in 0..count {
            let value = format!("{number:0value_length$}");
            let dimensions: Vec<_> =
                (0..3).map(|name| MetricDimension::new(&format!("n{name}"), &value)).collect();
            data.add(MetricName::AllErrors, &dimensions, StatisticSet::of(number as f64));
        }
        data
    }

    fn batches(mut data: MetricData) -> Vec<Vec<MetricDatum>> {
        std::iter::from_fn(|| {
            let batch = data.next_batch();
            data.forget(&batch);
            (!batch.is_empty()).then_some(batch)
        })
        .collect()
    }

    #[test]
    fn calls_keep_to_the_limits_and_nothing_is_left_out() {
        for (count, value_length) in [(0, 8), (1, 8), (2500, 8), (3000, 255)] {
            let batches = batches(many(count, value_length));
            assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), count);
            for batch in &batches {
                assert!(batch.len() <= 1000);
                assert!(batch.iter().map(MetricDatum::bytes).sum::<usize>() <= 1_000_000);
            }
            let fullest = if value_length == 8 { 1000 } else { 1_000_000 / batches[0][0].bytes() };
            assert_eq!(batches.len(), count.div_ceil(fullest), "no smaller calls than needed");
        }
    }

    #[test]
    fn a_failed_window_is_merged_into_the_next() {
        let mut data = many(2, 8);
        let failed = data.next_batch();
        let later = many(1, 8).next_batch();
        data.add(later[0].name, &later[0].dimensions, StatisticSet::of(5.0));
        let merged = data.next_batch();
        assert_eq!((merged[0].values.sample_count(), merged[0].values.sum()), (2, 5.0));
        assert_eq!(merged[1], failed[1]);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut data = many(MAX_DATA + 3, 8);
        assert_eq!((data.sets.len(), data.take_lost(), data.take_lost()), (MAX_DATA, 3, 0));
        assert_eq!(data.give_up(), MAX_DATA);
        assert!(data.is_empty());
    }
}
