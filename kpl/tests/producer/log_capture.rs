//! Keeps what this crate logs on this thread.
//!
//! Invariant: one event is one line, with its level first. One subscriber serves all threads of the process: tracing
//! decides once for each place in the code whether anybody listens, and a test on another thread must not decide it.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;

use tracing_subscriber::EnvFilter;

thread_local!(static WRITTEN: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) });

static INSTALLED: Once = Once::new();

/// What was logged on this thread since it began, until it is dropped.
pub(crate) struct LogCapture(());

struct Writer;

impl LogCapture {
    /// Captures everything from here on. The runtime must run on this thread alone.
    pub(crate) fn begin() -> Self {
        INSTALLED.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_env_filter(EnvFilter::new("kpl=trace"))
                .with_writer(|| Writer)
                .with_ansi(false)
                .without_time()
                .finish();
            tracing::subscriber::set_global_default(subscriber).expect("the only one");
        });
        WRITTEN.set(Some(Vec::new()));
        Self(())
    }

    /// The lines of one level.
    pub(crate) fn lines(&self, level: tracing::Level) -> Vec<String> {
        let written = WRITTEN.with_borrow(|written| written.clone().unwrap_or_default());
        let text = String::from_utf8_lossy(&written);
        let is_wanted = |line: &&str| line.trim_start().starts_with(level.as_str());
        text.lines().filter(is_wanted).map(str::to_owned).collect()
    }

    /// Lines above debug level.
    pub(crate) fn loud(&self) -> Vec<String> {
        [tracing::Level::ERROR, tracing::Level::WARN, tracing::Level::INFO]
            .into_iter()
            .flat_map(|level| self.lines(level))
            .collect()
    }
}

impl Drop for LogCapture {
    fn drop(&mut self) {
        WRITTEN.set(None);
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        WRITTEN.with_borrow_mut(|written| written.as_mut().map(|written| written.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
