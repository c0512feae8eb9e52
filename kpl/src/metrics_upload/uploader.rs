//! The task that uploads: waits until something is due, and makes one call after the other.
//!
//! Invariant: what could not be uploaded is merged into the next window for [`PATIENCE`], then given up with a warning;
//! while nothing was measured there is no call and no wake-up.

use std::sync::Arc;
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;

use super::{FLUSH_PATIENCE, Gathered};
use crate::call_failure::cure;
use crate::clock::Clock;
use crate::core::upload_schedule::UploadSchedule;
use crate::error_class::ErrorClass;
use crate::metric::datum::{MetricData, MetricDatum, PutMetricDataRequest};
use crate::put_records::{CallError, Doubt};
use crate::transport::MetricDataTransport;
use crate::types::Moment;

/// How long metrics are kept that cannot be uploaded. The datum that comes of them has the time of its upload.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// How long a call takes at most, should its transport have no time limit of its own.
const CALL_PATIENCE: Duration = Duration::from_secs(30);

/// Between two attempts at first; it grows to the time between two uploads.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The task.
pub(super) struct Uploader {
    gathered: Arc<Gathered>,
    flushes: mpsc::Receiver<oneshot::Sender<bool>>,
    transport: Arc<dyn MetricDataTransport>,
    clock: Clock,
    schedule: UploadSchedule,
    data: MetricData,
    /// When to upload next; [`Moment::NEVER`] while there is nothing.
    due: Moment,
    failure: Option<Failure>,
}

/// Uploads that fail, one after the other.
struct Failure {
    since: Moment,
    pauses: ExponentialBackoff,
}

/// What came of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uploaded {
    /// Everything.
    All,
    /// Not everything, and the rest is lost.
    Part,
    /// Not everything; the rest is kept.
    NotYet,
}

impl Uploader {
    pub(super) fn new(
        gathered: Arc<Gathered>,
        flushes: mpsc::Receiver<oneshot::Sender<bool>>,
        transport: Arc<dyn MetricDataTransport>,
        schedule: UploadSchedule,
    ) -> Self {
        let (data, due, failure) = (MetricData::default(), Moment::NEVER, None);
        Self { gathered, flushes, transport, clock: Clock::start(), schedule, data, due, failure }
    }

    /// Runs until the last handle is dropped.
    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                asked = self.flushes.recv() => {
                    let uploaded = self.flush().await;
                    let Some(asked) = asked else { break };
                    // Whoever asked may have stopped waiting.
                    let _ = asked.send(uploaded);
                }
                () = self.gathered.begun.notified() => self.plan(),
                () = self.clock.sleep_until(self.due) => {
                    self.upload().await;
                }
            }
        }
        warn_of_loss(self.data.give_up(), "the producer ended first");
    }

    /// There is something to upload.
    fn plan(&mut self) {
        if self.due == Moment::NEVER {
            self.due = self.schedule.next(self.clock.now());
        }
    }

    /// Uploads now, trying again for a while; answers whether everything was uploaded.
    async fn flush(&mut self) -> bool {
        let attempts = async {
            loop {
                match self.upload().await {
                    Uploaded::All => return true,
                    Uploaded::Part => return false,
                    Uploaded::NotYet => self.clock.sleep_until(self.due).await,
                }
            }
        };
        let uploaded = tokio::time::timeout(FLUSH_PATIENCE, attempts).await.unwrap_or(false);
        // A call that was cut short has left its data here.
        if !self.data.is_empty() {
            self.plan();
        }
        uploaded
    }

    /// Uploads the window and what is left of earlier ones, until a call fails.
    async fn upload(&mut self) -> Uploaded {
        self.gathered.take().add_to(&mut self.data, &self.gathered.options);
        // Whatever comes from here on says so itself.
        self.due = Moment::NEVER;
        let mut lost = (self.data.take_lost(), "there are too many of them".to_owned());
        let failure = self.put_all(&mut lost).await;
        warn_of_loss(lost.0, &lost.1);
        match failure {
            Some(error) => self.failed(&error),
            None => {
                self.failure = None;
                if lost.0 == 0 { Uploaded::All } else { Uploaded::Part }
            }
        }
    }

    /// Makes calls until everything is uploaded or one fails; adds to `lost` what CloudWatch refuses for good.
    async fn put_all(&mut self, lost: &mut (usize, String)) -> Option<CallError> {
        loop {
            let metric_data = self.data.next_batch();
            if metric_data.is_empty() {
                return None;
            }
            let span = tracing::debug_span!(
                target: "kpl::metrics", "put_metric_data", endpoint = %self.transport.endpoint(), metrics = metric_data.len()
            );
            let started = self.clock.now();
            let answer = self.put(metric_data.clone()).instrument(span).await;
            tracing::debug!(
                target: "kpl::metrics",
                metrics = metric_data.len(),
                duration_ms = u64::try_from(self.clock.now().since(started).as_millis()).unwrap_or(u64::MAX),
                code = answer.as_ref().err().map_or("ok", |error| &*error.code),
                "PutMetricData ended"
            );
            match answer {
                Ok(()) => {}
                Err(error) if is_final(&error) => *lost = (lost.0 + metric_data.len(), error.to_string()),
                Err(error) => return Some(error),
            }
            self.data.forget(&metric_data);
        }
    }

    async fn put(&self, metric_data: Vec<MetricDatum>) -> Result<(), CallError> {
        let namespace = self.gathered.options.metrics_namespace.clone();
        let call = self.transport.put_metric_data(PutMetricDataRequest { namespace, metric_data });
        tokio::time::timeout(CALL_PATIENCE, call).await.unwrap_or_else(|_| {
            Err(CallError {
                code: "Timeout".into(),
                message: format!("no answer in {CALL_PATIENCE:?}").into(),
                doubt: Doubt::MayHaveBeenWritten,
            })
        })
    }

    fn failed(&mut self, error: &CallError) -> Uploaded {
        let now = self.clock.now();
        let most = self.gathered.options.metrics_upload_delay.max(FIRST_PAUSE);
        let is_first = self.failure.is_none();
        let failure = self.failure.get_or_insert_with(|| Failure::new(now, most));
        if now.since(failure.since) >= PATIENCE {
            self.failure = None;
            warn_of_loss(self.data.give_up(), &error.to_string());
            return Uploaded::Part;
        }
        self.due = now.plus(failure.pauses.next_backoff().unwrap_or(most));
        if is_first {
            tracing::warn!(
                target: "kpl::metrics",
                endpoint = %self.transport.endpoint(),
                "metrics could not be uploaded to CloudWatch, trying again for up to 15 minutes; records are not \
                 affected ({error}). To mend it: {}",
                cure(&error.code)
            );
        }
        Uploaded::NotYet
    }
}

impl Failure {
    fn new(now: Moment, most: Duration) -> Self {
        let pauses = ExponentialBackoff {
            initial_interval: FIRST_PAUSE,
            current_interval: FIRST_PAUSE,
            multiplier: 2.0,
            max_interval: most,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Self { since: now, pauses }
    }
}

/// Whether sending the same again cannot help. Sources: CloudWatch API reference, `PutMetricData` and common errors.
fn is_final(error: &CallError) -> bool {
    let code = error.code.as_str();
    ErrorClass::of(code) == ErrorClass::InvalidRequest
        || ["InvalidParameter", "MissingParameter", "MissingRequiredParameter", "AccessDenied"]
            .iter()
            .any(|start| code.starts_with(start))
}

fn warn_of_loss(metrics: usize, why: &str) {
    if metrics > 0 {
        tracing::warn!(
            target: "kpl::metrics",
            metrics,
            "metrics were not uploaded to CloudWatch and are lost; records are not affected ({why})"
        );
    }
}
