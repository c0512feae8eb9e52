//! Gathers the producer's metrics and uploads them to CloudWatch, once in each upload delay.
//!
//! Invariant: a value is in one window only, and a sink that is told something does no more than add it up.

mod uploader;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot};

use self::uploader::Uploader;
use crate::clock::Clock;
use crate::config::choices::MetricsLevel;
use crate::config::{Config, ConfigError};
use crate::core::upload_schedule::UploadSchedule;
use crate::metric::Metric;
use crate::metric::options::MetricsOptions;
use crate::metric::window::MetricWindow;
use crate::metrics::MetricsSink;
use crate::transport::MetricDataTransport;

/// How long [`CloudWatchMetrics::flush`] takes at most, and the last upload.
const FLUSH_PATIENCE: Duration = Duration::from_secs(10);

/// Flushes that wait; one more has to wait until it may wait.
const FLUSHES: usize = 16;

/// Uploads the KPL's metrics to CloudWatch: statistic sets by metric, stream and shard.
///
/// Give it to [`ProducerBuilder::cloudwatch_metrics`](crate::ProducerBuilder::cloudwatch_metrics); several producers may
/// share one. Cloning is cheap, and clones are the same uploader. When the last one is dropped, what is left is uploaded
/// in the background, within 10 s and for as long as the tokio runtime lives.
///
/// An upload that fails never concerns records. It is tried again, with backoff and together with what was measured
/// since; after 15 minutes its metrics are given up. Failures are logged under the target `kpl::metrics`. When the
/// answer to a call was lost its metrics may be counted twice.
#[derive(Debug, Clone)]
pub struct CloudWatchMetrics {
    gathered: Arc<Gathered>,
    flushes: mpsc::Sender<oneshot::Sender<bool>>,
}

/// Why an uploader could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsStartError {
    /// The configuration has problems; all of them are listed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no tokio runtime to run on.
    #[error("metrics are uploaded on tokio: start the uploader inside a tokio runtime")]
    NoRuntime,
    /// The tokio runtime has no timers.
    #[error("metrics are uploaded at certain times: build the tokio runtime with enable_time or enable_all")]
    NoTimers,
}

/// What the sink and the task share.
#[derive(Debug)]
struct Gathered {
    options: MetricsOptions,
    window: Mutex<MetricWindow>,
    /// Told when the window is not empty any more.
    begun: Notify,
}

// === impl CloudWatchMetrics ===

impl CloudWatchMetrics {
    /// Starts an uploader on the present tokio runtime. `transport` is a `CloudWatchTransport` (cargo feature
    /// `cloudwatch`), or one of your own. What is uploaded, and when, is said by the fields of `config` whose names begin
    /// with `metrics_`, and by its `additional_metric_dims`.
    ///
    /// # Errors
    ///
    /// [`MetricsStartError`] when the configuration has problems, or there is no runtime, or one without timers.
    pub fn start(transport: impl MetricDataTransport, config: &Config) -> Result<Self, MetricsStartError> {
        config.check()?;
        let options = MetricsOptions::from(config);
        let runtime = Handle::try_current().map_err(|_| MetricsStartError::NoRuntime)?;
        if !Clock::has_timers() {
            return Err(MetricsStartError::NoTimers);
        }
        let schedule = UploadSchedule::new(options.metrics_upload_delay, fastrand::u64(..));
        let (flushes, asked) = mpsc::channel(FLUSHES);
        let gathered = Arc::new(Gathered { options, window: Mutex::default(), begun: Notify::new() });
        let uploader = Uploader::new(Arc::clone(&gathered), asked, Arc::new(transport), schedule);
        runtime.spawn(uploader.run());
        Ok(Self { gathered, flushes })
    }

    /// Uploads what there is now, within 10 s (20 s when an upload is in flight that does not get on); answers whether
    /// all of it was uploaded. What was not is kept for the next upload, unless CloudWatch refused it for good.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the waiting, not the uploading.
    pub async fn flush(&self) -> bool {
        let (sender, receiver) = oneshot::channel();
        let asked = async {
            self.flushes.send(sender).await.ok()?;
            receiver.await.ok()
        };
        // Twice, because a flush or an upload of the task's own may be in flight.
        let done = tokio::time::timeout(2 * FLUSH_PATIENCE, asked).await;
        done.ok().flatten().unwrap_or(false)
    }
}

impl MetricsSink for CloudWatchMetrics {
    fn record(&self, metric: &Metric<'_>) {
        let Gathered { options, window, begun } = &*self.gathered;
        if options.metrics_level == MetricsLevel::None {
            return;
        }
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = window.is_empty();
        window.add(metric, options);
        if was_empty && !window.is_empty() {
            begun.notify_one();
        }
    }
}

// === impl Gathered ===

impl Gathered {
    fn take(&self) -> MetricWindow {
        std::mem::take(&mut self.window.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
