//! A stand-in for CloudWatch: it remembers what it was told, and does what a script says.
//!
//! Invariant: what it refuses it does not remember as told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kpl::{Answer, CallError, Doubt, MetricDataTransport, PutMetricDataRequest, StatisticSet};

use crate::support::{now, pause};

/// What it does with one call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reception {
    /// Takes it.
    Take,
    /// Refuses it with this code.
    Refuse(&'static str),
    /// Never answers.
    Hang,
}

/// The service. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Monitor(Arc<Mutex<Desk>>);

#[derive(Default)]
struct Desk {
    script: VecDeque<Reception>,
    always: Option<Reception>,
    calls: Vec<Duration>,
    told: Vec<(Duration, PutMetricDataRequest)>,
}

impl Monitor {
    /// What it does with the next calls; afterwards it takes them.
    pub(crate) fn script(self, script: impl IntoIterator<Item = Reception>) -> Self {
        self.desk(|desk| desk.script.extend(script));
        self
    }

    /// What it does from now on with calls without a script.
    pub(crate) fn always(&self, reception: Reception) {
        self.desk(|desk| desk.always = Some(reception));
    }

    /// When it was called, whatever it did.
    pub(crate) fn calls(&self) -> Vec<Duration> {
        self.desk(|desk| desk.calls.clone())
    }

    /// What it took, and when.
    pub(crate) fn told(&self) -> Vec<(Duration, PutMetricDataRequest)> {
        self.desk(|desk| desk.told.clone())
    }

    /// Everything that it took, by `name dimension=value`, as count, sum, minimum and maximum.
    pub(crate) fn sets(&self) -> BTreeMap<String, [f64; 4]> {
        let mut sets: BTreeMap<String, StatisticSet> = BTreeMap::new();
        for datum in self.told().iter().flat_map(|(_, request)| &request.metric_data) {
            let mut key = datum.name.as_str().to_owned();
            for dimension in &datum.dimensions {
                key.push_str(&format!(" {}={}", dimension.name, dimension.value));
            }
            let known = sets.get(&key).map_or(datum.values, |known| known.merged(datum.values));
            sets.insert(key, known);
        }
        sets.into_iter().map(|(key, set)| (key, numbers(set))).collect()
    }

    fn desk<R>(&self, act: impl FnOnce(&mut Desk) -> R) -> R {
        act(&mut self.0.lock().expect("no panic under this lock"))
    }
}

/// Count, sum, minimum and maximum.
pub(crate) fn numbers(set: StatisticSet) -> [f64; 4] {
    [set.sample_count() as f64, set.sum(), set.minimum(), set.maximum()]
}

impl MetricDataTransport for Monitor {
    fn put_metric_data(&self, request: PutMetricDataRequest) -> Answer<()> {
        let at = now();
        let reception = self.desk(|desk| {
            desk.calls.push(at);
            desk.script.pop_front().or(desk.always).unwrap_or(Reception::Take)
        });
        let monitor = self.clone();
        Box::pin(async move {
            pause(Duration::from_millis(5)).await;
            match reception {
                Reception::Take => {
                    monitor.desk(|desk| desk.told.push((at, request)));
                    Ok(())
                }
                Reception::Hang => std::future::pending().await,
                Reception::Refuse(code) => Err(CallError {
                    code: code.into(),
                    message: "as the script says".into(),
                    doubt: Doubt::NotWritten,
                }),
            }
        })
    }
}
